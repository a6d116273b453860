'use client';

import type { ReactNode } from 'react';
import type { Me } from '@/data/api';
import { Avatar } from './Avatar';
import { Hint } from './Hint';
import { Logo } from './Logo';
import { SearchField, type SearchFieldProps } from './SearchField';
import { ThemeMenu } from './ThemeMenu';

export interface HomeHeaderProps {
  me: Me | null;
  onMe(): void;
  search: SearchFieldProps;
  /** What one is told. */
  bell?: ReactNode;
}

/** The one line above my documents. */
export function HomeHeader({ me, onMe, search, bell }: HomeHeaderProps) {
  return (
    <header className="sticky top-0 z-20 bg-paper/90 backdrop-blur-sm">
      <div className="mx-auto flex h-16 max-w-3xl items-center gap-3 px-4 sm:gap-6 sm:px-6">
        <a href="/" className="flex shrink-0 items-center gap-2 rounded-control text-md font-bold tracking-[-0.01em] touch:min-h-11">
          <Logo className="size-5" />
          <span className="sr-only sm:not-sr-only">Concord</span>
        </a>
        <SearchField {...search} />
        <div className="flex shrink-0 items-center gap-1">
          {bell}
          <ThemeMenu />
          <Hint label={me ? `You are ${me.name}` : 'You'}>
            <button
              type="button"
              onClick={onMe}
              aria-label={me ? `You: ${me.name}. Change name and colour` : 'You. Change name and colour'}
              className="inline-flex size-8 items-center justify-center rounded-full hover:opacity-90 touch:size-11"
            >
              {me ? <Avatar name={me.name} color={me.color} /> : <span className="size-7 rounded-full bg-wash" />}
            </button>
          </Hint>
        </div>
      </div>
    </header>
  );
}
