/**
 * A hidden copy of a textarea's text that can be measured: browsers tell no positions inside a textarea.
 *
 * The text is cut at line ends into pieces of a few thousand characters, each a block of its own, so a keystroke lays
 * out one piece and not the document. Offsets count UTF-16 code units; lengths are CSS pixels from the top left corner
 * of the text (the content box at scroll position 0).
 */
import type { Patch } from '../types.js';

/** A piece is closed at the first line end after this many characters … */
const PIECE_CHARS = 2_000;
/** … and cut again when edits have made it this long, if it has line ends to cut at. */
const PIECE_CHARS_MAX = 6_000;

/** Everything that decides where a glyph stands. */
const COPIED = (
  'direction unicode-bidi writing-mode font-family font-size font-weight font-style font-stretch ' +
  'font-variant font-feature-settings font-variation-settings font-kerning font-size-adjust ' +
  'font-optical-sizing font-synthesis letter-spacing word-spacing line-height text-align text-align-last ' +
  'text-indent text-transform text-rendering text-size-adjust tab-size white-space overflow-wrap word-break ' +
  'line-break hyphens text-spacing-trim text-autospace -webkit-font-smoothing'
).split(' ');

export interface Rect {
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Piece {
  block: HTMLElement;
  text: Text;
  /** As `text.length`, which would be asked of all pieces for each key. */
  length: number;
  /** Makes a last empty line as high as the textarea makes it. */
  end: HTMLElement;
}

export class Mirror {
  readonly element: HTMLElement;
  readonly #page: Document;
  readonly #range: Range;
  #pieces: Piece[];
  /** How many pieces, from the first, are in the page and so have a place. */
  #laid = 0;
  #style = '';

  /** Takes a text; `grow` then lays it out. */
  constructor(page: Document, text: string) {
    this.#page = page;
    this.#range = page.createRange();
    this.element = page.createElement('div');
    this.element.className = 'mirror';
    this.#pieces = this.#cut(text);
  }

  // ---- text ----

  /**
   * Lays out pieces for about `budgetMs`, at least one. True when all are: only then do offsets have places. The first
   * layout of a long text takes as long as the textarea's own, which would be felt while typing.
   */
  grow(budgetMs: number): boolean {
    const end = performance.now() + budgetMs;
    while (this.#laid < this.#pieces.length) {
      const count = budgetMs === Infinity ? this.#pieces.length : 2;
      const next = this.#pieces.slice(this.#laid, this.#laid + count);
      this.element.append(...next.map((piece) => piece.block));
      this.#laid += next.length;
      // Reading a height makes the browser lay out now.
      if (budgetMs !== Infinity && this.element.offsetHeight >= 0 && performance.now() > end) break;
    }
    return this.#laid === this.#pieces.length;
  }

  apply({ at, deleted, inserted }: Patch): void {
    const first = this.#find(at);
    const last = deleted === 0 ? first : this.#find(at + deleted);
    const head = this.#pieces[first.index];
    const tail = this.#pieces[last.index];
    if (!head || !tail) return;
    const length = head.length - deleted + inserted.length;
    if (head === tail && length <= PIECE_CHARS_MAX) {
      head.text.replaceData(first.inside, deleted, inserted);
      head.length = length;
      return;
    }
    const pieces = this.#cut(head.text.data.slice(0, first.inside) + inserted + tail.text.data.slice(last.inside));
    const old = this.#pieces.splice(first.index, last.index - first.index + 1, ...pieces);
    if (first.index >= this.#laid) return;
    head.block.before(...pieces.map((piece) => piece.block));
    for (const piece of old) piece.block.remove();
    this.#laid += pieces.length - Math.min(old.length, this.#laid - first.index);
  }

  #cut(text: string): Piece[] {
    const pieces: Piece[] = [];
    let start = 0;
    for (;;) {
      const end = text.indexOf('\n', start + PIECE_CHARS);
      pieces.push(this.#piece(text.slice(start, end < 0 ? text.length : end)));
      if (end < 0) return pieces;
      start = end + 1;
    }
  }

  #piece(content: string): Piece {
    const block = this.#page.createElement('div');
    const text = this.#page.createTextNode(content);
    const end = this.#page.createElement('br');
    block.append(text, end);
    return { block, text, length: content.length, end };
  }

  /** The piece that holds an offset; at a border the earlier one. */
  #find(offset: number): { index: number; inside: number; start: number } {
    let start = 0;
    for (let index = 0; ; index += 1) {
      const length = this.#pieces[index]?.length ?? 0;
      if (offset <= start + length || index >= this.#pieces.length - 1) {
        return { index, inside: Math.min(offset - start, length), start };
      }
      start += length + 1;
    }
  }

