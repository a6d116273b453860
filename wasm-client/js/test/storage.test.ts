import 'fake-indexeddb/auto';

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { claim, lockName } from '../src/claim.js';
import { leaseLocks, webLocks } from '../src/lock.js';
import { plain } from '../src/plain.js';
import { applyPatch, difference } from '../src/textarea/splice.js';
import { Saver } from '../src/saver.js';
import { memoryStore, openStore, type QueueRecord, type QueueStore } from '../src/storage.js';
import { settle, Tab, until, World } from './support/world.js';

function record(client: string, change: Partial<QueueRecord> = {}): QueueRecord {
  return {
    doc: 'd1', client, epoch: 'e', state: 'state', title: 'Title', role: 'editor', pending: 0, unsavedEdits: 0,
    savedAt: 1_000_000, rejected: [], ...change,
  };
}

let databases = 0;
/** A store on a database of its own. */
async function freshStore(): Promise<QueueStore> {
  const { IDBFactory } = await import('fake-indexeddb');
  databases++;
  return openStore(new IDBFactory());
}

describe('store', () => {
  for (const [name, open] of [['indexeddb', freshStore], ['memory', async () => memoryStore()]] as const) {
    test(`${name}: a record comes back as it was written, by document, key and pending state`, async () => {
      const store = await open();
      const full = record('c1', {
        pending: 1, unsavedEdits: 3, unsavedSince: 7, state: 'ünïcode 😀 \n', rejected: [{ text: 'x', code: 'forbidden' }],
      });
      await store.put(full);
      await store.put(record('c2'));
      await store.put(record('c3', { doc: 'd2', pending: 1 }));
      assert.deepEqual(await store.get({ doc: 'd1', client: 'c1' }), full);
      assert.equal(await store.get({ doc: 'd1', client: 'c3' }), undefined);
      assert.deepEqual((await store.list('d1')).map((r) => r.client).sort(), ['c1', 'c2']);
      assert.deepEqual((await store.pending()).map((r) => r.client).sort(), ['c1', 'c3']);
      await store.put(record('c1'));
      assert.deepEqual((await store.pending()).map((r) => r.client), ['c3']);
      await store.delete({ doc: 'd1', client: 'c1' });
      assert.deepEqual((await store.list('d1')).map((r) => r.client), ['c2']);
    });
  }

  test('missing, refusing and silent databases give memory, and say so', async () => {
    assert.equal((await openStore(undefined)).durable, false);
    const refusing = { open: () => { throw new Error('SecurityError'); } } as unknown as IDBFactory;
    assert.equal((await openStore(refusing)).durable, false);
    assert.equal((await freshStore()).durable, true);
    assert.equal(databases > 0, true);
  });
});

