'use client';

import { ArrowDown, ArrowUp, TriangleAlert } from 'lucide-react';
import { useMemo } from 'react';
import type { DiffView } from '@/data/history';
import { countDiff } from '@/lib/history/diff';
import type { Line } from '@/lib/history/lines';
import { diffWords, troubleWords } from '@/lib/history/words';
import { Button, IconButton } from '../Button';
import { TextLines } from './TextLines';
import { useFolds } from './folds';

export interface HistoryBodyProps {
  /** `comparing`: the text is there, its difference from now is on its way. */
  state: 'loading' | 'comparing' | 'ready';
  /** The wait has become long enough to show something. */
  overdue: boolean;
  lines: readonly Line[];
  label: string;
  /** The difference that the lines show; null when they show a text. */
  diff: Pick<DiffView, 'parts' | 'waiting'> | null;
  /** Why the moment cannot be shown; what was there before stays. */
  trouble?: string | null | undefined;
  follow: boolean;
  chosen: string | null;
  onRetry(): void;
  /** A page's main part, unless there are several on it. */
  element?: 'main' | 'div';
}

/** A text of the past, or its difference from now. */
export function HistoryBody({ state, overdue, lines, label, diff, trouble, follow, chosen, onRetry, element: Element = 'main' }: HistoryBodyProps) {
  return (
    <Element className="relative flex min-w-0 flex-1 flex-col" aria-busy={state !== 'ready'}>
      {trouble && (
        <div role="alert" className="flex shrink-0 flex-wrap items-center justify-center gap-3 border-b border-line bg-warn-tint px-4 py-2 text-sm">
          <TriangleAlert size={16} aria-hidden className="shrink-0 text-warn" />
          <p className="min-w-48 max-w-xl flex-1">{troubleWords(trouble)}</p>
          <Button look="outline" onClick={onRetry}>Try again</Button>
        </div>
      )}
      {diff ? <Compared lines={lines} label={label} diff={diff} loading={state !== 'ready' && !trouble} /> : (
        <div className="relative min-h-0 flex-1">
          {state === 'loading' ? overdue && !trouble && <Skeleton /> : <TextLines lines={lines} label={label} follow={follow} chosen={chosen} empty="Nothing was written yet." />}
        </div>
      )}
    </Element>
  );
}

function Compared({ lines, label, diff: { parts, waiting }, loading }: { lines: readonly Line[]; label: string; diff: Pick<DiffView, 'parts' | 'waiting'>; loading: boolean }) {
  const { folded, unfold } = useFolds(lines);
  const count = useMemo(() => (parts ? countDiff(parts) : null), [parts]);
  return (
    <>
      <div className="flex h-10 shrink-0 items-center gap-2 border-b border-line px-4 text-sm text-muted tabular-nums touch:h-12">
        <p role="status" className="min-w-0 flex-1 sm:truncate max-sm:text-xs max-sm:leading-tight" data-testid="diff-words">
          {count ? (count.places === 0 ? 'The same as now' : diffWords(count)) : ' '}
          {waiting && count && '…'}
        </p>
        {count !== null && count.places > 0 && (
          <>
            <IconButton label="Previous change" onClick={() => goToChange(-1)}><ArrowUp size={16} aria-hidden /></IconButton>
            <IconButton label="Next change" onClick={() => goToChange(1)}><ArrowDown size={16} aria-hidden /></IconButton>
          </>
        )}
      </div>
      <div className="relative min-h-0 flex-1">
        {loading ? <Skeleton /> : <TextLines lines={folded} label={label} empty="Nothing was written yet." onUnfold={unfold} />}
      </div>
    </>
  );
}

/** Scrolls to the next place that differs, among those that are drawn; blocks in between are drawn as they come near. */
function goToChange(direction: 1 | -1): void {
  const box = document.querySelector('.history-text');
  if (!box) return;
  const sight = box.getBoundingClientRect();
  const middle = sight.top + sight.height / 3;
  const tops = [...box.querySelectorAll('ins, del')].map((element) => element.getBoundingClientRect().top - middle);
  const ahead = tops.filter((top) => top * direction > 8);
  const by = ahead.length > 0 ? (direction > 0 ? Math.min(...ahead) : Math.max(...ahead)) : direction * sight.height;
  box.scrollBy({ top: by });
}

const LINE_WIDTHS = ['w-full', 'w-11/12', 'w-full', 'w-4/5', 'w-0', 'w-full', 'w-2/3'];

function Skeleton() {
  return (
    <div role="status" aria-label="Opening the history" className="text-sheet pointer-events-none absolute inset-0 animate-fade overflow-hidden">
      {LINE_WIDTHS.map((width, index) => (
        <div key={`${width}${String(index)}`} className="flex h-[1.65em] items-center">
          <div className={`h-[0.7em] animate-breathe rounded-control bg-wash ${width}`} />
        </div>
      ))}
    </div>
  );
}
