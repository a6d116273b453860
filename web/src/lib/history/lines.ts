// A text as lines of coloured or marked spans, and the lines as blocks that keep their identity from one version to the
// next, so that only what changed is drawn again and only what is in sight is drawn at all.
import { utf16Offset } from '../chars';
import type { DiffKind, DiffPart } from './diff';
import type { Runs } from './runs';

export interface Span {
  readonly text: string;
  /** Who wrote it, where that is known, and their colour, 0 to 11. */
  readonly author?: string | null;
  readonly colour?: number | undefined;
  /** What became of it; absent for what stayed. */
  readonly change?: Exclude<DiffKind, 'keep'>;
}

export interface Line {
  readonly spans: readonly Span[];
  /** This many unchanged lines are folded away here, from the line `index` on; the spans are empty. */
  readonly folded?: number;
  readonly index?: number;
}

/** Cuts spans at line ends. The LF of a changed span stays in it as a sign that can be seen. */
function toLines(spans: Iterable<Span>): Line[] {
  const lines: Line[] = [];
  let open: Span[] = [];
  for (const span of spans) {
    const pieces = span.text.split('\n');
    pieces.forEach((piece, index) => {
      const ends = index < pieces.length - 1;
      const text = ends && span.change ? `${piece}↵` : piece;
      if (text !== '') open.push({ ...span, text });
      if (!ends) return;
      lines.push({ spans: open });
      open = [];
    });
  }
  lines.push({ spans: open });
  return lines;
}

/** The lines of a text, coloured by who wrote what. Runs that do not cover the text leave the rest plain. */
export function attributedLines(text: string, runs: Runs, colourOf: (author: string) => number | undefined): Line[] {
  return toLines(attributedSpans(text, runs, colourOf));
}

/** Neighbouring runs of one author, whenever they were written, are one span. */
function* attributedSpans(text: string, runs: Runs, colourOf: (author: string) => number | undefined): Generator<Span> {
  let from = 0;
  let at = 0;
  for (const [index, { len, author }] of runs.entries()) {
    at += utf16Offset(text.slice(at, at + 2 * len), len);
    if (runs[index + 1]?.author === author) continue;
    if (at > from) yield { text: text.slice(from, at), author, colour: author === null ? undefined : colourOf(author) };
    from = at;
  }
  if (from < text.length) yield { text: text.slice(from), author: null };
}

/** The lines of a difference. */
export function diffLines(parts: readonly DiffPart[]): Line[] {
  return toLines(parts.map(({ kind, text }) => (kind === 'keep' ? { text } : { text, change: kind })));
}

export const isChanged = (line: Line): boolean => line.spans.some((span) => span.change !== undefined);

/** Unchanged lines that stay around a changed one. */
const CONTEXT_LINES = 2;

/** Folds long stretches of unchanged lines; those that begin with a line of `open` stay. */
export function foldedLines(lines: readonly Line[], open: ReadonlySet<number>): Line[] {
  const near = new Uint8Array(lines.length);
  lines.forEach((line, index) => {
    if (isChanged(line)) near.fill(1, Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1);
  });
  const result: Line[] = [];
  for (let index = 0; index < lines.length; ) {
    let end = index;
    while (end < lines.length && !near[end]) end += 1;
    // A fold that hides a line or two costs more than it saves.
    if (end - index > 2 && !open.has(index)) result.push({ spans: [], folded: end - index, index });
    else result.push(...lines.slice(index, end));
    for (; end < lines.length && near[end]; end += 1) result.push(lines[end]!);
    index = end;
  }
  return result;
}

export interface Block {
  /** Stays the same while the block is the same place of the text. */
  readonly key: number;
  readonly lines: readonly Line[];
  /** UTF-16 units in it, its line ends included. */
  readonly length: number;
}

/** Lines and UTF-16 units that a block holds at most; one line is always taken whole. */
const BLOCK_LINES = 32;
const BLOCK_UTF16 = 4_000;

const sameSpan = (a: Span, b: Span) => a.text === b.text && a.author === b.author && a.colour === b.colour && a.change === b.change;
const sameLine = (a: Line, b: Line) =>
  a.folded === b.folded && a.index === b.index && a.spans.length === b.spans.length && a.spans.every((span, index) => sameSpan(span, b.spans[index]!));

const lineLength = (line: Line) => line.spans.reduce((sum, span) => sum + span.text.length, 1);

let lastKey = 0;

function block(lines: readonly Line[], key: number | undefined): Block {
  return { key: key ?? (lastKey += 1), lines, length: lines.reduce((sum, line) => sum + lineLength(line), 0) };
}

function grouped(lines: readonly Line[], keys: number[]): Block[] {
  const blocks: Block[] = [];
  let from = 0;
  let length = 0;
  lines.forEach((line, index) => {
    const more = lineLength(line);
    if (index > from && (index - from >= BLOCK_LINES || length + more > BLOCK_UTF16)) {
      blocks.push(block(lines.slice(from, index), keys.shift()));
      from = index;
      length = 0;
    }
    length += more;
  });
  if (from < lines.length) blocks.push(block(lines.slice(from), keys.shift()));
  return blocks;
}

/** What changed from one version to the next. */
export interface Blocks {
  readonly blocks: readonly Block[];
  /** The first block that is new or another, and the line in it; -1 when nothing changed. */
  readonly changedBlock: number;
  readonly changedLine: number;
}

/** The blocks of `lines`; blocks of the version before that are the same at both ends are taken over as they are. */
export function reblocked(before: readonly Block[], lines: readonly Line[]): Blocks {
  const fits = (one: Block, from: number) =>
    from >= 0 && from + one.lines.length <= lines.length && one.lines.every((line, index) => sameLine(line, lines[from + index]!));
  let head = 0;
  let headLines = 0;
  while (head < before.length && fits(before[head]!, headLines)) headLines += before[head++]!.lines.length;
  let tail = before.length;
  let tailLines = lines.length;
  while (tail > head && tailLines - before[tail - 1]!.lines.length >= headLines && fits(before[tail - 1]!, tailLines - before[tail - 1]!.lines.length)) {
    tailLines -= before[--tail]!.lines.length;
  }
  const replaced = before.slice(head, tail);
  const middle = grouped(lines.slice(headLines, tailLines), replaced.map(({ key }) => key));
  const blocks = [...before.slice(0, head), ...middle, ...before.slice(tail)];
  if (middle.length === 0 && replaced.length === 0) return { blocks, changedBlock: -1, changedLine: -1 };
  const old = replaced[0]?.lines ?? [];
  const fresh = middle[0]?.lines ?? [];
  const line = fresh.findIndex((one, index) => !old[index] || !sameWords(one, old[index]));
  return { blocks, changedBlock: Math.min(head, blocks.length - 1), changedLine: Math.max(0, line) };
}

const words = (line: Line) => line.spans.map((span) => span.text).join('');
const sameWords = (a: Line, b: Line) => words(a) === words(b);
