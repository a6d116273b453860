/**
 * When remote text may come into the textarea: not while an input method composes, and not right after a write that
 * was dear. Meanwhile it waits inside the model.
 */
import type { TextModel } from '../types.js';

/**
 * Browsers lay a textarea out anew when a script writes into it: tens of milliseconds for 100 KB. After a write that
 * took longer than this, remote text waits until the page has had four times as long for everything else.
 */
const WRITE_DEAR_MS = 8;
const REST_FACTOR = 4;
const REST_MAX_MS = 1_000;

type Timer = ReturnType<typeof setTimeout> | undefined;

export class Gate {
  readonly #model: Pick<TextModel, 'hold' | 'release'>;
  readonly #beforeOpening: () => void;
  #composing = false;
  #held = false;
  /** What the last layout after a remote write took, and whether the next is due. */
  #layoutMs = 0;
  #unlaid = false;
  #rest: Timer;
  #opening: Timer;

  /** `beforeOpening` tells the model what the editor shows, just before text comes in. */
  constructor(model: Pick<TextModel, 'hold' | 'release'>, beforeOpening: () => void) {
    this.#model = model;
    this.#beforeOpening = beforeOpening;
  }

  get composing(): boolean {
    return this.#composing;
  }

  /** Remote text waits. */
  get holds(): boolean {
    return this.#held;
  }

  compositionStarts(): void {
    clearTimeout(this.#opening);
    this.#composing = true;
    this.#hold();
  }

  /** Opens in a task of its own: the browser is still busy with the last key, and syllables follow each other at once. */
  compositionEnds(): void {
    this.#composing = false;
    clearTimeout(this.#opening);
    this.#opening = setTimeout(() => this.#open());
  }

  /** After a remote write that took `tookMs`; the browser has not laid it out yet. */
  written(tookMs: number): void {
    this.#unlaid = true;
    this.#afford(tookMs + this.#layoutMs);
  }

  /** The frame after it took `tookMs`. */
  laidOut(tookMs: number): void {
    if (!this.#unlaid) return;
    this.#unlaid = false;
    this.#layoutMs = tookMs;
    this.#afford(tookMs);
  }

  #afford(tookMs: number): void {
    if (tookMs < WRITE_DEAR_MS || this.#rest !== undefined) return;
    this.#rest = setTimeout(() => this.wake(), Math.min(tookMs * REST_FACTOR, REST_MAX_MS));
    this.#hold();
  }

  /** Ends a rest early. */
  wake(): void {
    clearTimeout(this.#rest);
    this.#rest = undefined;
    this.#open();
  }

  /** Lets everything in, for the last time. */
  end(): void {
    this.#composing = false;
    this.wake();
    clearTimeout(this.#rest);
  }

  #hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.#model.hold();
  }

  #open(): void {
    clearTimeout(this.#opening);
    if (!this.#held || this.#composing || this.#rest !== undefined) return;
    this.#beforeOpening();
    this.#held = false;
    this.#model.release();
  }
}