describe('saver', () => {
  function start(store: QueueStore) {
    const world = new World();
    const tab = new Tab(world);
    const state = { unsent: false, text: '' };
    const saver = new Saver(
      tab.host, store, () => ({ record: record('c', { state: state.text }), unsent: state.unsent }), () => {},
    );
    return { world, tab, state, saver, saved: async () => (await store.get({ doc: 'd1', client: 'c' }))?.state };
  }

  test('a stream of edits is stored within 150 ms of the first', async () => {
    const { world, state, saver, saved } = start(await freshStore());
    for (let key = 0; key < 10; key++) {
      state.text += 'x';
      saver.touch('edit');
      assert.equal(saver.stored, false);
      await world.pass(14);
    }
    await world.pass(10);
    assert.ok((await saved())?.length, 'stored while the typing goes on');
    await world.pass(150);
    await until('stored', () => saver.stored);
    assert.equal(await saved(), 'xxxxxxxxxx');
  });

  test('hiding or leaving the page stores at once', async () => {
    for (const event of ['hidden', 'pagehide'] as const) {
      const { tab, state, saver, saved } = start(await freshStore());
      state.text = event;
      saver.touch('edit');
      tab.fire(event);
      await until('stored', () => saver.stored);
      assert.equal(await saved(), event);
    }
  });

  test('"stored" is never said of memory, nor after a failed write; a later write makes it true', async () => {
    const memory = start(memoryStore());
    memory.saver.touch('edit');
    await memory.world.pass(200);
    assert.equal(memory.saver.stored, false);

    const store = await freshStore();
    let full = true;
    const failing = { ...store, put: (r: QueueRecord) => (full ? Promise.reject(new Error('QuotaExceededError')) : store.put(r)) };
    const { world, saver } = start(failing);
    saver.touch('edit');
    await world.pass(200);
    assert.deepEqual([saver.stored, saver.available], [false, false]);
    full = false;
    saver.touch('edit');
    await world.pass(200);
    await until('stored', () => saver.stored);
    assert.equal(saver.available, true);
  });

  test('it knows that a stored record may hold edits of no stored submission', async () => {
    const { state, saver } = start(await freshStore());
    assert.equal(saver.holdsUnsent, false);
    state.unsent = true;
    saver.touch('edit');
    const writing = saver.flush();
    assert.equal(saver.holdsUnsent, true, 'from the moment the write may have happened');
    await writing;
    state.unsent = false;
    saver.touch('own');
    const frozen = saver.flush();
    assert.equal(saver.holdsUnsent, true, 'until the frozen form is in a completed transaction');
    await frozen;
    assert.equal(saver.holdsUnsent, false);
  });

  test('a frozen form that is stored late says nothing of edits whose write has begun since', async () => {
    const { state, saver } = start(await freshStore());
    state.unsent = true;
    saver.touch('edit');
    await saver.flush();
    state.unsent = false;
    saver.touch('own');
    const frozen = saver.flush();
    state.unsent = true;
    saver.touch('edit');
    const typedSince = saver.flush();
    await frozen;
    assert.equal(saver.holdsUnsent, true);
    await typedSince;
    assert.equal(saver.holdsUnsent, true);
  });

  test('what is typed while the page is hidden or goes away is stored at once', async () => {
    for (const event of ['hidden', 'pagehide'] as const) {
      const { tab, state, saver, saved } = start(await freshStore());
      tab.fire(event);
      state.text = 'the word an input method had open';
      saver.touch('edit');
      await until('stored', () => saver.stored);
      assert.equal(await saved(), state.text);
    }
  });
});

describe('locks', () => {
  test('web locks: one holder, an immediate no, a patient second', async () => {
    const world = new World();
    const queue = new Map<string, (() => void)[]>();
    // What the Web Locks specification says of exclusive requests, as far as it is used here.
    const request = async (
      name: string,
      options: LockOptions,
      callback: (lock: object | null) => Promise<void> | void,
    ): Promise<void> => {
      const waiting = queue.get(name);
      if (waiting && options.ifAvailable) return callback(null);
      if (waiting) {
        await new Promise<void>((resolve, reject) => {
          waiting.push(resolve);
          options.signal?.addEventListener('abort', () => {
            waiting.splice(waiting.indexOf(resolve), 1);
            reject(new Error('AbortError'));
          });
        });
      }
      queue.set(name, queue.get(name) ?? []);
      await callback({ name });
      const next = queue.get(name)?.shift();
      if (next) next();
      else queue.delete(name);
    };
    const locks = webLocks({ request } as unknown as LockManager, new Tab(world).host);
    const first = await locks.acquire('a', 0, () => {});
    assert.ok(first);
    assert.equal(await locks.acquire('a', 0, () => {}), null);
    const impatient = locks.acquire('a', 400, () => {});
    await world.pass(400);
    assert.equal(await impatient, null);
    const patient = locks.acquire('b', 0, () => {}).then(() => locks.acquire('a', 400, () => {}));
    await settle();
    first.release();
    assert.ok(await patient);
  });

  function shared() {
    const entries = new Map<string, string>();
    return {
      getItem: (key: string) => entries.get(key) ?? null,
      setItem: (key: string, value: string) => void entries.set(key, value),
      removeItem: (key: string) => void entries.delete(key),
    };
  }

  test('leases: one holder, freed by release and by leaving the page, renewed while the tab lives', async () => {
    const world = new World();
    const [storage, one, two] = [shared(), new Tab(world), new Tab(world)];
    const [mine, theirs] = [leaseLocks(storage, one.host), leaseLocks(storage, two.host)];
    const take = async (locks: typeof mine, waitMs = 0) => {
      const taken = locks.acquire('n', waitMs, () => {});
      await world.pass(60 + waitMs);
      return taken;
    };
    const lock = await take(mine);
    assert.ok(lock);
    await world.pass(3_600_000);
    assert.equal(await take(theirs), null, 'held for an hour');
    lock.release();
    assert.ok(await take(theirs));
    two.fire('pagehide');
    assert.ok(await take(mine), 'the other tab has left');
  });

  test('leases: a storage that is full gives no lock, and no error either', async () => {
    const world = new World();
    const tab = new Tab(world);
    const full = { ...shared(), setItem: () => { throw new Error('QuotaExceededError'); } };
    const taking = leaseLocks(full, tab.host).acquire('n', 0, () => {});
    await world.pass(60);
    assert.equal(await taking, null);
  });

  test('leases: a crashed tab frees its name in time, and a frozen tab notices that it lost it', async () => {
    const world = new World();
    const [storage, one, two] = [shared(), new Tab(world), new Tab(world)];
    let lost = 0;
    const first = leaseLocks(storage, one.host).acquire('n', 0, () => lost++);
    await world.pass(60);
    assert.ok(await first);
    await one.end('crash');
    await world.pass(200_000);
    const second = leaseLocks(storage, two.host).acquire('n', 0, () => lost++);
    await world.pass(60);
    assert.ok(await second);
    storage.setItem('n', `somebody ${world.time + 60_000}`);
    two.fire('visible');
    assert.equal(lost, 1);
  });
});

