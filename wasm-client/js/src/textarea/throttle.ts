/** Runs a function at once, then at most once per interval, with the latest argument. */
export class Throttle<T> {
  readonly #run: (value: T) => void;
  readonly #intervalMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting: { value: T } | undefined;

  constructor(run: (value: T) => void, intervalMs: number) {
    this.#run = run;
    this.#intervalMs = intervalMs;
  }

  push(value: T): void {
    if (this.#timer !== undefined) {
      this.#waiting = { value };
      return;
    }
    this.#run(value);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting) this.push(waiting.value);
    }, this.#intervalMs);
  }

  /** Forgets what waits; something newer has been said by another way. */
  cancel(): void {
    this.#waiting = undefined;
  }

  /** Also stops the clock. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = undefined;
  }
}
