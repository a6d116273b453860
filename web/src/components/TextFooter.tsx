import type { TextCount } from '@/lib/count';
import { countWords } from '@/lib/count';

export interface TextFooterProps {
  count: TextCount | null;
  /** Something about this browser that is worth a quiet line. */
  note?: string | null;
  onHelp(): void;
}

/** The count, and the way to the keys. */
export function TextFooter({ count, note, onHelp }: TextFooterProps) {
  return (
    <footer className="mt-auto flex h-8 shrink-0 items-center justify-between gap-4 px-4 pb-[env(safe-area-inset-bottom)] text-xs text-muted tabular-nums">
      <p data-testid="count" className="truncate">{count ? countWords(count) : '\u00a0'}</p>
      {note && <p className="ms-auto truncate text-warn">{note}</p>}
      <button type="button" onClick={onHelp} className="rounded-control px-2 py-1 hover:bg-wash hover:text-ink touch:hidden">
        Keyboard
      </button>
    </footer>
  );
}