describe('claim', () => {
  async function start(records: QueueRecord[]) {
    const world = new World();
    const store = await freshStore();
    for (const each of records) await store.put(each);
    const take = (tab: Tab) => claim('d1', tab.host, tab.locks, store, () => {});
    return { world, store, take };
  }

  test('a new tab without anything stored takes a new id and remembers it', async () => {
    const { world, take } = await start([]);
    const tab = new Tab(world);
    const { client, record: found, seed } = await take(tab);
    assert.match(client, /^[0-9a-f]{32}$/);
    assert.deepEqual([found, seed], [undefined, undefined]);
    assert.deepEqual([...tab.memory.values()], [client]);
  });

  test('a reload continues under the same id, a duplicated tab takes another', async () => {
    const { world, store, take } = await start([]);
    const tab = new Tab(world);
    const { client } = await take(tab);
    await store.put(record(client, { pending: 1 }));
    const copy = new Tab(world, new Map(tab.memory));
    const copying = take(copy);
    await world.pass(500);
    const copied = await copying;
    assert.notEqual(copied.client, client);
    assert.equal(copied.record, undefined, 'the queue stays with its tab');
    assert.equal(copied.seed?.client, client, 'but its text may be shown');
    await tab.end('close');
    const again = await take(new Tab(world, tab.memory));
    assert.equal(again.client, client);
    assert.equal(again.record?.pending, 1);
  });

  test('a reload waits for the old page to let go', async () => {
    const { world, take } = await start([]);
    const tab = new Tab(world);
    const { client } = await take(tab);
    const reloading = take(new Tab(world, tab.memory));
    await settle();
    world.releaseAll(tab);
    await world.pass(500);
    assert.equal((await reloading).client, client);
  });

  test('a new tab adopts the queue of a tab that is gone: unsaved work before newer, idle state', async () => {
    const { world, take } = await start([
      record('idle', { savedAt: 3 }), record('work', { savedAt: 1, pending: 1 }), record('living', { savedAt: 2, pending: 1 }),
    ]);
    await new Tab(world).locks.acquire(lockName('living'), 0, () => {});
    const first = await take(new Tab(world));
    assert.equal(first.record?.client, 'work');
    assert.equal((await take(new Tab(world))).record?.client, 'idle');
    const third = await take(new Tab(world));
    assert.equal(third.record, undefined);
    assert.equal(third.seed?.client, 'idle', 'the newest text, whoever holds it');
  });

  test('idle states do not pile up, unsaved work and refused edits always stay', async () => {
    const { world, store, take } = await start([
      record('old1', { savedAt: 1 }), record('old2', { savedAt: 2 }), record('work', { pending: 1 }),
      record('refused', { savedAt: 3, rejected: [{ text: 'x', code: 'forbidden' }] }), record('new', { savedAt: 900_000 }),
    ]);
    const { client } = await take(new Tab(world));
    assert.equal(client, 'work');
    assert.deepEqual((await store.list('d1')).map((r) => r.client).sort(), ['new', 'refused', 'work']);
  });

  test('an idle state is looked at again before it goes: its tab may have written and closed since', async () => {
    const { world, store } = await start([record('mine', { savedAt: 5 }), record('newest', { savedAt: 4 }), record('idle', { savedAt: 1 })]);
    const tab = new Tab(world);
    const late = { ...store, list: async (doc: string) => {
      const records = await store.list(doc);
      await store.put(record('idle', { pending: 1, unsavedEdits: 1 }));
      return records;
    } };
    await claim('d1', tab.host, tab.locks, late, () => {});
    assert.equal((await store.get({ doc: 'd1', client: 'idle' }))?.pending, 1);
  });

  test('without a store that lasts, the id of a stored queue is left alone', async () => {
    const { world, store, take } = await start([]);
    const tab = new Tab(world);
    const { client } = await take(tab);
    await store.put(record(client, { pending: 1 }));
    await tab.end('close');
    const blind = new Tab(world, tab.memory);
    const other = await claim('d1', blind.host, blind.locks, memoryStore(), () => {});
    assert.notEqual(other.client, client, 'its numbers may be used up by what is stored');
    await blind.end('close');
    assert.equal((await take(new Tab(world, blind.memory))).record?.client, client);
  });

  test('a queue that cannot be read just now is not written over', async () => {
    const { world, store, take } = await start([]);
    const tab = new Tab(world);
    const { client } = await take(tab);
    await store.put(record(client, { pending: 1 }));
    await tab.end('close');
    const next = new Tab(world, tab.memory);
    const broken = { ...store, get: () => Promise.reject(new Error('UnknownError')) };
    assert.notEqual((await claim('d1', next.host, next.locks, broken, () => {})).client, client);
    assert.equal((await take(new Tab(world))).record?.client, client, 'its lock is free for the next tab');
  });

  test('a store that cannot be read does not keep anybody from writing', async () => {
    const { world, store } = await start([]);
    const tab = new Tab(world);
    const broken = { ...store, list: () => Promise.reject(new Error('corrupt')), get: () => Promise.reject(new Error('corrupt')) };
    assert.ok((await claim('d1', tab.host, tab.locks, broken, () => {})).client);
  });
});

describe('plain text', () => {
  test('line ends become LF, NUL goes, a lone surrogate becomes U+FFFD, everything else stays', () => {
    const cases: [string, string][] = [
      ['', ''], ['a\r\nb\rc\n', 'a\nb\nc\n'], ['\r\r\n\n', '\n\n\n'], ['a\0b', 'ab'],
      ['\ud83d', '\ufffd'], ['\ude00x', '\ufffdx'], ['\ud83d\ud83d\ude00', '\ufffd😀'], ['😀\ufffd\u200d\t', '😀\ufffd\u200d\t'],
    ];
    for (const [text, expected] of cases) assert.equal(plain(text), expected, JSON.stringify(text));
  });

  test('a difference leads from what is shown to what is wanted', () => {
    for (const [shown, wanted] of [['', 'a'], ['aaa', 'aa'], ['abc', 'axc'], ['\ud83d', '\ufffd'], ['a\r\nb', 'a\nb'], ['aba', 'ababa']] as const) {
      const patch = difference(shown, wanted);
      assert.ok(patch);
      assert.equal(applyPatch(shown, patch), wanted);
    }
    assert.equal(difference('same', 'same'), null);
  });
});
