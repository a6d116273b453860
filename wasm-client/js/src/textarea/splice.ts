/**
 * Finding out what a person did to a text, as one replacement. Offsets count UTF-16 code units.
 *
 * Two ways: from the caret, which looks at a few characters only, and from both ends, which reads the whole text.
 * Neither ever splits a surrogate pair.
 */
import type { Patch } from '../types.js';

/** How many characters beside a change are compared before it is believed. */
const WINDOW = 64;

const isHigh = (unit: number): boolean => (unit & 0xfc00) === 0xd800;
const isLow = (unit: number): boolean => (unit & 0xfc00) === 0xdc00;
const splitsPair = (text: string, offset: number): boolean =>
  isHigh(text.charCodeAt(offset - 1)) && isLow(text.charCodeAt(offset));

/** Moves both ends of a replacement out of any surrogate pair they cut, in the old text or in the new one. */
function widen(before: string, after: string, start: number, endBefore: number, endAfter: number): Patch {
  if (splitsPair(before, start) || splitsPair(after, start)) start -= 1;
  if (splitsPair(before, endBefore) || splitsPair(after, endAfter)) {
    endBefore += 1;
    endAfter += 1;
  }
  return { at: start, deleted: endBefore - start, inserted: after.slice(start, endAfter) };
}

/**
 * The replacement that typing, pasting or deleting at a caret makes: it starts at the earlier of the two carets and
 * what follows the caret afterwards is what followed the change before. `start` is where the selection began in
 * `before`, `caret` where it stands in `after`.
 *
 * `null` when the lengths or the characters next to the change contradict that: then something else happened.
 */
export function spliceAtCaret(before: string, start: number, after: string, caret: number): Patch | null {
  const at = Math.min(start, caret);
  const end = before.length - (after.length - caret);
  if (end < at) return null;
  const same =
    before.slice(Math.max(0, at - WINDOW), at) === after.slice(Math.max(0, at - WINDOW), at) &&
    before.slice(end, end + WINDOW) === after.slice(caret, caret + WINDOW);
  return same ? widen(before, after, at, end, caret) : null;
}

/**
 * The smallest single replacement from one text to another. Where several places would do (an `a` typed inside
 * `aaa`), the one that ends at `caret` in `after` is taken.
 */
export function spliceByEnds(before: string, after: string, caret: number): Patch {
  const shorter = Math.min(before.length, after.length);
  const suffixMax = Math.min(shorter, after.length - Math.min(caret, after.length));
  const alike = (fromEnd: number): boolean =>
    before.charCodeAt(before.length - 1 - fromEnd) === after.charCodeAt(after.length - 1 - fromEnd);
  let suffix = 0;
  while (suffix < suffixMax && alike(suffix)) suffix += 1;
  let prefix = 0;
  while (prefix < shorter - suffix && before.charCodeAt(prefix) === after.charCodeAt(prefix)) prefix += 1;
  // The caret may stand behind the change: where a script has left it, say.
  while (suffix < shorter - prefix && alike(suffix)) suffix += 1;
  return widen(before, after, prefix, before.length - suffix, after.length - suffix);
}

/** As `spliceByEnds`; `null` when the texts are equal. */
export function difference(before: string, after: string, caret = after.length): Patch | null {
  const patch = spliceByEnds(before, after, caret);
  return isEmpty(patch) ? null : patch;
}

/** The text after one replacement. */
export function applyPatch(text: string, { at, deleted, inserted }: Patch): string {
  return text.slice(0, at) + inserted + text.slice(at + deleted);
}

/** True for a replacement that changes nothing. */
export function isEmpty(patch: Patch): boolean {
  return patch.deleted === 0 && patch.inserted === '';
}

/** The one replacement in `text` that does what a sequence of them does, so that an editor is written to only once. */
export function together(patches: readonly Patch[], text: string): Patch {
  let start = Infinity;
  let tail = Infinity;
  let { length } = text;
  for (const { at, deleted, inserted } of patches) {
    start = Math.min(start, at);
    tail = Math.min(tail, length - at - deleted);
    length += inserted.length - deleted;
  }
  const before = text.slice(start, text.length - tail);
  const apply = (part: string, patch: Patch): string => applyPatch(part, { ...patch, at: patch.at - start });
  return { at: start, deleted: before.length, inserted: patches.reduce(apply, before) };
}
