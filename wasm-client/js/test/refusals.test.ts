import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parse } from './support/frames.js';
import { DOC, Stage } from './support/stage.js';

describe('limits and refusals', () => {
  test('a big paste is split by the limits of welcome and undone by one undo', async () => {
    const stage = new Stage('ab');
    stage.server.limits.text_bytes_max = 1_000;
    const actor = await stage.ready();
    const paste = '0123456789é😀'.repeat(700);
    actor.editor.replace(1, 0, paste);
    assert.equal(actor.session.status.unsavedEdits, 1);
    await stage.quiet(actor);
    assert.equal(stage.server.text, `a${paste}b`);
    assert.ok(stage.server.submits.length >= 11);
    for (const frame of stage.server.submits) {
      const inserted = parse(frame).op.filter((component) => typeof component === 'string').join('');
      assert.ok(new TextEncoder().encode(inserted).length <= 1_000);
    }
    actor.session.undo();
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'ab');
    assert.equal(actor.session.canUndo, false);
  });

  test('a retryable reject is followed by the same bytes after the time the server names', async () => {
    for (const code of ['slow_down', 'storage_unavailable', 'overloaded']) {
      const stage = new Stage();
      const actor = await stage.ready();
      let refusals = 2;
      stage.server.judge = () => (refusals-- > 0 ? { code, retry_ms: 2_000 } : undefined);
      actor.editor.type('ab');
      await stage.world.pass(1_999);
      assert.equal(stage.server.submits.length, 1, code);
      await stage.quiet(actor);
      assert.equal(new Set(stage.server.submits.slice(0, 3)).size, 1, 'three times the same');
      assert.equal(stage.server.text, 'ab');
      assert.equal(actor.session.status.rejected, undefined);
    }
  });

  test('a document that the server has trouble with is joined again after a pause, for as long as it takes', async () => {
    const stage = new Stage('base');
    const actor = await stage.ready();
    for (const code of ['internal', 'storage_unavailable', 'internal', 'overloaded', 'internal', 'storage_unavailable', 'internal']) {
      const before = stage.server.joins;
      stage.server.endChannels(code);
      actor.editor.type('x');
      await stage.world.pass(400);
      assert.equal(stage.server.joins, before, 'not at once');
      assert.equal(actor.session.status.error?.code, code);
      await stage.quiet(actor);
    }
    assert.equal(stage.server.text, 'basexxxxxxx');
    assert.equal(actor.client.connection.state, 'connected');
  });

  test('a deleted document stays readable, and goes on where it was when it is restored', async () => {
    const stage = new Stage('base');
    const actor = await stage.ready();
    const restored = (was: string, save: string) => {
      assert.deepEqual([actor.session.status.phase, actor.session.status.save, actor.session.text()], ['ready', save, was]);
    };
    actor.editor.type('1');
    stage.server.broadcast({ type: 'deleted' });
    actor.editor.type('2');
    await stage.world.pass(1);
    assert.equal(actor.session.status.error?.code, 'document_deleted');
    assert.equal(actor.session.readOnly, true);
    assert.equal(actor.session.text(), 'base1');
    stage.server.broadcast({ type: 'restored' });
    await stage.world.pass(1);
    restored('base1', 'saved');
    assert.equal(actor.session.status.error, undefined);
    actor.editor.type('3');
    await stage.quiet(actor);
    restored('base13', 'saved');
  });

  test('what was typed before a deletion was heard of waits until the document is restored', async () => {
    const stage = new Stage('base');
    const actor = await stage.ready();
    stage.server.broadcast({ type: 'slow_down', ms: 1_000 });
    actor.editor.type('!');
    await stage.world.pass(1);
    stage.server.broadcast({ type: 'deleted' });
    await stage.world.pass(10_000);
    assert.equal(stage.server.submits.length, 0);
    assert.equal(actor.session.status.unsavedEdits, 1);
    stage.server.broadcast({ type: 'restored' });
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'base!');
  });

  test('a selection too many and a join too many cost nothing but a pause', async () => {
    const stage = new Stage('base');
    const actor = await stage.ready();
    stage.server.broadcast({ type: 'error', code: 'slow_down', fatal: false });
    await stage.world.pass(10_000);
    assert.equal(stage.server.joins, 1, 'still joined');
    let refusals = 3;
    stage.server.onJoin = (join) => (refusals-- > 0 ? { type: 'error', code: 'slow_down', fatal: false, doc: join.doc } : undefined);
    stage.server.cut();
    actor.editor.type('!');
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'base!');
  });

  test('a selection that had no effect is told again, as it is by then', async () => {
    const stage = new Stage('base');
    const actor = await stage.ready();
    actor.session.setSelection({ anchor: 1, head: 3 });
    await stage.world.pass(1_000);
    assert.equal(stage.server.selects.length, 1);
    stage.server.broadcast({ type: 'error', code: 'slow_down', fatal: false });
    await stage.world.pass(1_000);
    assert.deepEqual(stage.server.selects.slice(1).map((frame) => parse(frame).ranges), [[[1, 3]]]);
  });

  test('slow_down makes it wait and send more at once', async () => {
    const stage = new Stage();
    const actor = await stage.ready();
    stage.server.broadcast({ type: 'slow_down', ms: 3_000 });
    for (let key = 0; key < 10; key++) {
      actor.editor.type('k');
      await stage.world.pass(200);
    }
    assert.equal(stage.server.submits.length, 0);
    assert.equal(actor.session.status.save, 'saving');
    await stage.quiet(actor);
    assert.deepEqual(stage.server.submits.map((frame) => parse(frame).op), [['kkkkkkkkkk']]);
  });

  test('slow_down is waited out by a clock that nobody sets', async () => {
    for (const set of [-3_600_000, 3_600_000]) {
      const stage = new Stage();
      const actor = await stage.ready();
      stage.server.broadcast({ type: 'slow_down', ms: 3_000 });
      stage.world.set = set;
      actor.editor.type('k');
      await stage.world.pass(2_500);
      assert.equal(stage.server.submits.length, 0);
      await stage.world.pass(1_000);
      assert.equal(stage.server.submits.length, 1, `the wall clock was set by ${set} ms`);
      await stage.quiet(actor);
    }
  });

  test('a final reject takes the edit back, keeps its text, and goes on with a higher number', async () => {
    const stage = new Stage('base ');
    const actor = await stage.ready();
    stage.server.judge = (submit) => (submit.op.some((c) => typeof c === 'string' && c.includes('bad')) ? { code: 'bad_text' } : undefined);
    actor.editor.replace(5, 0, 'bad words');
    actor.editor.replace(0, 0, 'later ');
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'later base ');
    assert.deepEqual(actor.session.status.rejected, [{ text: 'bad words', code: 'bad_text' }]);
    assert.ok(parse(stage.server.submits.at(-1) ?? '').seq > 1);
    actor.session.dismissRejected();
    assert.equal(actor.session.status.rejected, undefined);
  });

  test('a refused big paste comes back as one text', async () => {
    const stage = new Stage('full');
    stage.server.limits.text_bytes_max = 1_000;
    stage.server.judge = (submit) => (submit.op.some((c) => typeof c === 'string') ? { code: 'document_full' } : undefined);
    const actor = await stage.ready();
    const paste = 'p'.repeat(5_500);
    actor.editor.replace(4, 0, paste);
    await stage.quiet(actor);
    assert.deepEqual(actor.session.status.rejected, [{ text: paste, code: 'document_full' }]);
    actor.editor.replace(0, 1, '');
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'ull', 'deleting still works');
  });

  test('a viewer reads along; edits are taken back in the editor', async () => {
    const stage = new Stage('read me');
    stage.server.role = 'viewer';
    const { session, editor } = await stage.ready();
    assert.ok(session.readOnly && session.status.readOnly);
    editor.replace(0, 4, 'write');
    assert.equal(editor.value, 'read me');
    session.editByDiff((editor.value = 'nonsense'), null);
    assert.equal(editor.value, 'read me');
    stage.server.insert(7, '!');
    await stage.world.pass(1);
    assert.equal(editor.value, 'read me!');
    assert.equal(stage.server.submits.length, 0);
  });

  test('a right taken away makes the document read-only and keeps the unsent text', async () => {
    const stage = new Stage('x');
    const { session, editor } = await stage.ready();
    stage.server.judge = () => ({ code: 'forbidden' });
    editor.type('mine');
    await stage.world.pass(100);
    assert.ok(session.status.readOnly);
    assert.deepEqual(session.status.rejected?.map((edit) => edit.text).join(''), 'mine');
    assert.equal(editor.value, 'x');
  });

  test('a document that is not there is an error with its code', async () => {
    const stage = new Stage();
    stage.server.onJoin = (join) => ({ type: 'error', code: 'not_found', fatal: false, doc: join.doc });
    const { session, errors } = await stage.open();
    assert.equal(session.status.phase, 'error');
    assert.equal(session.status.error?.code, 'not_found');
    assert.deepEqual(errors.map((error) => error.code), ['not_found']);
  });

  test('a join the server cannot answer now is tried again', async () => {
    const stage = new Stage('there');
    let times = 3;
    stage.server.onJoin = (join) => (times-- > 0 ? { type: 'error', code: 'overloaded', fatal: false, doc: join.doc } : undefined);
    const { session } = await stage.open();
    await stage.world.pass(60_000);
    assert.equal(session.text(), 'there');
    assert.equal(session.status.error, undefined);
  });

  test('a client id that belongs to somebody else is changed, with the work kept', async () => {
    const stage = new Stage('x');
    const first = await stage.ready();
    stage.online(false);
    first.editor.type('kept');
    await stage.world.pass(500);
    const taken = first.session.client;
    stage.server.onJoin = (join) => (join.client === taken ? { type: 'error', code: 'client_taken', fatal: false, doc: join.doc } : undefined);
    stage.online(true);
    await stage.quiet(first);
    assert.equal(stage.server.text, 'xkept');
    assert.notEqual(first.session.client, taken);
    assert.deepEqual((await (await stage.store).list(DOC)).map((record) => record.client), [first.session.client]);
  });

  test('work that goes on under another id stays on the device when it cannot be written anew', async () => {
    const stage = new Stage('x');
    const store = await stage.store;
    let full = false;
    const put: typeof store.put = (record, instead) => (full ? Promise.reject(new Error('full')) : store.put(record, instead));
    stage.store = Promise.resolve({ ...store, put });
    const { session, editor } = await stage.ready();
    stage.online(false);
    editor.type('kept');
    await stage.world.pass(500);
    const taken = session.client ?? '';
    full = true;
    stage.server.judge = () => ({ code: 'storage_unavailable', retry_ms: 1_000 });
    stage.server.onJoin = (join) => (join.client === taken ? { type: 'error', code: 'client_taken', fatal: false, doc: join.doc } : undefined);
    stage.online(true);
    await stage.world.pass(10_000);
    assert.notEqual(session.client, taken);
    assert.equal((await store.get({ doc: DOC, client: taken }))?.pending, 1);
    full = false;
    editor.type('!');
    await stage.world.pass(500);
    assert.deepEqual((await store.list(DOC)).map((record) => [record.client, record.pending]), [[session.client, 1]]);
  });
});
