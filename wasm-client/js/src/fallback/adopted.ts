/** A WebSocket that is tried before anybody uses it: it authenticates itself, and is ready once it is welcomed. */
import type { Socket } from '../host.js';

export type Token = () => Promise<string>;

export interface AdoptedEvents {
  welcomed: () => void;
  failed: () => void;
}

export class Adopted implements Socket {
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  readonly #socket: Socket;
  /** What came before anybody listened. */
  #kept: MessageEvent<unknown>[] | undefined = [];
  #isAuthenticated = false;
  #isClosed = false;

  constructor(socket: Socket, token: Token | undefined, events: AdoptedEvents) {
    this.#socket = socket;
    socket.onopen = () => {
      if (!token) return; // the cookie of the upgrade request speaks
      this.#isAuthenticated = true;
      token().then((text) => socket.send(JSON.stringify({ type: 'auth', token: text }))).catch(events.failed);
    };
    socket.onclose = events.failed;
    socket.onmessage = (event) => {
      if (!String(event.data).startsWith('{"type":"welcome"')) return events.failed();
      this.#kept?.push(event);
      socket.onmessage = (next) => (this.#kept ? this.#kept.push(next) : this.onmessage?.(next));
      socket.onclose = (close) => {
        this.#isClosed = true;
        this.onclose?.(close);
      };
      events.welcomed();
    };
  }

  /** Somebody uses it now: they hear of everything, as if it had been opened just now. */
  begin(): this {
    queueMicrotask(() => {
      this.onopen?.(new Event('open'));
      const kept = this.#kept ?? [];
      this.#kept = undefined;
      for (const event of kept) this.onmessage?.(event);
      if (this.#isClosed) this.onclose?.({ code: 1006 } as CloseEvent);
    });
    return this;
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  send(data: string): void {
    // Who begins a connection authenticates; this one has done so.
    if (this.#isAuthenticated && data.startsWith('{"type":"auth"')) this.#isAuthenticated = false;
    else this.#socket.send(data);
  }

  close(code?: number): void {
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close(code);
  }
}
