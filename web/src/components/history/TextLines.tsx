'use client';

import { ChevronsUpDown } from 'lucide-react';
import { type CSSProperties, type RefObject, memo, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { usePreferences } from '@/data/preferences';
import { cx } from '@/lib/cx';
import { type Block, type Blocks, type Line, type Span, reblocked } from '@/lib/history/lines';
import { personColour } from '@/lib/person';

export interface TextLinesProps {
  lines: readonly Line[];
  /** Names the region for who cannot see it. */
  label: string;
  /** Brings what changed into view, as it changes. */
  follow?: boolean;
  /** Whose text alone stands out. */
  chosen?: string | null;
  /** What a fold shows when it is opened; its index is that of the line. */
  onUnfold?(index: number): void;
  /** The text takes the room of its lines, up to a part of the window, instead of a page's. */
  compact?: boolean;
  empty: string;
}

/** Blocks this near to what is in sight are drawn. */
const MARGIN = '1200px 0px';
/** Characters that fit a line, for guessing the height of what is not drawn. */
const MEASURE = 66;

/** Long texts with coloured or marked spans: only what is in sight is drawn, only what changed is drawn again. */
export function TextLines({ lines, label, follow = false, chosen = null, onUnfold, compact = false, empty }: TextLinesProps) {
  const [state, setState] = useState<{ lines: readonly Line[] } & Blocks>(() => ({ lines, ...reblocked([], lines) }));
  if (state.lines !== lines) setState({ lines, ...reblocked(state.blocks, lines) });
  const scroller = useRef<HTMLDivElement>(null);
  const { face } = usePreferences();
  useFollow(scroller, state, follow);
  const isEmpty = lines.length === 0 || (lines.length === 1 && lines[0]?.spans.length === 0 && !lines[0].folded);
  return (
    // Scrolls by keyboard, so it takes the focus.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div ref={scroller} role="region" aria-label={label} tabIndex={0} dir="auto" data-chosen={chosen !== null || undefined} className={cx(compact ? 'history-compact max-h-[40dvh] px-4 py-3' : 'text-sheet absolute inset-0', `face-${face}`, 'history-text overflow-y-auto whitespace-pre-wrap focus-visible:-outline-offset-2')}>
      {isEmpty ? <p className="text-muted">{empty}</p> : state.blocks.map((block, index) => (
        <BlockView key={block.key} block={block} first={index < 3} scroller={scroller} chosen={chosen} onUnfold={onUnfold} />
      ))}
    </div>
  );
}

/** Scrolls to the first line that changed when it is out of sight. */
function useFollow(scroller: RefObject<HTMLDivElement | null>, { blocks, changedBlock, changedLine }: Blocks, follow: boolean): void {
  useLayoutEffect(() => {
    const box = scroller.current;
    const block = blocks[changedBlock];
    if (!follow || !box || !block) return;
    const element = box.querySelector(`[data-block="${block.key}"]`);
    const target = element?.children[changedLine] ?? element;
    if (!target) return;
    const { top, bottom } = target.getBoundingClientRect();
    const sight = box.getBoundingClientRect();
    if (top < sight.top + 24 || Math.min(bottom, top + 60) > sight.bottom - 24) {
      box.scrollBy({ top: top - sight.top - sight.height / 2 });
    }
  }, [scroller, blocks, changedBlock, changedLine, follow]);
}

interface BlockViewProps {
  block: Block;
  /** At the top of the text: drawn without being asked. */
  first: boolean;
  scroller: RefObject<HTMLDivElement | null>;
  chosen: string | null;
  onUnfold?: ((index: number) => void) | undefined;
}

const BlockView = memo(function BlockView({ block, first, scroller, chosen, onUnfold }: BlockViewProps) {
  const box = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(first);
  const [heightPx, setHeightPx] = useState<number | null>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new IntersectionObserver(
      (entries) => {
        const entry = entries.at(-1);
        if (!entry) return;
        if (!entry.isIntersecting && entry.boundingClientRect.height > 0) setHeightPx(entry.boundingClientRect.height);
        setNear(entry.isIntersecting);
      },
      { root: scroller.current, rootMargin: MARGIN },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller]);
  return (
    <div ref={box} data-block={block.key} style={near ? undefined : { height: heightPx ?? `${guessedLines(block)}lh` }}>
      {near && block.lines.map((line, index) => <LineView key={index} line={line} chosen={chosen} onUnfold={onUnfold} />)}
    </div>
  );
});

const guessedLines = ({ lines }: Block) =>
  lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.spans.reduce((chars, span) => chars + span.text.length, 0) / MEASURE)), 0);

const LineView = memo(function LineView({ line, chosen, onUnfold }: { line: Line; chosen: string | null; onUnfold?: ((index: number) => void) | undefined }) {
  if (line.folded) {
    return (
      <button
        type="button"
        onClick={() => onUnfold?.(line.index ?? 0)}
        className="my-2 flex w-full items-center gap-2 rounded-control bg-sunken px-3 py-1 font-sans text-xs text-muted hover:bg-wash hover:text-ink touch:min-h-11"
      >
        <ChevronsUpDown size={12} aria-hidden /> {line.folded.toLocaleString()} unchanged lines
      </button>
    );
  }
  if (line.spans.length === 0) return <div className="min-h-[1lh]" />;
  return (
    <div>
      {line.spans.map((span, index) => (
        <SpanView key={index} span={span} chosen={chosen} />
      ))}
    </div>
  );
});

function SpanView({ span: { text, author, colour, change }, chosen }: { span: Span; chosen: string | null }) {
  if (change === 'insert') return <ins>{text}</ins>;
  if (change === 'delete') return <del>{text}</del>;
  if (colour === undefined) return text;
  return (
    <span className="authored" style={{ '--author': personColour(colour) } as CSSProperties} data-chosen={(chosen !== null && chosen === author) || undefined}>
      {text}
    </span>
  );
}
