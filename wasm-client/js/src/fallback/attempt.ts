/** One attempt to connect, over several ways at once: the first to open is the socket, the others are let go. */
import type { Host, Socket, Timer } from '../host.js';
import type { Transport } from '../types.js';

export class Attempt implements Socket {
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  /** The first message came. */
  onfirst: (transport: Transport) => void = () => undefined;
  /** It is over: what had opened, if anything had, and whether any message came. */
  onend: (transport: Transport | undefined, worked: boolean) => void = () => undefined;
  readonly #host: Host;
  readonly #runners = new Set<Socket>();
  #winner: Socket | undefined;
  #later: Timer | undefined;
  #worked = false;
  #ended = false;

  constructor(host: Host) {
    this.#host = host;
  }

  get readyState(): number {
    return this.#winner?.readyState ?? 0;
  }

  get transport(): Transport {
    return this.#winner?.transport ?? 'websocket';
  }

  add(runner: Socket): void {
    this.#runners.add(runner);
    runner.onopen = (event) => {
      this.#win(runner);
      this.onopen?.(event);
    };
    runner.onmessage = (event) => {
      if (!this.#worked) {
        this.#worked = true;
        this.onfirst(this.transport);
      }
      this.onmessage?.(event);
    };
    runner.onclose = (event) => {
      this.#runners.delete(runner);
      if (this.#runners.size > 0 || this.#later !== undefined) return;
      this.#end();
      this.onclose?.(event);
    };
  }

  /** Starts one more if none has opened by then. */
  addLater(start: () => Socket, ms: number): void {
    this.#later = this.#host.setTimeout(() => {
      this.#later = undefined;
      this.add(start());
    }, ms);
  }

  send(data: string): void {
    this.#winner?.send(data);
  }

  close(code?: number): void {
    this.#end();
    for (const runner of this.#runners) drop(runner, code);
    this.#runners.clear();
  }

  /** Ends as a connection that was lost does. */
  giveUp(): void {
    this.close();
    this.onclose?.({ code: 1006 } as CloseEvent);
  }

  #win(runner: Socket): void {
    this.#winner = runner;
    this.#host.clearTimeout(this.#later);
    this.#later = undefined;
    for (const other of this.#runners) if (other !== runner) drop(other);
    this.#runners.clear();
    this.#runners.add(runner);
  }

  #end(): void {
    this.#host.clearTimeout(this.#later);
    this.#later = undefined;
    if (this.#ended) return;
    this.#ended = true;
    this.onend(this.#winner && this.transport, this.#worked);
  }
}

function drop(socket: Socket, code?: number): void {
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.close(code);
}
