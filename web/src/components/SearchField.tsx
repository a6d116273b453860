'use client';

import { Search, X } from 'lucide-react';
import { useRef } from 'react';
import { IconButton } from './Button';
import { Keys } from './Keys';

export interface SearchFieldProps {
  value: string;
  onChange(value: string): void;
}

/** Filters the list beneath it. */
export function SearchField({ value, onChange }: SearchFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const clear = () => {
    onChange('');
    input.current?.focus();
  };
  return (
    <search className="relative flex min-w-0 flex-1 items-center">
      <Search size={16} aria-hidden className="pointer-events-none absolute start-3 text-muted" />
      <input
        ref={input}
        type="search"
        aria-label="Search my documents"
        placeholder="Search"
        dir="auto"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && clear()}
        className="h-9 w-full rounded-control bg-wash ps-9 pe-16 text-sm placeholder:text-muted hover:bg-[color-mix(in_oklab,var(--ink)_7%,transparent)] touch:h-11 [&::-webkit-search-cancel-button]:hidden"
      />
      <span className="absolute end-1 flex items-center">
        {value ? (
          <IconButton label="Clear" onClick={clear}>
            <X size={16} aria-hidden />
          </IconButton>
        ) : (
          <span className="hidden pe-2 sm:block touch:hidden" aria-hidden>
            <Keys combo="mod+k" />
          </span>
        )}
      </span>
    </search>
  );
}
