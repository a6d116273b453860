/** Event listeners that end together. (A page without a window may have no usable `AbortSignal`.) */
export class Listeners {
  #ends: (() => void)[] = [];

  /** Listens for each of the space-separated event names. */
  on<K extends keyof GlobalEventHandlersEventMap>(
    target: EventTarget,
    names: K,
    run: (event: GlobalEventHandlersEventMap[K]) => void,
    options?: AddEventListenerOptions,
  ): void;
  on(target: EventTarget, names: string, run: (event: Event) => void, options?: AddEventListenerOptions): void;
  on(target: EventTarget, names: string, run: (event: never) => void, options?: AddEventListenerOptions): void {
    for (const name of names.split(' ')) {
      target.addEventListener(name, run as EventListener, options);
      this.#ends.push(() => target.removeEventListener(name, run as EventListener, options));
    }
  }

  /** Adds anything else that has to end with them. */
  add(end: () => void): void {
    this.#ends.push(end);
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}
