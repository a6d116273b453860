/** What an editor may contain and a document may not: CR, NUL and lone surrogates. */
import type { Patch } from './types.js';

// With the `u` flag, category Cs matches only surrogates that have no partner.
const FOREIGN = /[\r\0]|\p{Cs}/u;

/**
 * The text as a document holds it: CRLF and CR become LF, NUL goes, a lone surrogate becomes U+FFFD.
 *
 * Done here, in the open, because WebAssembly's string conversion would replace surrogates without a word and the
 * editor would show another text than the document has.
 */
export function plain(text: string): string {
  if (!FOREIGN.test(text)) return text;
  return text.replace(/\r\n?/g, '\n').replace(/\0/g, '').replace(/\p{Cs}/gu, '\ufffd');
}

/** One patch that turns `shown` into `wanted`, or none when they are equal. */
export function difference(shown: string, wanted: string): Patch | null {
  if (shown === wanted) return null;
  const shorter = Math.min(shown.length, wanted.length);
  let head = 0;
  while (head < shorter && shown.charCodeAt(head) === wanted.charCodeAt(head)) head++;
  let tail = 0;
  while (tail < shorter - head && shown.charCodeAt(shown.length - 1 - tail) === wanted.charCodeAt(wanted.length - 1 - tail)) {
    tail++;
  }
  return { at: head, deleted: shown.length - head - tail, inserted: wanted.slice(head, wanted.length - tail) };
}

/** `text` with `patch` applied. */
export function splice(text: string, patch: Patch): string {
  return text.slice(0, patch.at) + patch.inserted + text.slice(patch.at + patch.deleted);
}
