/**
 * One document's engine, with what the engine does not count: how many edits are not saved and since when.
 *
 * Edits go in as the editor made them; when the document cannot hold what the editor shows (half a character, CR,
 * NUL), the document's text wins and a patch brings the editor in line.
 */
import { drain, type Engine, INSIDE_PAIR, OK, OUTSTANDING, PENDING, WHOLE } from './engine.js';
import { plain } from './plain.js';
import { applyPatch, difference } from './textarea/splice.js';
import type { Patch, PatchListener, PatchOrigin, Selection16 } from './types.js';

/** Edits that share one fate, and the time of the oldest. */
interface Tally {
  edits: number;
  since: number | undefined;
}

const none = (): Tally => ({ edits: 0, since: undefined });

export class Replica {
  readonly engine: Engine;
  readonly #emit: PatchListener;
  #buffered: Tally;
  #outstanding: Tally = none();

  constructor(engine: Engine, emit: PatchListener, restored: Tally = none()) {
    this.engine = engine;
    this.#emit = emit;
    this.#buffered = this.is(PENDING) ? restored : none();
  }

  /** Whether one of the engine's flags holds now. */
  is(flag: number): boolean {
    return (this.engine.flags() & flag) !== 0;
  }

  /** Edits not committed by the server yet; at least 1 while there is anything. */
  get unsavedEdits(): number {
    return this.is(PENDING) ? Math.max(1, this.#buffered.edits + this.#outstanding.edits) : 0;
  }

  /** When the oldest of them was made. */
  get unsavedSince(): number | undefined {
    return this.is(PENDING) ? (this.#outstanding.since ?? this.#buffered.since) : undefined;
  }

  /** A large edit is on its way, a part of it at a time. */
  get inParts(): boolean {
    return this.is(OUTSTANDING) && this.#outstanding.edits === 0;
  }

  edit(patch: Patch, now: number): void {
    const inserted = plain(patch.inserted);
    if (inserted === patch.inserted) {
      const code = this.engine.edit(patch.at, patch.deleted, inserted, now, false);
      if (code === OK) return this.#count(now);
      if (code !== INSIDE_PAIR) throw new RangeError('the edit lies outside the text');
    }
    const shown = applyPatch(this.engine.text(), patch);
    if (this.engine.edit(patch.at, patch.deleted, inserted, now, true) !== OK) {
      throw new RangeError('the edit lies outside the text');
    }
    this.#count(now);
    this.#correct(shown);
  }

  editByDiff(shown: string, caret: number | undefined, now: number): void {
    const text = plain(shown);
    if (this.engine.editByDiff(text, caret ?? -1, now)) this.#count(now);
    if (text !== shown) this.#correct(shown);
  }

  /** Where the caret goes, or null when there was nothing to undo. */
  undo(now: number): Selection16 | null {
    return this.#travelled(this.engine.travel(false), 'undo', now);
  }

  redo(now: number): Selection16 | null {
    return this.#travelled(this.engine.travel(true), 'redo', now);
  }

  /** Freezes what may be sent now; false when there is nothing, or something is in flight already. */
  takeSubmission(componentsMax: number, textBytesMax: number): boolean {
    const taken = this.engine.takeSubmission(componentsMax, textBytesMax);
    if (taken === WHOLE) {
      this.#outstanding = this.#buffered;
      this.#buffered = none();
    } else if (taken > 0) {
      // A part of a large edit: the edit counts until its last part is committed.
      this.#outstanding = { edits: 0, since: this.#buffered.since };
    }
    return taken > 0;
  }

  acknowledge(seq: number, revision: number): boolean {
    if (this.engine.acknowledge(seq, revision) !== OK) return false;
    this.#outstanding = none();
    return true;
  }

  /** Takes the outstanding edit back for good and returns its text. */
  reject(seq: number): string {
    const text = this.engine.reject(seq);
    this.#outstanding = none();
    this.deliver('reset');
    return text;
  }

  /** Continues from the server's text; what was pending follows as a new submission. */
  reset(text: string, revision: number, lastSeq: number): boolean {
    if (this.engine.reset(text, revision, lastSeq) !== OK) return false;
    if (this.#outstanding.since !== undefined || this.#outstanding.edits > 0) {
      this.#buffered = { edits: this.#outstanding.edits + this.#buffered.edits, since: this.#outstanding.since };
      this.#outstanding = none();
    }
    this.deliver('reset');
    return true;
  }

  hold(): void {
    this.engine.hold(true);
  }

  release(): void {
    this.engine.hold(false);
    this.deliver('remote');
  }

  /** Hands waiting patches to the editor. */
  deliver(origin: PatchOrigin): void {
    const patches = drain(this.engine);
    if (patches.length > 0) this.#emit(patches, origin);
  }

  #travelled(caret: number, origin: PatchOrigin, now: number): Selection16 | null {
    if (caret < 0) return null;
    this.#count(now);
    this.deliver(origin);
    return { anchor: caret, head: caret };
  }

  #count(now: number): void {
    this.#buffered = { edits: this.#buffered.edits + 1, since: this.#buffered.since ?? now };
  }

  #correct(shown: string): void {
    const patch = difference(shown, this.engine.text());
    if (patch) this.#emit([patch], 'reset');
  }
}
