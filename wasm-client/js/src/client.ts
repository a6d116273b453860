/** The client: one socket, one store, many documents. */
import { Connection } from './connection.js';
import { browserHost, type Host } from './host.js';
import { browserLocks, type Locks } from './lock.js';
import { Rescue } from './rescue.js';
import { type ClientError, DocumentSession, type SessionContext } from './session.js';
import { memoryStore, openStore, type QueueStore } from './storage.js';
import type { ConnectionState, Transport } from './types.js';

export interface ClientOptions {
  /** Address of the server; the page's own by default. `https://docs.example.com` is enough. */
  url?: string;
  /** A fresh token for each connection; without it the cookie of the page's origin speaks. */
  token?: () => Promise<string>;
  /** What may carry the connection, where not everything should; needed for tests and odd networks only. */
  transports?: readonly Transport[];
  /** Where unsaved edits survive a reload; `indexeddb` by default. */
  storage?: 'indexeddb' | 'memory';
  /** Where the engine's wasm file is, when the bundler does not find it by itself. */
  wasm?: string | URL;
  /** Trouble, also when it was repaired; for logs. */
  onError?: (error: ClientError) => void;
  /** Sees each engine first and gives what is used in its place: how `@concord/client/report` records. */
  tap?: SessionContext['tap'];
  /** The surroundings, for tests. */
  host?: Host;
  locks?: Locks;
  store?: Promise<QueueStore>;
}

/** A session stays open this long after its last user left: React opens and closes in quick succession. */
const LINGER_MS = 250;

interface Entry {
  session: DocumentSession;
  users: number;
  closing: ReturnType<typeof setTimeout> | undefined;
}

export class ConcordClient {
  readonly #host: Host;
  readonly #options: ClientOptions;
  readonly #connection: Connection;
  readonly #rescue: Rescue;
  readonly #context: SessionContext;
  readonly #entries = new Map<string, Entry>();
  /** Sessions on their way out by document; the next of the document waits for them, to find their last words. */
  readonly #leaving = new Map<string, Promise<void>>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#host = options.host ?? browserHost();
    const factory = options.storage === 'memory' || typeof indexedDB === 'undefined' ? undefined : indexedDB;
    this.#context = {
      host: this.#host,
      locks: options.locks ?? browserLocks(this.#host),
      store: options.store ?? (factory ? openStore(factory) : Promise.resolve(memoryStore())),
      wasm: options.wasm,
      tap: options.tap,
      onError: options.onError ?? (() => undefined),
    };
    this.#connection = this.#connect();
    this.#rescue = new Rescue({
      context: this.#context,
      connection: this.#connection,
      connect: () => this.#connect(),
      rejected: (doc, edits) => {
        const entry = this.#entries.get(doc);
        entry?.session.showRejected(edits);
        return entry !== undefined;
      },
    });
  }

  /** The socket's state; a new object after every change. */
  get connection(): ConnectionState {
    return this.#connection.state;
  }

  /** What this package's other entries speak over. */
  get link(): { connection: Connection; host: Host; options: ClientOptions } {
    return { connection: this.#connection, host: this.#host, options: this.#options };
  }

  /** Called after every change of `connection`. */
  subscribe(fn: () => void): () => void {
    return this.#connection.subscribe(fn);
  }

  /**
   * Opens a document, or joins those who have it open on this page: each `open` wants its own `close` of the handle.
   *
   * The session is usable at once; its `status.phase` tells when the text is there.
   */
  open(id: string): DocumentSession {
    let entry = this.#entries.get(id);
    if (!entry) this.#entries.set(id, (entry = this.#newEntry(id)));
    entry.users++;
    this.#host.clearTimeout(entry.closing);
    return entry.session;
  }

  /** Tries to connect at once instead of waiting out the delay. */
  retryNow(): void {
    this.#connection.retryNow();
  }

  /** Closes every document and the socket. What is unsaved stays on the device. */
  async close(): Promise<void> {
    this.#rescue.stop();
    for (const entry of this.#entries.values()) this.#shut(entry);
    await Promise.all(this.#leaving.values());
    this.#connection.close();
  }

  #connect(): Connection {
    const { url, token, transports } = this.#options;
    return new Connection({ host: this.#host, url, token, transports });
  }

  #newEntry(id: string): Entry {
    const options = { leave: () => this.#leave(entry), after: this.#leaving.get(id) };
    const session = new DocumentSession(id, this.#context, this.#connection, options);
    const entry: Entry = { session, users: 0, closing: undefined };
    return entry;
  }

  // A handle closed once too often, or long after, must not close the document under somebody else.
  #leave(entry: Entry): void {
    if (entry.users === 0 || --entry.users > 0) return;
    entry.closing = this.#host.setTimeout(() => this.#shut(entry), LINGER_MS);
  }

  #shut(entry: Entry): void {
    this.#host.clearTimeout(entry.closing);
    entry.users = 0;
    const { id } = entry.session;
    this.#entries.delete(id);
    const done = entry.session.shut().finally(() => {
      if (this.#leaving.get(id) === done) this.#leaving.delete(id);
    });
    this.#leaving.set(id, done);
  }
}

/** A client for the documents of one server. Creating it touches nothing; opening a document connects. */
export function createClient(options: ClientOptions = {}): ConcordClient {
  return new ConcordClient(options);
}
