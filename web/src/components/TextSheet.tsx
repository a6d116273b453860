'use client';

import type { Ref } from 'react';
import { usePreferences } from '@/data/preferences';
import { cx } from '@/lib/cx';

export interface TextSheetProps {
  textRef: Ref<HTMLTextAreaElement>;
  title: string;
  /** `frozen`: still readable, no longer connected. `absent`: a message stands in its place. */
  state: 'loading' | 'ready' | 'frozen' | 'absent';
  readOnly: boolean;
  /** The wait has become long enough to show something. */
  overdue: boolean;
}

/** The page has one text; whoever needs to focus it finds it by this. */
export const TEXT_ID = 'text';

const LINE_WIDTHS = ['w-full', 'w-11/12', 'w-full', 'w-4/5', 'w-0', 'w-full', 'w-2/3'];

/** The text itself: as wide as the window, its lines 68 characters. The binding fills and follows it. */
export function TextSheet({ textRef, title, state, readOnly, overdue }: TextSheetProps) {
  const loading = state === 'loading';
  // Named in the class too, so that whoever draws over the text measures again when the typeface changes.
  const { face } = usePreferences();
  return (
    <main className={cx('relative min-h-0', state === 'absent' ? 'hidden' : 'flex-1')}>
      <textarea
        id={TEXT_ID}
        ref={textRef}
        aria-label={`Text of ${title || 'Untitled'}`}
        aria-busy={loading}
        dir="auto"
        placeholder={loading ? '' : readOnly ? 'Nothing is written here yet.' : 'Write…'}
        spellCheck
        autoCapitalize="sentences"
        autoComplete="off"
        // The binding makes it read only while there is nothing to write into.
        className={cx(
          `face-${face}`,
          'text-sheet absolute inset-0 size-full resize-none overflow-y-auto bg-transparent text-ink placeholder:text-muted focus-visible:outline-none',
          loading && 'opacity-0',
          state === 'frozen' && 'opacity-70',
        )}
      />
      {loading && overdue && (
        <div role="status" aria-label="Opening the document" className="text-sheet pointer-events-none absolute inset-0 animate-fade overflow-hidden">
          {LINE_WIDTHS.map((width, index) => (
            <div key={`${width}${String(index)}`} className="flex h-[1.65em] items-center">
              <div className={cx('h-[0.7em] animate-breathe rounded-control bg-wash', width)} />
            </div>
          ))}
        </div>
      )}
    </main>
  );
}
