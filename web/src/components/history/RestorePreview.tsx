'use client';

import { useMemo } from 'react';
import { countDiff, type DiffPart, reversed } from '@/lib/history/diff';
import { diffLines } from '@/lib/history/lines';
import { restoreWords } from '@/lib/history/words';
import { Button } from '../Button';
import { Sheet } from '../Sheet';
import { TextLines } from './TextLines';
import { useFolds } from './folds';

export interface RestorePreviewProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  /** "Revision 12 of 5,000, Ada, 3 May 14:02". */
  place: string;
  /** What has changed from that revision until now; null while it is on its way. */
  parts: readonly DiffPart[] | null;
  /** Why that cannot be said, in words. */
  trouble?: string | null;
  restoring: boolean;
  onRestore(): void;
  onRetry(): void;
}

/** What restoring would do to the text, before it is done. */
export function RestorePreview({ open, onOpenChange, ...body }: RestorePreviewProps) {
  return (
    <Sheet open={open} onOpenChange={onOpenChange} title="Restore this version" description={body.place} wide>
      <RestoreBody {...body} onCancel={() => onOpenChange(false)} />
    </Sheet>
  );
}

export function RestoreBody({ parts, trouble, restoring, onRestore, onRetry, onCancel }: Omit<RestorePreviewProps, 'open' | 'onOpenChange' | 'place'> & { onCancel(): void }) {
  const back = useMemo(() => parts && reversed(parts), [parts]);
  const count = useMemo(() => back && countDiff(back), [back]);
  const same = count?.places === 0;
  return (
    <>
      {trouble ? (
        <div role="alert" className="mb-4 text-sm text-muted">{trouble}</div>
      ) : !back || !count ? (
        <div role="status" aria-label="Working out the difference" className="mb-4 flex h-24 flex-col justify-center gap-3">
          {['w-full', 'w-4/5', 'w-2/3'].map((width) => (
            <div key={width} className={`h-3 animate-breathe rounded-control bg-wash ${width}`} />
          ))}
        </div>
      ) : (
        <>
          <p className="mb-3 text-sm">{same ? 'The text is the same now as it was then. There is nothing to restore.' : `${restoreWords(count)}.`}</p>
          {!same && (
            <div className="mb-4 overflow-hidden rounded-panel border border-line">
              <Difference parts={back} label="What restoring changes" />
            </div>
          )}
        </>
      )}
      {!same && !trouble && (
        <p className="mb-4 text-sm text-pretty text-muted">
          Nobody loses anything: restoring becomes one more change, made by you. What is there now stays in the history and can be restored as well.
        </p>
      )}
      <div className="flex flex-wrap justify-end gap-2">
        <Button look="outline" onClick={onCancel}>{same ? 'Close' : 'Cancel'}</Button>
        {trouble && <Button look="primary" onClick={onRetry}>Try again</Button>}
        {!trouble && !same && (
          <Button look="primary" disabled={!back || restoring} onClick={onRestore}>
            {restoring ? 'Restoring…' : 'Restore'}
          </Button>
        )}
      </div>
    </>
  );
}

/** A difference with its unchanged stretches folded. */
export function Difference({ parts, label }: { parts: readonly DiffPart[]; label: string }) {
  const lines = useMemo(() => diffLines(parts), [parts]);
  const { folded, unfold } = useFolds(lines);
  return <TextLines lines={folded} label={label} compact empty="" onUnfold={unfold} />;
}
