import { ChevronLeft, GitCompareArrows, RotateCcw } from 'lucide-react';
import { cx } from '@/lib/cx';
import type { HistoryMode } from '@/lib/history/place';
import { Button, IconButton } from '../Button';

export interface HistoryBarProps {
  title: string;
  mode: HistoryMode;
  /** There is a history to look at. */
  ready: boolean;
  /** I may restore what I see here. */
  canEdit: boolean;
  /** What I see is now: there is nothing to restore. */
  isNow: boolean;
  onBack(): void;
  onMode(mode: HistoryMode): void;
  onRestore(): void;
}

/** The one slim bar above a text of the past. */
export function HistoryBar({ title, mode, ready, canEdit, isNow, onBack, onMode, onRestore }: HistoryBarProps) {
  const comparing = mode === 'changes';
  return (
    <header className="flex h-12 shrink-0 items-center gap-1 border-b border-line ps-2 pe-2 sm:gap-2 touch:h-14">
      <IconButton label="Back to the document" shortcut="Esc" onClick={onBack}>
        <ChevronLeft size={16} aria-hidden className="rtl:-scale-x-100" />
      </IconButton>
      <h1 className="flex min-w-0 flex-1 items-baseline gap-2">
        <span className="min-w-0 truncate font-medium" dir="auto">{title || 'Untitled'}</span>
        <span className="shrink-0 text-muted">History</span>
      </h1>
      {ready && (
        <>
          <Button aria-pressed={comparing} aria-label="Compare with now" onClick={() => onMode(comparing ? 'authors' : 'changes')} className={cx(comparing && 'bg-wash')}>
            <GitCompareArrows size={16} aria-hidden /> <span className="max-sm:hidden">Compare with now</span>
          </Button>
          {canEdit && (
            <Button look="outline" aria-label="Restore this version" disabled={isNow} onClick={onRestore} className="h-8 max-sm:px-3">
              <RotateCcw size={16} aria-hidden /> <span className="sm:hidden">Restore</span> <span className="max-sm:hidden">Restore this version</span>
            </Button>
          )}
        </>
      )}
    </header>
  );
}
