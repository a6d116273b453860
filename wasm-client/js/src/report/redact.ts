/**
 * Takes the words out of a report and leaves what a fault is made of: lengths, lines, places, times.
 *
 * Every character becomes filler of its kind and size (in UTF-16, in UTF-8 and as a character), the same one each time.
 * Hashes and sent frames follow from that: the report is played twice, with its own text and with the filler. Where it
 * was right about the one, it says what is right about the other; where it was wrong it stays wrong.
 */
import { Engine, OK, PENDING } from '../engine.js';
import { decoder, encoder } from '../fields.js';
import type { OperationJson } from '../protocol.js';
import { applyPatch } from '../textarea/splice.js';

interface Event {
  e: string;
  [field: string]: unknown;
}

interface Entry {
  op?: OperationJson;
  check?: string;
}

/** A hash that no filler has, where the report's own was wrong. */
const WRONG_HASH = 'f'.repeat(16);

/** One character's filler. White space and what a document cannot hold stay: lines break where they broke. */
function filler(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (/[\s\0\p{Cs}]/u.test(character)) return character;
  if (code < 0x80) return character.replace(/[a-z]/, 'x').replace(/[A-Z]/, 'X').replace(/\d/, '0');
  return code < 0x800 ? 'ß' : code < 0x10000 ? '字' : '😀';
}

/** A text with filler in place of its words. */
export const filled = (text: string): string => Array.from(text, filler).join('');

const filledOp = (op: OperationJson): OperationJson =>
  Array.isArray(op) ? op.map((part) => (typeof part === 'string' ? filled(part) : part)) : op;

/** A stored state (`wasm-client/src/saved.rs`): texts with their length in front, and numbers. */
export function filledState(state: string): string {
  const bytes = encoder.encode(state);
  let at = 0;
  let out = '';
  const until = (mark: number): string => {
    const start = at;
    while (at < bytes.length && bytes[at] !== mark) at++;
    return decoder.decode(bytes.subarray(start, at++));
  };
  const number = (): string => {
    const digits = until(0x3b);
    out += `${digits};`;
    return digits;
  };
  const text = (fill: (field: string) => string): void => {
    const length = until(0x3a);
    // The filler of a character has as many bytes.
    out += `${length}:${fill(decoder.decode(bytes.subarray(at, (at += Number(length)))))}`;
  };
  const op = (field: string): string =>
    field.split('\0').map((part) => (part.startsWith('"') ? `"${filled(part.slice(1))}` : part)).join('\0');
  const kept = (field: string): string => field;
  const edit = (): void => {
    text(op);
    text(filled);
  };
  text(kept);
  text(filled);
  number();
  number();
  if (number() === '1') {
    for (let field = 0; field < 3; field++) number();
    text(op);
    text(kept);
    edit();
  }
  if (number() === '1') edit();
  return out;
}

/** The two engines, side by side. */
class Twins {
  own: Engine | undefined;
  filler: Engine | undefined;
  /** What of the last frame is still to be taken in: with the words, and with filler. */
  coming: [own: Entry, filler: Entry][] = [];
  text: [own: string, filler: string] = ['', ''];
  /** An undo reached behind the beginning of the report: what it did is told by the state that follows. */
  #awaitsState = false;
  #late = false;
  #held = false;

  /** One event with filler in place of words. */
  play(event: Event): Event {
    const { own, filler } = this;
    if (event.e === 'state') return this.#state(event);
    if (event.e === 'in') return this.#incoming(event);
    if (event.e === 'trouble') return { ...event, message: '' };
    if (!own || !filler) return event;
    if (event.e === 'out') return { ...event, frame: this.#outgoing(String(event.frame), own, filler) };
    if (event.e === 'close') {
      this.free();
      return event;
    }
    if (event.e === 'hold' || event.e === 'release') this.#held = event.e === 'hold';
    // Until the state is told the two know neither text nor places.
    const [left, right, field] = this.#awaitsState ? [] : this.#both(event, own, filler);
    const shown = mapped(event);
    if (field && JSON.stringify(event[field] ?? 0) === JSON.stringify(left)) shown[field] = right;
    if (shown.answer === 0 && event.e !== 'freeze') delete shown.answer;
    if (event.e === 'diff') {
      // Two texts that differ may look alike when filled: the change itself is what is told.
      Object.assign(shown, { e: 'edit', caret: undefined, changed: undefined, ...(right !== OK && { answer: right }) });
    }
    if (event.hash !== undefined) shown.hash = this.#awaitsState || event.hash === own.hash() ? filler.hash() : WRONG_HASH;
    this.#compareChecks();
    return shown;
  }

  free(): void {
    this.own?.free();
    this.filler?.free();
    this.own = this.filler = undefined;
  }

  #state(event: Event): Event {
    const state = String(event.state);
    const { own, filler } = this;
    if (own && filler && !this.#awaitsState) {
      return { ...event, state: own.export() === state ? filler.export() : filledState(state) };
    }
    this.free();
    const shown = filledState(state);
    this.own = Engine.restore(state, true);
    this.filler = Engine.restore(shown, true);
    this.#late ||= event.why !== 'open' && event.undo === true;
    this.#awaitsState = false;
    this.#select(event.ranges as [number, number][]);
    if (this.#held) for (const engine of [this.own, this.filler]) engine?.hold(true);
    return { ...event, state: shown };
  }

  /** Selections of a state count characters. */
  #select([range]: [number, number][]): void {
    if (!range) return;
    const characters = Array.from(this.own?.text() ?? '');
    const [anchor = 0, head = 0] = range.map((end) => characters.slice(0, end).join('').length);
    this.own?.setSelection(anchor, head);
    this.filler?.setSelection(anchor, head);
  }

