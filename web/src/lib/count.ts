// Words and characters of a text, counted in slices so that a long document never holds up a keystroke.
import { charCount, isHigh } from './chars';

export interface TextCount {
  words: number;
  /** Unicode scalar values, the unit the server counts as well. */
  characters: number;
}

/** UTF-16 units looked at in one go: about a millisecond. */
export const SLICE_UTF16 = 32_768;

// A run of letters, marks and digits, joined by apostrophes and hyphens; or one character of a script that writes
// words without spaces between them.
const WORD =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]|(?:(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}])[\p{L}\p{M}\p{N}])+(?:['’.\-_‑](?![\p{sc=Han}])[\p{L}\p{M}\p{N}]+)*/gu;

const countSlice = (slice: string): TextCount => ({ words: slice.match(WORD)?.length ?? 0, characters: charCount(slice) });

/** The end of the slice that begins at `from`: after white space where there is some, never inside a pair. */
function sliceEnd(text: string, from: number): number {
  const limit = from + SLICE_UTF16;
  if (limit >= text.length) return text.length;
  for (let end = limit; end > limit - 256; end -= 1) {
    if (/\s/u.test(text.charAt(end - 1))) return end;
  }
  return isHigh(text.charCodeAt(limit - 1)) ? limit - 1 : limit;
}

/** Yields the running count after every slice; the last value is the whole. */
export function* countInSlices(text: string): Generator<TextCount> {
  const total: TextCount = { words: 0, characters: 0 };
  for (let from = 0; from < text.length; ) {
    const end = sliceEnd(text, from);
    const part = countSlice(text.slice(from, end));
    total.words += part.words;
    total.characters += part.characters;
    from = end;
    yield { ...total };
  }
}

/** The whole count at once. */
export function count(text: string): TextCount {
  let last: TextCount = { words: 0, characters: 0 };
  for (const running of countInSlices(text)) last = running;
  return last;
}

/** "1 edit", "1,204 edits" */
export const counted = (n: number, one: string, many: string, locale?: string): string =>
  `${n.toLocaleString(locale)} ${n === 1 ? one : many}`;

/** "1,204 words · 6,912 characters" */
export function countWords({ words, characters }: TextCount, locale?: string): string {
  return `${counted(words, 'word', 'words', locale)} · ${counted(characters, 'character', 'characters', locale)}`;
}
