/**
 * A socket made of HTTP requests: one that receives, one at a time that sends. Both numbered, so that what was cut or lost
 * is sent again and taken once. See "Where WebSockets do not pass" in docs/protocol.md.
 */
import type { Host, Socket, Timer } from '../host.js';
import { EventReader } from './events.js';

/** How long a stream may take to show its beginning; a proxy that keeps streams back shows none. */
export const FIRST_BYTE_MS = 4_000;
/** How long the server may hold a poll, and how much longer the way may take. */
export const POLL_MS = 25_000;
const POLL_MARGIN_MS = 10_000;
/** The server sends no more than 64 KiB without an acknowledgement. */
const ACK_EVERY_UNITS = 8_192;
/** Requests that come to nothing before the session is given up. */
const MISSES_MAX = 5;
const PAUSE_MS = 200;
/** A session that is not known is that of a server which has ended, or another server's: a new one is asked for soon. */
const UNKNOWN = 1012;
const SESSION_HEADER = 'concord-session';

export class HttpSocket implements Socket {
  /** It takes frames from the first moment, and its close is heard of at once. */
  readonly readyState = 1;
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  transport: 'sse' | 'poll';
  readonly #host: Host;
  readonly #base: string;
  readonly #mayPoll: boolean;
  readonly #over = new AbortController();
  readonly #timers = new Set<Timer>();
  #receiving = new AbortController();
  #id = '';
  #isOpen = false;
  #ended = false;
  /** Messages that the server has not confirmed; the first has number `#first`. */
  readonly #queue: string[] = [];
  #first = 1;
  #posting = false;
  /** What one request may carry, in UTF-16 units; until `welcome` tells, one message. */
  #bodyMax = 0;
  /** The last event received. */
  #after = 0;
  #unacknowledged = 0;

  constructor(host: Host, url: string, protocols: string[], transport: 'sse' | 'poll', mayPoll: boolean) {
    this.#host = host;
    this.#base = new URL('session', url.replace(/^ws/, 'http')).href;
    this.transport = transport;
    this.#mayPoll = mayPoll;
    void this.#run(protocols);
  }

  send(data: string): void {
    this.#queue.push(data);
    void this.#post();
  }

