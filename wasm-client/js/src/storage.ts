/**
 * Where unsaved work survives a reload: one record per document and client id, written in one transaction.
 *
 * Two stores with one face: IndexedDB, and memory where there is none. `durable` tells which, and the status line
 * repeats it, so that "on this device" is never said of memory.
 */
import type { RejectedEdit } from './types.js';

export interface QueueRecord {
  doc: string;
  client: string;
  /** The epoch that the revision inside `state` belongs to. */
  epoch: string;
  /** What `Engine.export` gave: text, revision, next seq, frozen outstanding operation, buffer. */
  state: string;
  title: string;
  role: string;
  /** 1 while `state` holds edits that the server has not committed; an index finds them. */
  pending: 0 | 1;
  unsavedEdits: number;
  /** Milliseconds since 1970. */
  unsavedSince?: number;
  savedAt: number;
  rejected: RejectedEdit[];
}

export interface QueueKey {
  doc: string;
  client: string;
}

export interface QueueStore {
  /** Whether records survive a reload. */
  readonly durable: boolean;
  list(doc: string): Promise<QueueRecord[]>;
  /** Keys of all records with pending edits, of all documents. */
  pending(): Promise<QueueKey[]>;
  get(key: QueueKey): Promise<QueueRecord | undefined>;
  /** Resolves when the record is in a completed transaction, and the one it replaces is gone by the same one. */
  put(record: QueueRecord, instead?: QueueKey): Promise<void>;
  delete(key: QueueKey): Promise<void>;
}

const DATABASE = 'concord';
const RECORDS = 'queue';
/** Some private modes never answer `open`; waiting longer would only keep the person from writing. */
const OPEN_TIMEOUT_MS = 3_000;

export function memoryStore(): QueueStore {
  const records = new Map<string, QueueRecord>();
  const id = (key: QueueKey) => `${key.doc}/${key.client}`;
  const all = () => [...records.values()];
  return {
    durable: false,
    list: async (doc) => Promise.resolve(all().filter((record) => record.doc === doc)),
    pending: async () => Promise.resolve(all().filter((record) => record.pending)),
    get: async (key) => Promise.resolve(records.get(id(key))),
    put: async (record, instead) => {
      if (instead) records.delete(id(instead));
      return Promise.resolve(void records.set(id(record), record));
    },
    delete: async (key) => Promise.resolve(void records.delete(id(key))),
  };
}

/** IndexedDB, or memory when it is missing, blocked or does not answer. */
export async function openStore(factory: IDBFactory | undefined): Promise<QueueStore> {
  try {
    if (!factory) return memoryStore();
    return indexedStore(await openDatabase(factory));
  } catch {
    return memoryStore();
  }
}

function openDatabase(factory: IDBFactory): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(DATABASE, 1);
    const late = setTimeout(() => reject(new Error('IndexedDB does not answer')), OPEN_TIMEOUT_MS);
    const settle = (done: () => void) => () => {
      clearTimeout(late);
      done();
    };
    request.onupgradeneeded = () => {
      const store = request.result.createObjectStore(RECORDS, { keyPath: ['doc', 'client'] });
      store.createIndex('doc', 'doc');
      store.createIndex('pending', 'pending');
    };
    request.onsuccess = settle(() => resolve(request.result));
    request.onerror = settle(() => reject(request.error ?? new Error('IndexedDB failed')));
  });
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'));
  });
}

function indexedStore(database: IDBDatabase): QueueStore {
  // Another tab with a newer version of this package must not wait for us.
  database.onversionchange = () => database.close();
  const read = () => database.transaction(RECORDS).objectStore(RECORDS);
  const write = (change: (store: IDBObjectStore) => void, durability: IDBTransactionDurability = 'relaxed') =>
    new Promise<void>((resolve, reject) => {
      const transaction = database.transaction(RECORDS, 'readwrite', { durability });
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB failed'));
      change(transaction.objectStore(RECORDS));
      transaction.commit(); // a page that is being closed gets no more turns
    });
  return {
    durable: true,
    list: (doc) => answer(read().index('doc').getAll(doc) as IDBRequest<QueueRecord[]>),
    pending: async () => {
      const keys = (await answer(read().index('pending').getAllKeys(1))) as [string, string][];
      return keys.map(([doc, client]) => ({ doc, client }));
    },
    get: ({ doc, client }) => answer(read().get([doc, client]) as IDBRequest<QueueRecord | undefined>),
    // "On this device" has to be true after a power cut as well; what the server has needs no such care.
    put: (record, instead) =>
      write((store) => {
        if (instead) store.delete([instead.doc, instead.client]);
        store.put(record);
      }, record.pending ? 'strict' : 'relaxed'),
    delete: ({ doc, client }) => write((store) => store.delete([doc, client])),
  };
}
