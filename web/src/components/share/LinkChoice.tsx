'use client';

import { Eye, Lock, Pencil } from 'lucide-react';
import { RadioGroup } from 'radix-ui';
import type { LinkAccess } from '@/data/api';
import { cx } from '@/lib/cx';

const CHOICES = [
  { link: 'off', Icon: Lock, name: 'Off', what: 'Only the people below can open it.' },
  { link: 'view', Icon: Eye, name: 'Read', what: 'Anyone who has the link can read it.' },
  { link: 'edit', Icon: Pencil, name: 'Edit', what: 'Anyone who has the link can edit it.' },
] as const;

export interface LinkChoiceProps {
  link: LinkAccess;
  canChange: boolean;
  /** The server has not answered yet. */
  changing: boolean;
  onChange(link: LinkAccess): void;
}

/** What the link gives: a choice for the owner, a sentence for everybody else. */
export function LinkChoice({ link, canChange, changing, onChange }: LinkChoiceProps) {
  const chosen = CHOICES.find((choice) => choice.link === link) ?? CHOICES[0];
  const words = (
    <p aria-live="polite" className="flex min-h-6 items-center gap-2 text-sm">
      {!canChange && <chosen.Icon size={16} aria-hidden className="shrink-0 text-muted" />}
      <span className="min-w-0 flex-1">{chosen.what}</span>
      {changing && <span className="shrink-0 text-xs text-muted">Saving…</span>}
    </p>
  );
  if (!canChange) return words;
  return (
    <>
      <RadioGroup.Root
        aria-label="What the link gives"
        value={link}
        onValueChange={(next) => onChange(next as LinkAccess)}
        className="mb-2 grid grid-cols-3 gap-1 rounded-panel border border-line bg-sunken p-1"
      >
        {CHOICES.map(({ link: value, Icon, name }) => (
          <RadioGroup.Item
            key={value}
            value={value}
            className={cx(
              'inline-flex h-8 items-center justify-center gap-2 rounded-control text-sm text-muted hover:text-ink touch:h-11',
              'data-[state=checked]:bg-raised data-[state=checked]:font-medium data-[state=checked]:text-ink data-[state=checked]:shadow-[0_0_0_1px_var(--line-strong)]',
            )}
          >
            <Icon size={16} aria-hidden /> {name}
          </RadioGroup.Item>
        ))}
      </RadioGroup.Root>
      {words}
    </>
  );
}
