/**
 * Chooses the client id that a tab uses for a document, and the stored work that comes with it.
 *
 * In this order: the id this tab had before a reload; a stored queue of a tab that is gone, unsaved work first; a new
 * id. A duplicated tab brings a copied id, fails its lock, and goes on down the list.
 */
import type { Host } from './host.js';
import type { Lock, Locks } from './lock.js';
import type { QueueRecord, QueueStore } from './storage.js';

export interface Claim {
  client: string;
  lock: Lock;
  /** The work to continue. */
  record?: QueueRecord;
  /** Another tab's latest state: good as a text to show offline, without that tab's unsaved edits. */
  seed?: QueueRecord;
}

/** A reload may run the new page before the old one's lock is gone. */
const RELOAD_WAIT_MS = 400;
/** Texts of documents nobody has opened for this long are not kept for offline reading. */
const KEEP_IDLE_MS = 30 * 24 * 3600 * 1000;

/** Where a tab keeps the id it uses for a document. */
export const clientKey = (doc: string): string => `concord:client:${doc}`;

export const lockName = (client: string): string => `concord:client:${client}`;

export async function claim(
  doc: string,
  host: Host,
  locks: Locks,
  store: QueueStore,
  lost: () => void,
): Promise<Claim> {
  const key = clientKey(doc);
  // Writing must be possible whatever the disk does: what cannot be read stays as it is, under its id.
  const records = await store.list(doc).catch(() => []);
  const recent = (a: QueueRecord, b: QueueRecord) => b.pending - a.pending || b.savedAt - a.savedAt;
  const known = records.sort(recent).map((record) => record.client);
  // A store that forgets cannot tell which numbers a stored queue has used up: its id waits for a better day.
  const before = store.durable ? host.recall(key) : null;

  let claimed: Claim | undefined;
  for (const client of new Set([...(before ? [before] : []), ...known])) {
    const lock = await locks.acquire(lockName(client), client === before ? RELOAD_WAIT_MS : 0, lost);
    if (!lock) continue;
    // Its last tab may have written since the list was read.
    const record = await store.get({ doc, client }).catch(() => null);
    if (record === null) {
      lock.release();
      continue;
    }
    claimed = { client, lock, ...(record && { record }) };
    break;
  }
  claimed ??= await fresh(host, locks, lost);
  if (store.durable) host.remember(key, claimed.client);
  if (!claimed.record && records[0]) claimed.seed = records.reduce((a, b) => (b.savedAt > a.savedAt ? b : a));
  await sweep(claimed.client, records, host, locks, store);
  return claimed;
}

/** A client id nobody has used. */
export async function fresh(host: Host, locks: Locks, lost: () => void): Promise<Claim> {
  const client = host.uuid();
  const lock = await locks.acquire(lockName(client), 0, lost);
  return { client, lock: lock ?? { release: () => undefined } };
}

/** Removes saved states that serve nobody: no unsaved edits, no tab, and not the latest or too old. */
async function sweep(mine: string, records: QueueRecord[], host: Host, locks: Locks, store: QueueStore): Promise<void> {
  const serves = (record: QueueRecord | undefined) => record && (record.pending || record.rejected.length > 0);
  const idle = records.filter((record) => !serves(record) && record.client !== mine);
  for (const [index, record] of idle.entries()) {
    if (index === 0 && host.now() - record.savedAt < KEEP_IDLE_MS) continue;
    const lock = await locks.acquire(lockName(record.client), 0, () => undefined);
    if (!lock) continue;
    // Its last tab may have written since the list was read.
    const needed = await store.get(record).then(serves, () => true);
    if (!needed) await store.delete(record).catch(() => undefined);
    lock.release();
  }
}
