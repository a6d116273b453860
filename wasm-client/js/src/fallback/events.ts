/** Reads `text/event-stream` as the server writes it, however it is cut into pieces. */

export type StreamEvent = { id: number; data: string } | { close: number };

export class EventReader {
  /** Pieces of an event that is not whole yet. A long text comes in hundreds, so they are joined once. */
  #parts: string[] = [];
  #last = '';

  /** The events that this piece completes. Comments are none. */
  push(piece: string): StreamEvent[] {
    if (piece === '') return [];
    this.#parts.push(piece);
    const seam = this.#last + piece;
    this.#last = piece.at(-1) ?? '';
    if (!seam.includes('\n\n')) return [];
    const blocks = this.#parts.join('').split('\n\n');
    this.#parts = [blocks.pop() ?? ''];
    return blocks.flatMap(eventOf);
  }
}

function eventOf(block: string): StreamEvent[] {
  const at = block.indexOf('data: ');
  if (at < 0) return [];
  const head = block.slice(0, at);
  const data = block.slice(at + 6);
  if (head.startsWith('id: ')) return [{ id: Number.parseInt(head.slice(4), 10), data }];
  if (head.startsWith('event: close')) return [{ close: (JSON.parse(data) as { code: number }).code }];
  return [];
}
