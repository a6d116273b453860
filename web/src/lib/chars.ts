// Characters of a text, which are Unicode scalar values as everywhere beyond the browser, and its UTF-16 units.

const SURROGATE = /[\ud800-\udfff]/;
/** The first half of a pair, which is one character. */
export const isHigh = (unit: number) => unit >= 0xd800 && unit <= 0xdbff;

/** The number of Unicode scalar values of a text. */
export function charCount(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let chars = text.length;
  for (let i = 0; i < text.length; i += 1) if (isHigh(text.charCodeAt(i))) chars -= 1;
  return chars;
}

/** The UTF-16 offset of the `chars`-th character of `text`. */
export function utf16Offset(text: string, chars: number): number {
  if (!SURROGATE.test(text)) return Math.min(chars, text.length);
  let at = 0;
  for (let left = chars; left > 0 && at < text.length; left -= 1) at += isHigh(text.charCodeAt(at)) ? 2 : 1;
  return at;
}
