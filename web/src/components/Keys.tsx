'use client';

import { useSyncExternalStore } from 'react';
import { cx } from '@/lib/cx';
import { keyNames } from '@/lib/shortcuts';

const never = () => () => {};

/** True on Apple keyboards; false while exporting and hydrating. */
export const useAppleKeys = (): boolean =>
  useSyncExternalStore(
    never,
    () => /Mac|iPhone|iPad/.test(navigator.platform),
    () => false,
  );

/** A key combination such as `mod+shift+z`, drawn for the keyboard at hand. */
export function Keys({ combo, quiet = false }: { combo: string; quiet?: boolean }) {
  const names = keyNames(combo, useAppleKeys());
  return (
    <span className="inline-flex shrink-0 items-center gap-1">
      {names.map((name) => (
        <kbd
          key={name}
          className={cx(
            'inline-flex h-5 min-w-5 items-center justify-center rounded-[4px] px-1 text-xs tabular-nums',
            quiet ? 'opacity-80' : 'border border-line-strong bg-sunken text-muted',
          )}
        >
          {name}
        </kbd>
      ))}
    </span>
  );
}
