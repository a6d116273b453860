import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { DOC, Stage } from './support/stage.js';
import { until } from './support/world.js';

const count = (text: string, part: string): number => text.split(part).length - 1;

describe('offline', () => {
  test('edits are counted, aged, and on the device before the status says so', async () => {
    const stage = new Stage('x');
    const { client, session, editor } = await stage.ready();
    stage.online(false);
    assert.equal(client.connection.state, 'offline');
    editor.type('abc');
    assert.deepEqual(
      [session.status.save, session.status.unsavedEdits, session.status.storedOnDevice],
      ['unsaved', 3, false],
    );
    await stage.world.pass(200);
    assert.equal(session.status.storedOnDevice, true);
    const [record] = await (await stage.store).list(DOC);
    assert.equal(record?.pending, 1);
    assert.equal(record.unsavedEdits, 3);
    await stage.world.pass(60_000);
    const age = session.status.oldestUnsavedMs ?? 0;
    assert.ok(age >= 60_000 && age < 62_000, `age ${age}`);
  });

  test('a reload while offline shows the text, keeps the edits, and sends them once', async () => {
    const stage = new Stage('Server text. ');
    const before = await stage.ready();
    before.editor.type('sent ');
    await stage.world.pass(10);
    stage.online(false);
    before.editor.type('kept 😀');
    await before.tab.end('close');
    const after = await stage.ready(before.tab.memory);
    assert.equal(after.session.text(), 'Server text. sent kept 😀');
    assert.equal(after.editor.value, after.session.text());
    assert.equal(after.session.status.save, 'unsaved');
    assert.ok(after.session.status.unsavedEdits >= 6);
    assert.equal(after.session.readOnly, false);
    after.editor.type('!');
    stage.server.insert(0, '# ');
    stage.online(true);
    await stage.quiet(after);
    assert.equal(stage.server.text, '# Server text. sent kept 😀!');
  });

  test('a document that was only opened is stored the moment its text is there', async () => {
    const stage = new Stage('x');
    const store = await stage.store;
    const storedAt: number[] = [];
    stage.store = Promise.resolve({
      ...store,
      put: (record, instead) => {
        storedAt.push(stage.world.time);
        return store.put(record, instead);
      },
    });
    const openedAt = stage.world.time;
    const before = await stage.ready();
    await before.tab.end('crash');
    assert.ok((storedAt[0] ?? Infinity) < openedAt + 100, `opened at ${openedAt}, stored at ${storedAt.join(', ')}`);
    stage.online(false);
    const after = await stage.ready(before.tab.memory);
    assert.equal(after.session.text(), 'x');
  });

  test('a crash between sending and storing doubles nothing', async () => {
    for (const crashAfterMs of [0, 1, 2, 5, 50, 119, 121, 300]) {
      const stage = new Stage('x');
      const before = await stage.ready();
      stage.online(false);
      before.editor.type('once');
      await stage.world.pass(500);
      stage.online(true);
      await stage.world.pass(crashAfterMs);
      await before.tab.end('crash');
      const after = await stage.ready(before.tab.memory);
      await stage.quiet(after);
      assert.equal(stage.server.text, 'xonce', `crash ${crashAfterMs} ms after the network came back`);
    }
  });

  test('a crash with one submission acknowledged and the next under way doubles nothing', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const stage = new Stage('x');
      const before = await stage.ready();
      stage.server.loseAnswers = true;
      before.editor.type('ab');
      await stage.world.pass(300);
      stage.server.loseAnswers = false;
      stage.server.insert(0, '.');
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      await before.tab.end('crash');
      const after = await stage.ready(before.tab.memory);
      await stage.quiet(after);
      assert.equal(count(stage.server.text, 'a'), 1, `crash after ${turns} turns`);
      assert.equal(count(stage.server.text, 'b'), 1, `crash after ${turns} turns`);
    }
  });

  test('edits that were committed but never stored come back from the server', async () => {
    const stage = new Stage('x');
    const before = await stage.ready();
    before.editor.type('gone?');
    await stage.world.pass(5);
    await before.tab.end('crash');
    assert.equal(stage.server.text, 'xgone?');
    const after = await stage.ready(before.tab.memory);
    after.editor.type('!');
    await stage.quiet(after);
    assert.equal(stage.server.text, 'xgone?!');
  });

  test('without storage it works on, and never says "on this device"', async () => {
    const stage = new Stage('x', { storage: 'memory' });
    const actor = await stage.ready();
    stage.online(false);
    actor.editor.type('y');
    await stage.world.pass(1_000);
    assert.deepEqual([actor.session.status.storedOnDevice, actor.session.status.storageAvailable], [false, false]);
    stage.online(true);
    await stage.quiet(actor);
  });

  test('a store that fails after it has taken edits doubles nothing', async () => {
    const stage = new Stage('x');
    const store = await stage.store;
    let full = false;
    stage.store = Promise.resolve({
      ...store,
      put: (record, instead) => (full ? Promise.reject(new Error('QuotaExceededError')) : store.put(record, instead)),
    });
    const before = await stage.ready();
    stage.online(false);
    before.editor.type('once');
    await stage.world.pass(500);
    full = true;
    stage.online(true);
    await stage.quiet(before);
    await before.tab.end('crash');
    full = false;
    const after = await stage.ready(before.tab.memory);
    await stage.quiet(after);
    assert.equal(stage.server.text, 'xonce');
  });

  test('a document opened again while its last words are being stored shows them', async () => {
    const stage = new Stage('x');
    const store = await stage.store;
    let write: (() => void) | undefined;
    let slow = false;
    stage.store = Promise.resolve({
      ...store,
      put: async (record, instead) => {
        if (slow) await new Promise<void>((resolve) => (write = resolve));
        return store.put(record, instead);
      },
    });
    const actor = await stage.ready();
    stage.online(false);
    slow = true;
    actor.editor.type('y');
    actor.session.close();
    await stage.world.pass(300);
    const again = actor.client.open(DOC);
    assert.notEqual(again, actor.session, 'the first one is on its way out');
    await stage.world.pass(1_000);
    slow = false;
    write?.();
    await until('the document is ready', () => again.status.phase === 'ready');
    assert.equal(again.text(), 'xy');
    stage.online(true);
    await stage.world.pass(5_000);
    assert.deepEqual([again.status.save, stage.server.text], ['saved', 'xy']);
  });

  test('a tab that lost its id to another one leaves the stored queue to it', async () => {
    const stage = new Stage('x');
    const losses: (() => void)[] = [];
    const { world } = stage;
    const locksOf = world.locksOf.bind(world);
    world.locksOf = (tab) => ({
      acquire: (name, waitMs, lost) => {
        losses.push(lost);
        return locksOf(tab).acquire(name, waitMs, lost);
      },
    });
    const { session, editor, tab } = await stage.ready();
    editor.type('old');
    await world.pass(3_000);
    const store = await stage.store;
    const [mine] = await store.list(DOC);
    assert.ok(mine);
    losses.forEach((lose) => lose());
    assert.equal(session.status.error?.code, 'replaced');
    await store.put({ ...mine, pending: 1, state: 'written by the other tab' });
    await world.pass(3_000);
    tab.fire('pagehide');
    session.close();
    await world.pass(3_000);
    assert.equal((await store.get(mine))?.state, 'written by the other tab');
  });

  test('edits that an older build has left on the device are sent, once', async () => {
    const stage = new Stage('x');
    const store = await stage.store;
    const record = {
      doc: DOC, client: 'c'.repeat(32), epoch: stage.server.epoch, title: '', role: 'editor',
      state: '9:concord-110:xkept 😀0;1;0;1;15:[1,"kept 😀"]0:',
      pending: 1 as const, unsavedEdits: 6, savedAt: 1, rejected: [],
    };
    await store.put(record);
    const actor = await stage.ready();
    assert.equal(actor.session.text(), 'xkept 😀');
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'xkept 😀');
    assert.deepEqual([actor.errors, await store.pending()], [[], []]);
  });

  test('a record that cannot be read is reported and left alone', async () => {
    const stage = new Stage('from the server');
    const store = await stage.store;
    const record = {
      doc: DOC, client: 'c'.repeat(32), epoch: stage.server.epoch, state: 'rubbish', title: '', role: 'editor',
      pending: 1 as const, unsavedEdits: 1, savedAt: 1, rejected: [],
    };
    await store.put(record);
    const { session, errors } = await stage.ready();
    assert.equal(session.text(), 'from the server');
    assert.deepEqual(errors.map((error) => error.code).slice(0, 1), ['storage_corrupt']);
    assert.notEqual(session.client, record.client);
    assert.ok(await store.get(record));
  });
});

