// A text that is kept at many revisions at once: chunks that versions share, so that one more version costs the chunks an
// operation touched. Lengths and offsets count Unicode scalar values, as operations do.
import { charCount, isHigh, utf16Offset } from '../chars';

/** An operation over a whole text: n > 0 keeps n characters, n < 0 deletes -n, a text inserts. */
export type Operation = readonly (number | string)[];

interface Chunk {
  readonly text: string;
  readonly chars: number;
}

/** UTF-16 units that a chunk is made of where there is a choice; smaller ones are joined with what follows. */
const CHUNK_UTF16 = 1_024;

/** Collects the chunks of a new version: whole ones are taken over, pieces are joined. */
class Builder {
  readonly chunks: Chunk[] = [];
  #tail = '';

  whole(chunk: Chunk): void {
    if (this.#tail === '' && chunk.text.length * 2 >= CHUNK_UTF16) this.chunks.push(chunk);
    else this.piece(chunk.text);
  }

  piece(text: string): void {
    this.#tail += text;
    if (this.#tail.length >= CHUNK_UTF16) this.#flush();
  }

  #flush(): void {
    for (const text of pieces(this.#tail)) this.chunks.push({ text, chars: charCount(text) });
    this.#tail = '';
  }

  done(): Rope {
    if (this.#tail !== '') this.#flush();
    return new Rope(this.chunks);
  }
}

/** `text` in pieces of at most twice the chunk's size, never cut inside a surrogate pair. */
function* pieces(text: string): Generator<string> {
  let from = 0;
  while (text.length - from >= 2 * CHUNK_UTF16) {
    const end = from + CHUNK_UTF16 - (isHigh(text.charCodeAt(from + CHUNK_UTF16 - 1)) ? 1 : 0);
    yield text.slice(from, end);
    from = end;
  }
  yield text.slice(from);
}

/** An operation spans another length than the text it shall be applied to. */
export class SpanError extends Error {
  constructor(found: number, expected: number) {
    super(`operation spans ${found} characters, text has ${expected}`);
    this.name = 'SpanError';
  }
}

/** One version of a text; never changes. */
export class Rope {
  static readonly EMPTY = new Rope([]);
  readonly #chunks: readonly Chunk[];
  /** Length in scalar values. */
  readonly chars: number;

  constructor(chunks: readonly Chunk[]) {
    this.#chunks = chunks;
    this.chars = chunks.reduce((sum, chunk) => sum + chunk.chars, 0);
  }

  static of(text: string): Rope {
    const builder = new Builder();
    builder.piece(text);
    return builder.done();
  }

  /** The whole text, put together anew. */
  text(): string {
    return this.#chunks.map((chunk) => chunk.text).join('');
  }

  /**
   * The text after an operation.
   *
   * @throws SpanError when the operation was made for a text of another length.
   */
  apply(operation: Operation): Rope {
    const spans = operation.reduce<number>((sum, part) => (typeof part === 'number' ? sum + Math.abs(part) : sum), 0);
    if (spans !== this.chars) throw new SpanError(spans, this.chars);
    const builder = new Builder();
    let index = 0;
    let inside = 0;
    for (const part of operation) {
      if (typeof part === 'string') {
        builder.piece(part);
        continue;
      }
      for (let left = Math.abs(part); left > 0; ) {
        const chunk = this.#chunks[index]!;
        const taken = Math.min(left, chunk.chars - inside);
        if (part > 0) {
          if (taken === chunk.chars) builder.whole(chunk);
          else builder.piece(chunk.text.slice(utf16Offset(chunk.text, inside), utf16Offset(chunk.text, inside + taken)));
        }
        left -= taken;
        inside += taken;
        if (inside === chunk.chars) {
          index += 1;
          inside = 0;
        }
      }
    }
    return builder.done();
  }
}