  // ---- style ----

  /** Makes the copy break lines as the textarea does. `width` is that of its content box. */
  dress(style: CSSStyleDeclaration, width: number): void {
    const wanted = COPIED.map((name) => style.getPropertyValue(name));
    const signature = `${width} ${wanted.join('|')}`;
    if (signature === this.#style) return;
    this.#style = signature;
    COPIED.forEach((name, index) => this.element.style.setProperty(name, wanted[index] ?? ''));
    this.element.style.width = `${width}px`;
  }

  // ---- geometry ----

  /** The caret before the character at `offset`, where a soft line break puts it on the later line. */
  caret(offset: number): Rect {
    const { index, inside } = this.#find(offset);
    const piece = this.#pieces[index];
    if (!piece) return { left: 0, top: 0, width: 0, height: 0 };
    return { ...own(this.#caretIn(piece, inside), this.#origin()), width: 0 };
  }

  #caretIn({ text, end }: Piece, offset: number): DOMRect {
    const places = this.#rects(text, offset, offset);
    const next = offset < text.length ? this.#rects(text, offset, offset + 1)[0] : undefined;
    const first = places[0];
    if (!first) return next ?? end.getBoundingClientRect();
    const later = places.find((place) => place.top > first.top + 1);
    if (later) return later;
    if (places.length === 1) return first;
    // Left-to-right text meets right-to-left: the caret has two places; it stays beside the paragraph's own direction.
    const previous = offset > 0 ? this.#rects(text, offset - 1, offset)[0] : undefined;
    const rightToLeft = this.element.style.direction === 'rtl';
    const beside = rightToLeft ? [previous?.left, next?.right] : [previous?.right, next?.left];
    return places.find((place) => beside.some((edge) => edge !== undefined && Math.abs(edge - place.left) < 0.5)) ?? first;
  }

  /**
   * The boxes of the characters from `start` to `end`, as far as they lie between the heights `top` and `bottom`. A
   * selected line end has a box without width.
   */
  boxes(start: number, end: number, top: number, bottom: number): Rect[] {
    const origin = this.#origin();
    const found: Rect[] = [];
    const first = this.#find(start);
    let at = first.start;
    for (let index = first.index; index < this.#pieces.length && at < end; index += 1) {
      const piece = this.#pieces[index];
      if (!piece) break;
      const { length } = piece;
      if (this.#between(piece, top, bottom)) {
        const rects = this.#rects(piece.text, Math.max(0, start - at), Math.min(length, end - at));
        // The line end between two pieces is selected as well, and is an empty line's only box.
        if (end > at + length && (length === 0 || piece.text.data.endsWith('\n'))) {
          rects.push(piece.end.getBoundingClientRect());
        }
        for (const rect of rects) {
          const box = own(rect, origin);
          if (box.top < bottom && box.top + box.height > top) found.push(box);
        }
      }
      at += length + 1;
    }
    return found;
  }

  /** The first character of the line that covers the height `y`. */
  offsetAt(y: number): number {
    // Line boxes are higher than glyphs: half the difference belongs to each side.
    const lead = (parseFloat(this.element.style.lineHeight) || 0) / 2;
    let low = 0;
    let high = this.#pieces.reduce((sum, { length }) => sum + length + 1, -1);
    while (low < high) {
      const middle = (low + high) >> 1;
      const { top, height } = this.caret(middle);
      if (top + height / 2 + Math.max(lead, height / 2) > y) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #between({ block }: Piece, top: number, bottom: number): boolean {
    const start = block.offsetTop;
    return start <= bottom && start + block.offsetHeight >= top;
  }

  #rects(text: Text, start: number, end: number): DOMRect[] {
    this.#range.setStart(text, start);
    this.#range.setEnd(text, end);
    return [...this.#range.getClientRects()];
  }

  /** Where the copy stands on the screen, and how many screen pixels one of its own is under transforms and zoom. */
  #origin(): Origin {
    const { left, top, width } = this.element.getBoundingClientRect();
    const own = parseFloat(this.element.style.width);
    return { left, top, scale: (own > 0 && width / own) || 1 };
  }
}

interface Origin {
  left: number;
  top: number;
  scale: number;
}

/** A rectangle of the screen in the copy's own pixels. */
function own({ left, top, width, height }: DOMRect, origin: Origin): Rect {
  const { scale } = origin;
  return { left: (left - origin.left) / scale, top: (top - origin.top) / scale, width: width / scale, height: height / scale };
}
