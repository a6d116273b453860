/**
 * Sends what tabs that are gone have left on this device.
 *
 * A tab that closes offline leaves a queue whose lock is free. The next tab that opens the document continues it;
 * but if another tab is open already and goes online, waiting for that would be waiting for luck. So every connected
 * client looks for free queues, of all documents, and sends each one under its own client id on a short-lived socket
 * of its own: what was in flight is recognised by the server, and nothing is doubled.
 */
import { lockName } from './claim.js';
import type { Connection } from './connection.js';
import type { Timer } from './host.js';
import { DocumentSession, type SessionContext } from './session.js';
import type { QueueKey } from './storage.js';
import type { RejectedEdit } from './types.js';

const EVERY_MS = 30_000;
/** A queue that cannot be sent within this time is left for later. */
const GIVE_UP_MS = 60_000;

export interface RescueOptions {
  context: SessionContext;
  connection: Connection;
  connect: () => Connection;
  /** Edits of a rescued queue that the server refused; true when somebody shows them. */
  rejected: (doc: string, edits: RejectedEdit[]) => boolean;
}

export class Rescue {
  readonly #options: RescueOptions;
  /** Queues that failed for good in this page's life. */
  readonly #hopeless = new Set<string>();
  readonly #unsubscribe: () => void;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  #wasConnected = false;

  constructor(options: RescueOptions) {
    this.#options = options;
    this.#unsubscribe = options.connection.subscribe(() => this.#onConnection());
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe();
    this.#options.context.host.clearTimeout(this.#timer);
  }

  #onConnection(): void {
    const connected = this.#options.connection.state.state === 'connected';
    if (connected && !this.#wasConnected) this.scan();
    this.#wasConnected = connected;
  }

  /** Looks once now, and again every half minute while connected. */
  scan(): void {
    const { host } = this.#options.context;
    host.clearTimeout(this.#timer);
    if (this.#stopped || this.#options.connection.state.state !== 'connected') return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      this.#timer = host.setTimeout(() => this.scan(), EVERY_MS);
    });
  }

  async #run(): Promise<void> {
    const store = await this.#options.context.store;
    const keys = store.durable ? await store.pending().catch(() => []) : [];
    for (const key of keys) {
      if (this.#stopped) return;
      if (!this.#hopeless.has(key.client)) await this.#send(key);
    }
  }

  async #send(key: QueueKey): Promise<void> {
    const { context, connect } = this.#options;
    const store = await context.store;
    const lock = await context.locks.acquire(lockName(key.client), 0, () => undefined);
    if (!lock) return; // a living tab's
    const record = await store.get(key).catch(() => undefined);
    if (!record?.pending) {
      lock.release();
      return;
    }
    const connection = connect();
    const session = new DocumentSession(key.doc, context, connection, {
      given: { client: key.client, lock, record },
    });
    const saved = await this.#settled(session);
    const rejected = session.status.rejected ?? [];
    const { phase } = session.status;
    const failed = phase === 'error' || phase === 'revoked';
    await session.shut();
    connection.close();
    if (failed) this.#hopeless.add(key.client);
    const shown = rejected.length === 0 || this.#options.rejected(key.doc, rejected);
    if (saved && shown) await store.delete(key).catch(() => undefined);
  }

  #settled(session: DocumentSession): Promise<boolean> {
    const { host } = this.#options.context;
    return new Promise((resolve) => {
      const finish = (saved: boolean) => {
        host.clearTimeout(timer);
        unsubscribe();
        resolve(saved);
      };
      const timer = host.setTimeout(() => finish(false), GIVE_UP_MS);
      const unsubscribe = session.subscribe(() => {
        const { phase, save } = session.status;
        if (phase === 'error' || phase === 'revoked') finish(false);
        else if (phase === 'ready' && save === 'saved') finish(true);
      });
    });
  }
}
