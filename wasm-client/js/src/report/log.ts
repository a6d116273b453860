/**
 * What is kept of one document's session: lines of a report, the oldest dropped when there are too many.
 *
 * The lines lie in two halves. Each begins with a state of the engine from which it can be played; when the younger
 * half is full, the older one goes. A report is never shorter than half of what may be kept.
 */
import { type Engine, REDOABLE, UNDOABLE } from '../engine.js';

/** How much is kept of one document. */
export interface RecordingLimits {
  /** Memory of the events, in bytes, two for each UTF-16 code unit. The states at the two beginnings come on top. */
  bytesMax: number;
  /** How many events. */
  eventsMax: number;
}

export type Claims = 'claims' | 'no claims';

interface Half {
  lines: string[];
  bytes: number;
  /** There was something to undo at its beginning, which its state does not hold. */
  late: boolean;
}

/** The trouble that lines were kept for. */
export interface Kept {
  code: string;
  lines: string[];
  dropped: number;
}

/** Texts longer than this are hashed only now and then: a keystroke must not wait for it. */
const HASH_ALWAYS_MAX = 128 * 1024;
const HASH_EVERY = 32;

/** Events that do not change the text, or undo it further: an undo is told only once what follows needs the text. */
const PASSIVE = new Set(['undo', 'redo', 'break', 'select', 'hold', 'release', 'composition', 'out', 'net']);

const half = (): Half => ({ lines: [], bytes: 0, late: false });

export class Log {
  readonly doc: string;
  /** The client id, as long as no session tells it. */
  client = '';
  session: { readonly id: string; readonly client: string | undefined } | undefined;
  engine: Engine | undefined;
  /** Where an input method last made the engine wait: the field of this document. */
  field: EventTarget | undefined;
  /** What went wrong first, with the lines up to there. */
  kept: Kept | undefined;
  /** Operations and text of the last frame that the engine has not been given yet. */
  coming: { ops: string[]; text: string | undefined } = { ops: [], text: undefined };
  readonly #limits: RecordingLimits;
  readonly #clock: () => number;
  readonly #began: number;
  readonly #keeps: () => void;
  #halves = [half()];
  #dropped = 0;
  #held = false;
  /** Nothing is recorded until the editor takes patches again: no state could be written meanwhile. */
  #paused = false;
  #undone = false;
  #inMessage = false;
  #events = 0;

  /** `keeps` is called when something went wrong. */
  constructor(doc: string, limits: RecordingLimits, clock: () => number, keeps: () => void) {
    this.doc = doc;
    this.#keeps = keeps;
    this.#limits = limits;
    this.#clock = clock;
    this.#began = clock();
  }

  /** The editor takes no patches. */
  get held(): boolean {
    return this.#held;
  }

  get inMessage(): boolean {
    return this.#inMessage;
  }

  get lines(): string[] {
    return this.#halves.flatMap((one) => one.lines);
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** An engine begins here. */
  open(engine: Engine): void {
    this.engine = engine;
    this.#state('open');
  }

  /** Hands a message on to the client; whatever it makes the engine do belongs to it. */
  message(handle: () => void): void {
    this.#inMessage = true;
    try {
      handle();
    } finally {
      this.#inMessage = false;
    }
  }

  /** Before anything else is recorded, and before the engine does it. */
  settle(kind: string): void {
    if (!this.engine || this.#paused) return;
    if (this.#undone && !PASSIVE.has(kind)) this.#state('undone');
    if (this.#isFull(this.#younger) && !this.#inMessage && !this.#held) this.#roll();
  }

  add(kind: string, fields: object, claims: Claims = 'no claims'): void {
    if (kind === 'hold' || kind === 'release') this.#hold(kind === 'hold');
    if (this.#paused) return;
    if ((kind === 'undo' || kind === 'redo') && this.#halves.some((one) => one.late)) this.#undone = true;
    this.#write({ t: this.#time(), e: kind, ...fields, ...(claims === 'claims' && this.#claims()) });
    if (!this.#isFull(this.#younger)) return;
    // Without an engine there is nothing to begin with again; behind a held editor only after twice as much.
    if (!this.engine) this.#halves = [...this.#halves.slice(-1), half()];
    else if (this.#held && this.#younger.bytes > 2 * this.#limits.bytesMax) this.#pause();
  }

  /** Something is wrong: what led to it stays, whatever comes. The first time counts, the next may follow from it. */
  keep(code: string): void {
    this.kept ??= { code, lines: this.lines, dropped: this.#dropped };
    this.#keeps();
  }

  get #younger(): Half {
    return this.#halves.at(-1) ?? half();
  }

  #isFull({ bytes, lines }: Half): boolean {
    return bytes > this.#limits.bytesMax / 2 || lines.length > this.#limits.eventsMax / 2;
  }

  #hold(held: boolean): void {
    this.#held = held;
    if (held || !this.#paused) return;
    this.#paused = false;
    this.#roll();
  }

  #pause(): void {
    this.#dropped += this.lines.length;
    this.#halves = [half()];
    this.#paused = true;
    this.#undone = false;
  }

  #roll(): void {
    const kept = this.#halves.slice(-1);
    for (const one of this.#halves.slice(0, -1)) this.#dropped += one.lines.length;
    this.#halves = [...kept, half()];
    this.#state('roll');
  }

  #state(why: 'open' | 'roll' | 'undone'): void {
    const { engine } = this;
    if (!engine) return;
    const { lines } = this.#younger;
    const undo = why !== 'open' && (engine.flags() & (UNDOABLE | REDOABLE)) !== 0;
    if (lines.length === 0) this.#younger.late = undo;
    const ranges = JSON.parse(engine.selection()) as unknown;
    this.#undone = false;
    lines.push(JSON.stringify({ t: this.#time(), e: 'state', why, state: engine.export(), undo, ranges }));
  }

  #write(event: object): void {
    const line = JSON.stringify(event);
    this.#younger.lines.push(line);
    this.#younger.bytes += 2 * line.length;
  }

  #time(): number {
    return Math.round(this.#clock() - this.#began);
  }

  #claims(): object {
    const { engine } = this;
    if (!engine) return {};
    const rev = engine.revision();
    const begins = this.#younger.lines[0]?.length ?? 0;
    return begins <= HASH_ALWAYS_MAX || this.#events++ % HASH_EVERY === 0 ? { rev, hash: engine.hash() } : { rev };
  }
}
