/**
 * Writes one document's state to the store soon after each change, and says what is stored.
 *
 * Own edits wait at most `SOON_MS`; changes that only came from the server may wait longer, since they can be had
 * again. A page that is hidden or closed writes at once.
 *
 * It also knows whether the store may hold edits that were not frozen into a submission when they were written. Such
 * edits must not be sent before the frozen form is stored: a tab that crashes in between would come back, find them
 * unsent, and send them a second time under another number.
 */
import type { Host, Timer } from './host.js';
import type { QueueKey, QueueRecord, QueueStore } from './storage.js';

const SOON_MS = 120;
const LATER_MS = 2_000;

/** What changed: an own edit, what became of one, or only what the server can tell again. */
export type Change = 'edit' | 'own' | 'remote';

export interface Snapshot {
  record: QueueRecord;
  /** The record holds edits that are in no frozen submission. */
  unsent: boolean;
  /** The record that this one replaces. */
  instead?: QueueKey | undefined;
}

export class Saver {
  readonly #host: Host;
  readonly #store: QueueStore;
  readonly #snapshot: () => Snapshot | undefined;
  readonly #changed: () => void;
  readonly #unlisten: (() => void)[];
  #timer: Timer | undefined;
  #due = Infinity;
  /** Number of changes seen, and of those that a completed transaction holds. */
  #version = 0;
  #storedVersion = 0;
  #editVersion = 0;
  /** The latest change whose write may have put unsent edits into the store; 0 when it holds none. */
  #unsentVersion = 0;
  #hidden = false;
  #failed = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(host: Host, store: QueueStore, snapshot: () => Snapshot | undefined, changed: () => void) {
    this.#host = host;
    this.#store = store;
    this.#snapshot = snapshot;
    this.#changed = changed;
    const hide = () => {
      this.#hidden = true;
      void this.flush();
    };
    const show = () => (this.#hidden = false);
    this.#unlisten = [host.on('pagehide', hide), host.on('hidden', hide), host.on('visible', show)];
  }

  /** The store may hold edits that no stored submission contains. */
  get holdsUnsent(): boolean {
    return this.#unsentVersion > 0 && this.#store.durable;
  }

  /** All own edits are in a completed transaction of a store that survives a reload. */
  get stored(): boolean {
    return this.#store.durable && !this.#failed && this.#storedVersion >= this.#editVersion;
  }

  /** The store exists and the latest write succeeded. */
  get available(): boolean {
    return this.#store.durable && !this.#failed;
  }

  touch(change: Change): void {
    this.#version++;
    if (change === 'edit') this.#editVersion = this.#version;
    // Editors tell their last word when they hear of the same event, and timers may not run any more. In a moment of
    // its own, so that what is frozen for sending now is stored as such.
    if (this.#hidden && change !== 'remote') return queueMicrotask(() => void this.flush());
    const due = this.#host.now() + (change === 'remote' ? LATER_MS : SOON_MS);
    if (due >= this.#due) return; // the earlier deadline holds: a stream of edits must not push it away
    this.#host.clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = this.#host.setTimeout(() => void this.flush(), due - this.#host.now());
  }

  /** Starts the write before it returns, so that it also works while the page goes away. */
  flush(): Promise<void> {
    this.#host.clearTimeout(this.#timer);
    this.#due = Infinity;
    if (this.#version === this.#storedVersion && !this.#failed) return this.#writing;
    const snapshot = this.#snapshot();
    if (!snapshot) return this.#writing;
    if (snapshot.unsent) this.#unsentVersion = this.#version; // as soon as the write may have happened
    this.#writing = this.#write(snapshot, this.#version);
    return this.#writing;
  }

  /**
   * Stores the frozen form of what is about to be sent. Where the store takes nothing more, the record goes: what is
   * in it would be sent a second time.
   */
  async freeze(): Promise<void> {
    await this.flush();
    const version = this.#unsentVersion;
    const record = this.#failed && version > 0 ? this.#snapshot()?.record : undefined;
    if (!record) return;
    const gone = await this.#store.delete(record).then(() => true, () => false);
    if (gone && version === this.#unsentVersion) this.#unsentVersion = 0;
  }

  /** Writes what is left and stops. */
  async stop(): Promise<void> {
    this.#unlisten.forEach((fn) => fn());
    await this.flush();
    this.#host.clearTimeout(this.#timer);
  }

  /** What a tab before this one has left in the store. */
  adopt(unsent: boolean): void {
    if (unsent) this.#unsentVersion = this.#storedVersion = ++this.#version;
  }

  async #write({ record, unsent, instead }: Snapshot, version: number): Promise<void> {
    try {
      await this.#store.put(record, instead);
      this.#storedVersion = Math.max(this.#storedVersion, version);
      if (!unsent && version > this.#unsentVersion) this.#unsentVersion = 0;
      this.#failed = false;
    } catch {
      this.#failed = true; // quota, eviction, a closed database: the next change tries again
    }
    this.#changed();
  }
}
