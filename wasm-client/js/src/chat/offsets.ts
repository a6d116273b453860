/** Characters, which the protocol counts, and UTF-16 code units, which JavaScript counts. */

/** How many characters lie before a UTF-16 offset. */
export function charsBefore(text: string, offset: number): number {
  let count = 0;
  for (let at = 0; at < offset && at < text.length; count++) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return count;
}

/** The UTF-16 offset behind so many characters; the end of the text where it has fewer. */
export function offsetOf(text: string, chars: number): number {
  let at = 0;
  for (let count = 0; count < chars && at < text.length; count++) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return at;
}