describe('several tabs', () => {
  test('three tabs offline, one closed: a remaining tab sends its queue once', async () => {
    const stage = new Stage('start ');
    const tabs = [await stage.ready(), await stage.ready(), await stage.ready()] as const;
    stage.online(false);
    tabs[0].editor.type('<one>');
    tabs[1].editor.type('<two>');
    tabs[2].editor.type('<three>');
    await stage.world.pass(300);
    await tabs[2].tab.end('close');
    stage.online(true);
    await stage.world.pass(60_000);
    await stage.quiet(tabs[0], tabs[1]);
    for (const part of ['<one>', '<two>', '<three>']) assert.equal(count(stage.server.text, part), 1, part);
    assert.deepEqual((await (await stage.store).pending()), [], 'nothing is left to send');
  });

  test('three tabs offline, one closed: the next tab shows and sends its queue, and nobody doubles it', async () => {
    const stage = new Stage('start ');
    const tabs = [await stage.ready(), await stage.ready(), await stage.ready()] as const;
    stage.online(false);
    for (const [index, { editor }] of tabs.entries()) editor.type(`<${index}>`);
    await stage.world.pass(300);
    await tabs[1].tab.end('crash');
    const next = await stage.ready();
    assert.equal(next.session.text(), 'start <1>');
    next.editor.type('<next>');
    stage.online(true);
    await stage.world.pass(60_000);
    await stage.quiet(tabs[0], tabs[2], next);
    for (const part of ['<0>', '<1>', '<2>', '<next>']) assert.equal(count(stage.server.text, part), 1, part);
  });

  test('all tabs closed offline: the next visit sends everything, of documents it does not open as well', async () => {
    const stage = new Stage('start ');
    const tabs = [await stage.ready(), await stage.ready()];
    stage.online(false);
    for (const [index, { editor }] of tabs.entries()) editor.type(`<${index}>`);
    await stage.world.pass(300);
    for (const { tab } of tabs) await tab.end('close');
    stage.online(true);
    const visit = await stage.open(undefined, 'e'.repeat(32));
    await stage.world.pass(120_000);
    await stage.quiet(visit);
    for (const part of ['<0>', '<1>']) assert.equal(count(stage.server.text, part), 1, part);
  });

  test('a duplicated tab gets a client id of its own, offline with the text to read', async () => {
    const stage = new Stage('shared ');
    const first = await stage.ready();
    stage.online(false);
    first.editor.type('mine');
    await stage.world.pass(300);
    const copy = await stage.ready(new Map(first.tab.memory));
    assert.notEqual(copy.session.client, first.session.client);
    assert.equal(copy.session.text(), 'shared ', 'the text without the other tab\'s unsent edits');
    copy.editor.type('copied');
    stage.online(true);
    await stage.quiet(first, copy);
    for (const part of ['mine', 'copied']) assert.equal(count(stage.server.text, part), 1, part);
  });

  test('a rescued queue that is refused is shown where the document is open', async () => {
    const stage = new Stage('start ');
    const [stays, goes] = [await stage.ready(), await stage.ready()];
    stage.online(false);
    goes.editor.type('unwanted');
    await stage.world.pass(300);
    await goes.tab.end('close');
    stage.server.judge = () => ({ code: 'document_full' });
    stage.online(true);
    await stage.world.pass(60_000);
    assert.deepEqual(stays.session.status.rejected?.map((edit) => edit.text), ['unwanted']);
    assert.deepEqual(await (await stage.store).pending(), []);
  });
});
