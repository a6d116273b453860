'use client';

import { Copy, X } from 'lucide-react';
import type { RejectedEdit } from '@/data/live';
import { refusalFor } from '@/lib/problem';
import { Button, IconButton } from './Button';

export interface RejectedEditsProps {
  edits: readonly RejectedEdit[];
  onCopy(text: string): void;
  onDismiss(): void;
}

/** What the server would not take: the text stays in sight, with a way to keep it. */
export function RejectedEdits({ edits, onCopy, onDismiss }: RejectedEditsProps) {
  if (edits.length === 0) return null;
  const text = edits.map((edit) => edit.text).filter(Boolean).join('\n');
  const reasons = [...new Set(edits.map((edit) => edit.message || refusalFor(edit.code)))];
  return (
    <section aria-label="Text that was not accepted" role="alert" className="shrink-0 animate-fade border-b border-line bg-bad-tint">
      <div className="mx-auto flex max-w-2xl flex-col gap-2 px-6 py-3">
        <div className="flex items-start gap-4">
          <p className="min-w-0 flex-1 text-sm">
            <strong className="font-medium text-bad">{text ? 'This text was not accepted.' : 'A change was not accepted.'}</strong>{' '}
            {reasons.join(' ')} {text && 'Copy it if you want to keep it.'}
          </p>
          <div className="flex shrink-0 gap-1">
            {text && (
              <Button onClick={() => onCopy(text)}>
                <Copy size={16} aria-hidden /> Copy
              </Button>
            )}
            <IconButton label="Dismiss" onClick={onDismiss}>
              <X size={16} aria-hidden />
            </IconButton>
          </div>
        </div>
        {text && (
          // Long texts scroll, so the region must be reachable by keyboard.
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          <pre tabIndex={0} dir="auto" className="max-h-32 overflow-y-auto rounded-control bg-paper px-3 py-2 font-sans text-sm whitespace-pre-wrap break-words">
            {text}
          </pre>
        )}
      </div>
    </section>
  );
}
