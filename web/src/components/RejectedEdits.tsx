'use client';

import type { RejectedEdit } from '@/data/live';
import { refusalFor } from '@/lib/problem';
import { KeptText } from './KeptText';

export interface RejectedEditsProps {
  edits: readonly RejectedEdit[];
  onCopy(text: string): void;
  onDismiss(): void;
}

/** What the server would not take. */
export function RejectedEdits({ edits, onCopy, onDismiss }: RejectedEditsProps) {
  if (edits.length === 0) return null;
  const text = edits.map((edit) => edit.text).filter(Boolean).join('\n');
  // Kept by this page when its text and the server's came apart: nobody refused it.
  if (edits.every((edit) => edit.code === 'diverged')) {
    return (
      <KeptText
        label="The text as you had it"
        tone="warn"
        title="This is the text as you had it."
        detail="Copy it if something of yours is missing below."
        text={text}
        onCopy={onCopy}
        onDismiss={onDismiss}
      />
    );
  }
  const reasons = [...new Set(edits.map((edit) => refusalFor(edit.code)))].join(' ');
  return (
    <KeptText
      label="Text that was not accepted"
      tone="bad"
      title={text ? 'This text was not accepted.' : 'A change was not accepted.'}
      detail={text ? `${reasons} Copy it if you want to keep it.` : reasons}
      text={text}
      onCopy={onCopy}
      onDismiss={onDismiss}
    />
  );
}
