import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';
import { Logo } from './Logo';

export interface MessageProps {
  title: string;
  detail?: ReactNode;
  /** What can be done about it. */
  children?: ReactNode;
  /** The mark of the house above it, where a page would be bare. */
  mark?: boolean;
  tone?: 'plain' | 'bad';
  heading?: 'h1' | 'h2';
}

/** A page or a list that has something to say instead of its content. */
export function Message({ title, detail, children, mark = false, tone = 'plain', heading: Heading = 'h2' }: MessageProps) {
  return (
    <div role={tone === 'bad' ? 'alert' : undefined} className="mx-auto flex max-w-md flex-col items-center px-6 py-12 text-center">
      {mark && <Logo className="mb-6 size-10 text-muted" />}
      <Heading className={cx('text-lg font-bold text-balance')}>{title}</Heading>
      {detail && <p className="mt-2 text-sm text-pretty text-muted">{detail}</p>}
      {children && <div className="mt-6 flex flex-wrap justify-center gap-2">{children}</div>}
    </div>
  );
}
