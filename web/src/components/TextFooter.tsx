import type { TextCount } from '@/lib/count';
import { countWords } from '@/lib/count';
import { cx } from '@/lib/cx';
import type { SaveLine } from '@/lib/save-state';
import { SaveNote } from './SaveState';

export interface TextFooterProps {
  count: TextCount | null;
  /** What the bar says; on a phone, news about my work stand here in full. */
  line?: SaveLine;
  /** Something about this browser that is worth a quiet line. */
  note?: string | null;
  onRetry?(): void;
  onHelp(): void;
}

/** The count, and the way to the keys. */
export function TextFooter({ count, line, note, onRetry, onHelp }: TextFooterProps) {
  const news = line && (line.tone === 'warn' || line.tone === 'bad') ? line : null;
  return (
    <footer className="mt-auto flex h-8 shrink-0 items-center justify-between gap-4 px-4 pb-[env(safe-area-inset-bottom)] text-xs text-muted tabular-nums touch:h-11">
      {news && <SaveNote line={news} onRetry={onRetry} />}
      <p data-testid="count" className={cx('truncate', news && 'max-sm:hidden')}>
        {count ? countWords(count) : '\u00a0'}
      </p>
      {note && <p className="ms-auto truncate text-warn">{note}</p>}
      <button type="button" onClick={onHelp} className="rounded-control px-2 py-1 hover:bg-wash hover:text-ink touch:hidden">
        Keyboard
      </button>
    </footer>
  );
}
