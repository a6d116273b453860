/** What an editor may contain and a document may not: CR, NUL and lone surrogates. */

/**
 * The text as a document holds it: CRLF and CR become LF, NUL goes, a lone surrogate becomes U+FFFD.
 *
 * Done here, in the open, because WebAssembly's string conversion would replace surrogates without a word and the
 * editor would show another text than the document has.
 */
export function plain(text: string): string {
  // With the `u` flag, category Cs matches only surrogates that have no partner.
  return text.replace(/\r\n?/g, '\n').replace(/\0/g, '').replace(/\p{Cs}/gu, '\ufffd');
}