  #incoming(event: Event): Event {
    const frame = event.frame as { text?: string; ops?: Entry[] };
    const ops = frame.ops?.map((entry) => (entry.op === undefined ? { ...entry } : { ...entry, op: filledOp(entry.op) }));
    this.coming = (frame.ops ?? []).map((entry, index) => [entry, ops?.[index] ?? {}]);
    this.text = [frame.text ?? '', filled(frame.text ?? '')];
    const shown = { ...event, frame: { ...frame, ...(frame.text !== undefined && { text: this.text[1] }), ...(ops && { ops }) } };
    this.#compareChecks();
    return shown;
  }

  /** Checks at the head of what is coming. */
  #compareChecks(): void {
    const { own, filler } = this;
    while (own && filler && this.coming[0]?.[0].check !== undefined) {
      const [[said, shown]] = this.coming.splice(0, 1) as [[Entry, Entry]];
      const isRight = (own.flags() & PENDING) !== 0 || said.check === own.hash();
      shown.check = isRight ? filler.hash() : WRONG_HASH;
    }
  }

  #outgoing(frame: string, own: Engine, filler: Engine): string {
    const start = /^\{"type":"submit","ch":\d+,/.exec(frame)?.[0];
    if (start === undefined) return frame;
    if ((own.outstandingSeq() || 0) > 0 && frame === `${start}${own.outstanding()}}`) return `${start}${filler.outstanding()}}`;
    const submit = JSON.parse(frame) as { op: OperationJson };
    return JSON.stringify({ ...submit, op: filledOp(submit.op) });
  }

  /** Both do what the event says; what they answer, and the event's field that tells the answer. */
  #both(event: Event, own: Engine, filler: Engine): [left: unknown, right: unknown, field?: string | undefined] {
    const { at = 0, deleted = 0, now = 0, caret = 0, to = 0, seq = 0, last = 0 } = event as unknown as Record<string, number>;
    const inserted = typeof event.inserted === 'string' ? event.inserted : '';
    const both = <T>(run: (engine: Engine, fill: boolean) => T, field?: string): [T, T, string | undefined] => [run(own, false), run(filler, true), field];
    const word = (text: string, fill: boolean): string => (fill ? filled(text) : text);
    switch (event.e) {
      case 'edit':
        return both((engine, fill) => engine.edit(at, deleted, word(inserted, fill), TIME_ORIGIN_MS + now, event.widen === true), 'answer');
      case 'diff':
        own.editByDiff(applyPatch(own.text(), { at, deleted, inserted }), caret, TIME_ORIGIN_MS + now);
        return [undefined, filler.edit(at, deleted, filled(inserted), TIME_ORIGIN_MS + now, false)];
      case 'undo':
      case 'redo':
        if (this.#late) {
          this.#awaitsState ||= caret >= 0;
          return [undefined, undefined];
        }
        return both((engine) => engine.travel(event.e === 'redo'), 'caret');
      case 'break':
        return both((engine) => engine.breakUndoGroup());
      case 'hold':
      case 'release':
        return both((engine) => engine.hold(event.e === 'hold'));
      case 'select':
        return both((engine) => engine.setSelection(Number(event.anchor), Number(event.head)));
      case 'freeze':
        return both((engine) => engine.takeSubmission(Number(event.components), Number(event.bytes)), 'answer');
      case 'receive': {
        const [entry] = this.coming.splice(0, 1);
        const given = event.op as OperationJson | undefined;
        const [words, fill] = given ? [given, filledOp(given)] : [entry?.[0].op ?? [], entry?.[1].op ?? []];
        return both((engine, filling) => engine.receive(filling ? fill : words, to), 'answer');
      }
      case 'ack':
        this.coming.splice(0, 1);
        return both((engine) => engine.acknowledge(seq, to), 'answer');
      case 'reject':
        return both((engine) => engine.reject(seq));
      case 'reset': {
        const given = typeof event.text === 'string' ? [event.text, filled(event.text)] : this.text;
        return both((engine, fill) => engine.reset(given[fill ? 1 : 0] ?? '', to, last), 'answer');
      }
      case 'raise':
        return both((engine) => engine.raiseSeq(seq));
      default:
        return [undefined, undefined];
    }
  }
}

/** Times of edits may lie before the recording; the engine looks at distances only. */
const TIME_ORIGIN_MS = 2 ** 40;

/** The words in the event's own fields. */
function mapped(event: Event): Event {
  const shown = { ...event };
  if (typeof shown.inserted === 'string') shown.inserted = filled(shown.inserted);
  if (typeof shown.text === 'string') shown.text = filled(shown.text);
  if (shown.op !== undefined) shown.op = filledOp(shown.op as OperationJson);
  return shown;
}

/** The lines of a report with filler in place of words. The engine must be loaded, as it is where a document is open. */
export function redacted(lines: readonly string[]): string[] {
  const twins = new Twins();
  try {
    const events = lines.map((line) => twins.play(JSON.parse(line) as Event));
    return events.map((event) => JSON.stringify(event));
  } finally {
    twins.free();
  }
}
