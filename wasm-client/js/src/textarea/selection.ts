/** Reading, writing and carrying the selection of a textarea. Offsets count UTF-16 code units. */
import type { Patch, Selection16 } from '../types.js';

/** Which side of text inserted exactly at an offset the offset stays on. */
export type Side = 'before' | 'after';

export function readSelection(element: HTMLTextAreaElement): Selection16 {
  const { selectionStart: start, selectionEnd: end } = element;
  return element.selectionDirection === 'backward' ? { anchor: end, head: start } : { anchor: start, head: end };
}

/** Sets the selection unless it is already so: writing it can scroll and, in older WebKit, take the focus. */
export function writeSelection(element: HTMLTextAreaElement, selection: Selection16): void {
  if (sameSelection(readSelection(element), selection)) return;
  const { anchor, head } = selection;
  const backward = head < anchor;
  element.setSelectionRange(backward ? head : anchor, backward ? anchor : head, backward ? 'backward' : 'forward');
}

export function sameSelection(a: Selection16 | null, b: Selection16 | null): boolean {
  return a === b || (a !== null && b !== null && a.anchor === b.anchor && a.head === b.head);
}

/** Where `offset` is after the replacements; inside deleted text it moves to where that text was. */
export function mapOffset(offset: number, patches: readonly Patch[], side: Side): number {
  for (const { at, deleted, inserted } of patches) {
    if (offset < at || (offset === at && side === 'before')) continue;
    if (offset >= at + deleted) offset += inserted.length - deleted;
    else offset = side === 'before' ? at : at + inserted.length;
  }
  return offset;
}

/** A caret stays before text that somebody inserts at it, a selection does not grow at either end. */
export function mapSelection({ anchor, head }: Selection16, patches: readonly Patch[]): Selection16 {
  if (anchor === head) {
    const caret = mapOffset(head, patches, 'before');
    return { anchor: caret, head: caret };
  }
  const start = mapOffset(Math.min(anchor, head), patches, 'after');
  const end = Math.max(start, mapOffset(Math.max(anchor, head), patches, 'before'));
  return anchor < head ? { anchor: start, head: end } : { anchor: end, head: start };
}

/** The caret at the end of the last replacement. */
export function caretAfter(patches: readonly Patch[]): Selection16 | null {
  const last = patches.at(-1);
  if (!last) return null;
  const offset = last.at + last.inserted.length;
  return { anchor: offset, head: offset };
}
