/**
 * How operations cross into the engine and lie in its saved states: components apart by NUL, which no document
 * contains, texts behind a quotation mark. `wasm-client/src/fields.rs` is the other side.
 */
import type { OperationJson } from './protocol.js';

export const encoder = new TextEncoder();
// A byte order mark is a character like any other.
export const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** What is no operation at all becomes something that the engine refuses. */
export const toFields = (operation: OperationJson): string =>
  [operation].flat().map((part) => (typeof part === 'string' ? `"${part}` : part)).join('\0');

export const fromField = (field: string): string | number => (field.startsWith('"') ? field.slice(1) : Number(field));

/**
 * A saved state as the engine reads it (`wasm-client/src/saved.rs`), whichever build wrote it: in the form before, the
 * operations were JSON. Edits that an older build has left on the device must not end with an update.
 *
 * What is cut off or damaged stays so: the engine refuses it.
 *
 * @throws SyntaxError when an operation in it is no JSON.
 */
export function upgraded(state: string): string {
  if (!state.startsWith('9:concord-1')) return state;
  const bytes = encoder.encode(state);
  let out = '';
  let texts = 0;
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    while ((bytes[at] ?? 0x3b) < 0x3a) at++; // digits up to ":", a text of so many bytes, or ";", a number
    let field = decoder.decode(bytes.subarray(start, ++at));
    if (bytes[at - 1] === 0x3a) {
      const end = at + parseInt(field);
      if (end > bytes.length) return state;
      field = decoder.decode(bytes.subarray(at, end));
      // Form and text, then pairs: an operation and what belongs to it.
      if (texts === 0) field = 'concord-2';
      else if (texts % 2 === 0) field = toFields(JSON.parse(field) as OperationJson);
      field = `${encoder.encode(field).length}:${field}`;
      texts++;
      at = end;
    }
    out += field;
  }
  return out;
}