  close(): void {
    if (this.#ended) return;
    this.#end();
    this.#leave();
  }

  async #run([subprotocol, auth]: string[]): Promise<void> {
    const wish = JSON.stringify({ subprotocol, auth: auth !== undefined });
    const answer = await this.#ask('', 'POST', wish, { 'content-type': 'application/json' });
    const opened = answer?.status === 201 ? ((await answer.json().catch(() => undefined)) as { session: string } | undefined) : undefined;
    this.#id = opened?.session ?? '';
    if (!this.#id) this.#gone(answer?.status === 401 ? 4401 : 1006);
    else if (this.#isOver()) this.#leave();
    for (let misses = 0; !this.#isOver(); ) {
      const came = await this.#receive();
      if (this.#isOver()) return;
      if (came === 'events') {
        misses = 0;
      } else if (came === 'nothing' && this.transport === 'sse' && this.#mayPoll && !this.#isOpen) {
        this.transport = 'poll';
      } else {
        if (++misses > MISSES_MAX) this.#gone(1006);
        await this.#pause(PAUSE_MS * 2 ** misses);
      }
    }
  }

  /** One request that receives, to its end. */
  async #receive(): Promise<'events' | 'bytes' | 'nothing'> {
    const isPoll = this.transport === 'poll';
    const receiving = (this.#receiving = new AbortController());
    const limit = this.#timer(() => receiving.abort(), isPoll ? POLL_MS + POLL_MARGIN_MS : FIRST_BYTE_MS);
    const events = new EventReader();
    const decoder = new TextDecoder();
    let came: 'events' | 'bytes' | 'nothing' = 'nothing';
    try {
      const address = `/events?after=${this.#after}${isPoll ? `&poll_ms=${POLL_MS}` : ''}`;
      // Nothing may come before the first message is sent, not even the head of an answer.
      if (isPoll) this.#opened();
      const answer = await this.#host.fetch(this.#base + address, this.#about({ signal: receiving.signal }));
      if (answer.status === 404) this.#gone(UNKNOWN);
      if (!answer.ok || !answer.body) return came;
      const reader = answer.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (this.#isOver()) return came;
        if (done) return isPoll ? 'events' : came;
        if (!isPoll) {
          this.#clear(limit);
          this.#opened();
        }
        if (came === 'nothing') came = 'bytes';
        for (const event of events.push(decoder.decode(value, { stream: true }))) {
          came = 'events';
          if ('close' in event) this.#gone(event.close);
          else this.#take(event.id, event.data);
          if (this.#isOver()) return came;
        }
        this.#acknowledge(value.length);
      }
    } catch {
      return came; // cut, or given up
    } finally {
      this.#clear(limit);
    }
  }

  /** Asked again after every wait. */
  #isOver(): boolean {
    return this.#ended;
  }

  #opened(): void {
    if (this.#isOpen || this.#ended) return;
    this.#isOpen = true;
    this.onopen?.(new Event('open'));
  }

  #take(id: number, data: string): void {
    if (id <= this.#after) return;
    if (id > this.#after + 1) return this.#gone(1006);
    this.#after = id;
    if (id === 1) this.#bodyMax = bodyMax(data);
    this.onmessage?.({ data } as MessageEvent);
  }

  /** A long message is told of while it is still coming, so that the server sees it being taken. */
  #acknowledge(units: number): void {
    this.#unacknowledged += units;
    if (this.#unacknowledged >= ACK_EVERY_UNITS) void this.#post();
  }

  async #post(): Promise<void> {
    if (this.#posting || !this.#id) return;
    this.#posting = true;
    for (let misses = 0; !this.#isOver() && (this.#queue.length > 0 || this.#unacknowledged >= ACK_EVERY_UNITS); ) {
      const count = this.#batch();
      this.#unacknowledged = 0;
      const address = `/messages?n=${this.#first}&ack=${this.#after}`;
      const status = (await this.#ask(address, 'POST', this.#queue.slice(0, count).join('\n')))?.status;
      if (status === 204) {
        this.#queue.splice(0, count);
        this.#first += count;
        misses = 0;
      } else if (status === 413) {
        return; // too large: the close that follows says so
      } else if (status === 400 || status === 404 || ++misses > MISSES_MAX) {
        this.#gone(status === 404 ? UNKNOWN : 1006);
        return;
      } else {
        await this.#pause(PAUSE_MS * 2 ** misses);
      }
    }
    this.#posting = false;
  }

  /** How many of the waiting messages go together. */
  #batch(): number {
    let [count, units] = [0, 0];
    for (const message of this.#queue) {
      units += message.length + 1;
      if (count > 0 && units > this.#bodyMax) break;
      count++;
    }
    return count;
  }

  async #ask(address: string, method: string, body?: string, headers?: Record<string, string>): Promise<Response | undefined> {
    try {
      const init = { method, signal: this.#over.signal, ...(body !== undefined && { body }) };
      return await this.#host.fetch(this.#base + address, this.#about(init, headers));
    } catch {
      return undefined;
    }
  }

  #about(init: RequestInit, headers: Record<string, string> = {}): RequestInit {
    return { cache: 'no-store', ...init, headers: { ...headers, ...(this.#id && { [SESSION_HEADER]: this.#id }) } };
  }

  /** Tells the server, also while the page is going away. */
  #leave(): void {
    if (this.#id) void this.#host.fetch(this.#base, this.#about({ method: 'DELETE', keepalive: true })).catch(() => undefined);
  }

  #gone(code: number): void {
    if (this.#ended) return;
    this.#end();
    this.onclose?.({ code } as CloseEvent);
  }

  #end(): void {
    this.#ended = true;
    for (const timer of this.#timers) this.#host.clearTimeout(timer);
    this.#receiving.abort();
    this.#over.abort();
  }

  #pause(ms: number): Promise<void> {
    return this.#ended ? Promise.resolve() : new Promise((resolve) => void this.#timer(resolve, ms));
  }

  #timer(fn: () => void, ms: number): Timer {
    const timer = this.#host.setTimeout(() => {
      this.#timers.delete(timer);
      fn();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  #clear(timer: Timer): void {
    this.#host.clearTimeout(timer);
    this.#timers.delete(timer);
  }
}

/** What `welcome` allows, in units of at most three bytes of UTF-8. */
function bodyMax(welcome: string): number {
  const { limits } = JSON.parse(welcome) as { limits?: { message_bytes_max: number } };
  return Math.floor((limits?.message_bytes_max ?? 0) / 3);
}
