'use client';

import { Eye } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { cx } from '@/lib/cx';
import type { SaveLine, SaveTone } from '@/lib/save-state';

/** How long Saved must hold before the line says so again: no flicker between two keystrokes, and never too early. */
const CALM_AFTER_MS = 500;

/** Follows the line, but returns to calm only after it has been calm for a moment. */
export function useSettled(line: SaveLine): SaveLine {
  const [busy, setBusy] = useState<SaveLine | null>(null);
  const isCalm = line.tone === 'calm';
  useEffect(() => {
    if (!isCalm) return;
    const timer = setTimeout(() => setBusy(null), CALM_AFTER_MS);
    return () => clearTimeout(timer);
  }, [isCalm]);
  if (line.tone === 'busy' && busy?.text !== line.text) setBusy(line);
  if (line.tone !== 'busy' && line.tone !== 'calm' && busy) setBusy(null);
  return isCalm && busy ? busy : line;
}

const DOT: Record<SaveTone, string> = {
  calm: 'bg-ok',
  busy: 'border-2 border-muted animate-breathe',
  warn: 'border-2 border-warn',
  bad: 'bg-bad',
};
const WORDS: Record<SaveTone, string> = { calm: 'text-muted', busy: 'text-muted', warn: 'text-warn', bad: 'text-bad' };

interface SaveStateProps {
  line: SaveLine;
  onRetry?: () => void;
}

/** The one quiet line about my work. The moving words are for the eye; what is spoken changes only with the news. */
export function SaveState({ line, onRetry }: SaveStateProps) {
  const shown = useSettled(line);
  const look = shown.isBadge ? 'rounded-full bg-wash px-2 py-1 font-medium text-ink' : WORDS[shown.tone];
  return (
    <div className={cx('flex min-w-0 items-center gap-2 text-xs tabular-nums', look)}>
      {shown.isBadge ? <Eye size={14} aria-hidden className="shrink-0 text-muted max-sm:hidden" /> : <span aria-hidden className={cx('size-2 shrink-0 rounded-full', DOT[shown.tone])} />}
      <span aria-hidden data-testid="save-state" className="truncate max-sm:hidden" title={shown.text}>
        {shown.text}
      </span>
      <span aria-hidden data-testid="save-state-short" className="truncate sm:hidden">
        {shown.short}
      </span>
      {shown.canRetry && onRetry && <TryNow onRetry={onRetry} className="max-sm:hidden" />}
      <Spoken words={shown.spoken} />
    </div>
  );
}

/** The whole line again at the foot of a phone's page, where the bar has room for a word only. */
export function SaveNote({ line, onRetry }: SaveStateProps) {
  return (
    <p className={cx('flex min-w-0 flex-1 items-center gap-2 sm:hidden', WORDS[line.tone])}>
      <span data-testid="save-note" className="truncate">{line.text}</span>
      {line.canRetry && onRetry && <TryNow onRetry={onRetry} />}
    </p>
  );
}

function TryNow({ onRetry, className }: { onRetry(): void; className?: string }) {
  return (
    <span className={cx('flex shrink-0 items-center gap-2', className)}>
      <span aria-hidden>·</span>
      <button type="button" onClick={onRetry} className="shrink-0 rounded-control py-1 font-medium underline underline-offset-2 touch:min-h-11 touch:px-2">
        try now
      </button>
    </span>
  );
}

/** Says nothing on arrival: only what changes after that is news. */
function Spoken({ words }: { words: string }) {
  const first = useRef(words);
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (words === first.current || words === '') return;
    first.current = words;
    setSaid(words);
  }, [words]);
  return (
    <span role="status" aria-live="polite" className="sr-only">
      {said}
    </span>
  );
}
