/**
 * Watches a socket: frames about a document go into its log. What is about people, titles or sign-in is left out.
 */
import type { Socket } from '../host.js';
import type { Log } from './log.js';

/** What a wire needs of the recorder. */
export interface Logs {
  of(doc: string, client: string): Log;
  all(): Iterable<Log>;
}

interface Incoming {
  type: string;
  ch?: number;
  doc?: string;
  text?: string;
  ops?: { op?: unknown; to?: number; ack?: number; check?: string }[];
  [field: string]: unknown;
}

/** The fields of a frame that a report keeps. */
const KEPT = ['type', 'ch', 'rev', 'seq', 'seq_rev', 'epoch', 'code', 'role', 'ms', 'retry_ms', 'text'];
const ENTRY = ['op', 'to', 'ack', 'check'];

const pick = (from: Record<string, unknown>, names: string[]): Record<string, unknown> =>
  Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]));

export class RecordedSocket implements Socket {
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  readonly #inner: Socket;
  readonly #logs: Logs;
  readonly #channels = new Map<number, Log>();
  /** Joins that are not answered yet, oldest first. */
  readonly #joins: Log[] = [];

  constructor(inner: Socket, logs: Logs) {
    this.#inner = inner;
    this.#logs = logs;
    this.#net('connecting');
    inner.onopen = (event) => {
      this.#net('open');
      this.onopen?.(event);
    };
    inner.onmessage = (event) => {
      const log = this.#received(event.data);
      if (log) log.message(() => this.onmessage?.(event));
      else this.onmessage?.(event);
    };
    inner.onclose = (event) => {
      this.#net('closed', event.code);
      this.onclose?.(event);
    };
  }

  get transport(): Socket['transport'] {
    return this.#inner.transport;
  }

  get readyState(): number {
    return this.#inner.readyState;
  }

  send(data: string): void {
    this.#sent(data);
    this.#inner.send(data);
  }

  close(code?: number): void {
    this.#inner.onopen = this.#inner.onmessage = this.#inner.onclose = null;
    this.#net('closed', code);
    this.#inner.close(code);
  }

  #net(state: string, code?: number): void {
    for (const log of this.#logs.all()) log.add('net', { state, ...(code !== undefined && { code }) });
  }

  #sent(data: string): void {
    const [, type, channel] = /^\{"type":"(submit|select|leave|join)"(?:,"ch":(\d+))?/.exec(data) ?? [];
    let log = this.#channels.get(Number(channel));
    if (type === 'join') {
      const { doc, client } = JSON.parse(data) as { doc: string; client: string };
      log = this.#logs.of(doc, client);
      this.#joins.push(log);
    }
    log?.settle('out');
    log?.add('out', { frame: data });
    if (type === 'leave') this.#channels.delete(Number(channel));
  }

  #received(data: unknown): Log | undefined {
    if (typeof data !== 'string' || /^\{"type":"(presence|pong|welcome|renamed)"/.test(data)) return undefined;
    let message: Incoming;
    try {
      message = JSON.parse(data) as Incoming;
    } catch {
      return undefined; // the client passes it over too
    }
    const log = this.#logOf(message);
    if (!log) return undefined;
    const ops = message.ops?.map((entry) => pick(entry, ENTRY));
    log.coming = { ops: (ops ?? []).filter((entry) => 'op' in entry).map((entry) => JSON.stringify(entry.op)), text: message.text };
    // A first text comes again as the state that the engine begins with.
    const names = log.engine ? KEPT : KEPT.filter((name) => name !== 'text');
    log.settle('in');
    log.add('in', { frame: { ...pick(message, names), ...(ops && { ops }) } });
    return log;
  }

  #logOf({ type, ch, doc }: Incoming): Log | undefined {
    if (doc !== undefined && (type === 'joined' || type === 'error')) {
      const index = this.#joins.findIndex((log) => log.doc === doc);
      const [log] = index < 0 ? [] : this.#joins.splice(index, 1);
      if (log && type === 'joined' && ch !== undefined) this.#channels.set(ch, log);
      return log;
    }
    return ch === undefined ? undefined : this.#channels.get(ch);
  }
}
