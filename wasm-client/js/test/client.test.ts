import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { JSDOM } from 'jsdom';

import { createClient } from '../src/client.js';
import type { Locks } from '../src/lock.js';
import { apply } from './support/ot.js';
import { DOC, Stage } from './support/stage.js';
import { Tab, until } from './support/world.js';

interface SentSubmit { seq: number; rev: number; op: (number | string)[]; ranges?: [number, number][] }
const parse = (frame: string): SentSubmit => JSON.parse(frame) as SentSubmit;
/** A submit frame without the channel, which is new on each connection. */
const body = (frame: string): string => frame.replace(/"ch":\d+,/, '');

describe('writing', () => {
  test('typed text is saved only when the server has committed all of it', async () => {
    const stage = new Stage('Hello');
    const { session, editor } = await stage.ready();
    assert.deepEqual([session.text(), session.title, session.role], ['Hello', 'Notes', 'editor']);
    assert.equal(session.status.save, 'saved');
    editor.type(' world');
    assert.equal(session.status.save, 'saving');
    assert.equal(session.status.unsavedEdits, 6);
    await stage.world.pass(1);
    assert.equal(stage.server.text, 'Hello world');
    assert.equal(session.status.save, 'saved');
    assert.equal(session.status.unsavedEdits, 0);
    assert.equal(session.status.oldestUnsavedMs, undefined);
  });

  test('one submission is in flight; what is typed meanwhile goes as one', async () => {
    const stage = new Stage();
    const { editor } = await stage.ready();
    editor.type('abcdef');
    await stage.world.pass(1);
    assert.deepEqual(stage.server.submits.map((frame) => parse(frame).op), [['a'], [1, 'bcdef']]);
    assert.deepEqual(stage.server.submits.map((frame) => parse(frame).seq), [1, 2]);
  });

  test('two people who type at once end with one text', async () => {
    const stage = new Stage('The 😀 text.');
    const [anna, ben] = [await stage.ready(), await stage.ready()];
    for (let round = 0; round < 60; round++) {
      anna.editor.type('a😀', Math.min(4, anna.editor.value.length));
      ben.editor.type('b', 4);
      ben.editor.replace(ben.editor.value.length - 1, 1, '');
      if (round % 3 === 0) await stage.world.pass(1);
    }
    await stage.quiet(anna, ben);
    assert.equal(stage.server.submits.length > 60, true);
  });

  test('the selection rides with the submission, and alone when nothing is pending', async () => {
    const stage = new Stage('😀x');
    const { session, editor } = await stage.ready();
    editor.replace(2, 0, 'é', { anchor: 3, head: 3 });
    await stage.world.pass(100);
    assert.deepEqual(parse(stage.server.submits[0] ?? '').ranges, [[2, 2]], 'scalar offsets on the wire');
    assert.equal(stage.server.selects.length, 0, 'told once');
    for (let head = 0; head < 4; head++) session.setSelection({ anchor: 0, head: head === 1 ? 2 : head });
    await stage.world.pass(100);
    assert.deepEqual(stage.server.selects.map((frame) => parse(frame).ranges), [[[0, 2]]], 'only the latest of a burst');
    session.setSelection(null);
    await stage.world.pass(100);
    assert.deepEqual(parse(stage.server.selects[1] ?? '').ranges, []);
  });

  test('undo takes back my edit under the edits of others', async () => {
    const stage = new Stage('one two');
    const { session, editor } = await stage.ready();
    editor.replace(0, 3, 'ONE');
    await stage.world.pass(5_000);
    stage.server.insert(7, ' three');
    await stage.world.pass(1);
    assert.equal(session.text(), 'ONE two three');
    assert.ok(session.canUndo);
    assert.ok(session.undo());
    assert.equal(editor.value, 'one two three');
    assert.ok(session.canRedo);
    session.redo();
    assert.equal(editor.value, 'ONE two three');
    while (session.undo());
    await stage.world.pass(1_000);
    assert.equal(stage.server.text, 'one two three');
  });

  test('while an input method composes, remote text waits and own text is sent', async () => {
    const stage = new Stage('ab');
    const { session, editor } = await stage.ready();
    session.hold();
    editor.replace(1, 0, 'に');
    stage.server.insert(0, 'remote ');
    await stage.world.pass(10);
    editor.replace(1, 1, '日本');
    await stage.world.pass(10);
    assert.equal(editor.value, 'a日本b');
    assert.equal(session.text(), 'a日本b', 'the model tells what the editor shows');
    assert.equal(stage.server.text, 'remote a日本b');
    session.release();
    assert.equal(editor.value, 'remote a日本b');
  });

  test('what a document cannot hold is repaired in the editor, not silently different', async () => {
    const stage = new Stage('a😀b');
    const { session, editor } = await stage.ready();
    editor.replace(4, 0, 'x\r\ny\rz\0');
    assert.equal(editor.value, 'a😀bx\ny\nz');
    editor.replace(0, 0, '\ud83d');
    assert.equal(editor.value, '\ufffda😀bx\ny\nz');
    editor.replace(3, 1, '');
    assert.equal(editor.value, '\ufffdabx\ny\nz', 'half a character deleted: the whole one is');
    const shown: string = editor.value;
    editor.value = `\r\n${shown}`;
    session.editByDiff(`\r\n${shown}`, { anchor: 1, head: 1 });
    assert.equal(editor.value, '\n\ufffdabx\ny\nz');
    assert.equal(session.text(), editor.value);
    assert.throws(() => session.edit({ at: 99, deleted: 0, inserted: 'x' }, null), RangeError);
    await stage.world.pass(1);
    assert.equal(stage.server.text, editor.value);
  });
});

describe('lost and found', () => {
  test('after a lost ack the same bytes are sent again and the edit is there once', async () => {
    const stage = new Stage('x');
    const actor = await stage.ready();
    stage.server.loseAnswers = true;
    actor.editor.type('abc');
    await stage.world.pass(10);
    assert.equal(stage.server.revision, 1, 'committed, but nobody knows');
    stage.server.cut();
    actor.editor.type('d');
    stage.server.commit([2, 'other'], 'somebody');
    stage.server.loseAnswers = false;
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'xaotherbcd');
  });

  test('a submission that never arrived is resent byte for byte, whatever has come since', async () => {
    const stage = new Stage('x');
    const actor = await stage.ready();
    const socket = actor.tab.sockets[0];
    assert.ok(socket);
    socket.deafUp = true;
    actor.editor.type('abc');
    stage.server.insert(0, 'remote ');
    const lost = socket.sent.find((frame) => frame.includes('"submit"')) ?? '';
    await stage.quiet(actor);
    assert.equal(body(stage.server.submits[0] ?? ''), body(lost));
    assert.equal(stage.server.text, 'remote xabc');
    assert.equal(socket.open, false, 'an unanswered submission led to a ping and that to a new socket');
  });

  test('an unanswered submission asks for a pong after 5 s and replaces the socket after 10 s', async () => {
    const stage = new Stage();
    const { tab, editor } = await stage.ready();
    await stage.world.pass(1_000);
    const socket = tab.sockets[0];
    assert.ok(socket);
    socket.deafUp = true;
    editor.type('a');
    const pings = () => socket.messages.filter((message) => message.type === 'ping').length;
    const before = pings();
    await stage.world.pass(4_999);
    assert.equal(pings(), before);
    await stage.world.pass(1);
    assert.equal(pings(), before + 1);
    await stage.world.pass(5_000);
    assert.equal(socket.open, false);
  });

  test('connections that break at every turn lose and double nothing', async () => {
    const stage = new Stage('start ');
    const [anna, ben] = [await stage.ready(), await stage.ready()];
    for (let round = 0; round < 40; round++) {
      anna.editor.replace(round % 2 ? 0 : anna.editor.value.length, 0, `<${round}>`);
      ben.editor.replace(ben.editor.value.length, 0, `(${round})`);
      stage.server.loseAnswers = stage.world.random() < 0.3;
      await stage.world.pass(stage.world.random() * 4_000);
      if (stage.world.random() < 0.6) stage.server.cut(stage.world.random() < 0.5 ? 1006 : 1012);
    }
    stage.server.loseAnswers = false;
    stage.server.cut();
    await stage.quiet(anna, ben);
    for (let round = 0; round < 40; round++) {
      assert.equal(stage.server.text.split(`<${round}>`).length, 2, `<${round}> is there once`);
      assert.equal(stage.server.text.split(`(${round})`).length, 2, `(${round}) is there once`);
    }
  });

  test('a gap in the stream is closed by joining again', async () => {
    const stage = new Stage('x');
    const actor = await stage.ready();
    stage.server.broadcast({ type: 'ops', rev: 7, ops: [{ op: [1, 'never'], by: 1 }] });
    actor.editor.type('y');
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'xy');
  });

  test('an operation that does not fit makes it fetch the text and keep what is pending', async () => {
    const stage = new Stage('x');
    const actor = await stage.ready();
    stage.server.loseAnswers = true;
    stage.server.broadcast({ type: 'ops', rev: 0, ops: [{ op: [99], by: 1 }] });
    actor.editor.type('y');
    stage.server.loseAnswers = false;
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'xy');
  });

  test('a stream that never fits ends in an error, not in a loop', async () => {
    const stage = new Stage('x');
    const { session, errors } = await stage.ready();
    for (let round = 0; round < 20; round++) {
      stage.server.broadcast({ type: 'ops', rev: 99, ops: [] });
      await stage.world.pass(100);
    }
    assert.equal(session.status.phase, 'error');
    assert.equal(session.status.error?.code, 'out_of_step');
    assert.equal(session.text(), 'x', 'the text stays readable');
    assert.equal(errors.length, 1);
  });
});

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

describe('check', () => {
  test('a text that differs from the server is fetched again, and what the person saw is kept', async () => {
    const stage = new Stage('the truth');
    const { session, editor, errors } = await stage.ready();
    stage.server.text = 'another truth';
    stage.server.bases[0] = stage.server.text;
    stage.server.broadcast({ type: 'ops', rev: 0, ops: [{ check: '0123456789abcdef' }] });
    await stage.world.pass(100);
    assert.equal(session.text(), 'another truth');
    assert.equal(editor.value, 'another truth');
    assert.deepEqual(session.status.rejected, [{ text: 'the truth', code: 'diverged' }]);
    assert.deepEqual(errors.map((error) => error.code), ['diverged']);
    assert.equal(session.status.phase, 'ready');
    assert.equal(session.status.error?.code, 'diverged');
    editor.type('!');
    await stage.world.pass(100);
    assert.equal(stage.server.text, 'another truth!');
  });

  test('equal texts pass, by the hash the protocol names', async () => {
    const stage = new Stage('');
    const { session, errors } = await stage.ready();
    // xxh64 of nothing, seed 0.
    stage.server.broadcast({ type: 'ops', rev: 0, ops: [{ check: 'ef46db3751d8e999' }] });
    await stage.world.pass(100);
    assert.deepEqual(errors, []);
    assert.equal(session.status.phase, 'ready');
  });

  test('with edits pending nothing is compared', async () => {
    const stage = new Stage('x');
    const { editor, errors } = await stage.ready();
    stage.server.loseAnswers = true;
    editor.type('y');
    stage.server.broadcast({ type: 'ops', rev: 0, ops: [{ check: '0123456789abcdef' }] });
    await stage.world.pass(100);
    assert.deepEqual(errors, []);
  });
});

describe('another history', () => {
  test('after a restored database pending work is kept as a new submission', async () => {
    const stage = new Stage('one two three');
    const actor = await stage.ready();
    stage.online(false);
    actor.editor.replace(13, 0, ' four');
    stage.server.epoch = 'f'.repeat(32);
    stage.server.text = stage.server.bases[0] = 'one three';
    stage.online(true);
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'one three four');
  });
});

describe('people', () => {
  test('come, move and go; their selections follow the text', async () => {
    const stage = new Stage('a😀b');
    const { session, editor } = await stage.ready();
    let told = 0;
    session.onSelections(() => told++);
    const cleo = { session: 4, by: 2, user: 'g_c', name: 'Cleo', color: 5, ranges: [[1, 2]] };
    stage.server.broadcast({ type: 'presence', rev: 0, people: [cleo] });
    const carets = () => session.remoteSelections().map(({ person, ranges }) => [person.name, ...ranges.map((r) => [r.anchor, r.head])]);
    assert.deepEqual(carets(), [['Cleo', [1, 3]]]);
    assert.deepEqual(session.people.map((person) => person.name), ['Cleo']);
    assert.equal(session.me?.name, 'Quiet Otter');
    editor.type('😀', 0);
    assert.deepEqual(carets(), [['Cleo', [3, 5]]], 'carried over my pending edit');
    await stage.world.pass(10);
    stage.server.insert(0, 'xyz');
    assert.deepEqual(carets(), [['Cleo', [6, 8]]]);
    stage.server.broadcast({ type: 'presence', rev: 2, people: [{ ...cleo, ranges: undefined }] });
    assert.deepEqual(carets(), [], 'no ranges, no caret');
    stage.server.broadcast({ type: 'presence', rev: 2, people: [], gone: [4] });
    assert.deepEqual(session.people, []);
    assert.ok(told >= 5);
  });

  test('a title changed by somebody else is told', async () => {
    const stage = new Stage();
    const { session } = await stage.ready();
    let told = 0;
    session.subscribe(() => told++);
    stage.server.broadcast({ type: 'renamed', title: 'Better notes' });
    assert.equal(session.title, 'Better notes');
    assert.ok(told > 0);
  });
});

describe('sharing a session', () => {
  test('two textareas of one document show the same text, and neither takes back what the other was told', async () => {
    const stage = new Stage('ab');
    const { session } = await stage.ready();
    const { window } = new JSDOM('<textarea></textarea><textarea></textarea>', { pretendToBeVisual: true });
    const [one, two] = [...window.document.querySelectorAll('textarea')] as [HTMLTextAreaElement, HTMLTextAreaElement];
    session.bindTextarea(one);
    session.bindTextarea(two);
    const type = (element: HTMLTextAreaElement, text: string, at: number) => {
      element.focus();
      element.setSelectionRange(at, at);
      element.dispatchEvent(new window.InputEvent('beforeinput', { inputType: 'insertText', data: text, cancelable: true }));
      element.setRangeText(text, at, at, 'end');
      element.dispatchEvent(new window.InputEvent('input', { inputType: 'insertText', data: text }));
    };
    type(one, 'x', 0);
    type(two, 'y', 3);
    two.blur();
    assert.deepEqual([one.value, two.value, session.text()], ['xaby', 'xaby', 'xaby']);
    session.hold();
    session.hold();
    session.release();
    stage.server.insert(0, '!');
    assert.equal(one.value.includes('!'), false, 'one of them is still composing');
    session.release();
    await stage.world.pass(1_000);
    // On a busy machine a write counts as dear, and what follows rests for a while of real time.
    await until('both show what the server has', () => [one.value, two.value].every((value) => value === stage.server.text));
    assert.equal(session.text(), stage.server.text);
    session.close();
    await stage.world.pass(1_000);
    type(one, 'z', 0);
    assert.deepEqual([one.value, two.value].map((text) => text.includes('z')), [false, false], 'taken back where it was typed');
    window.close();
  });

  test('one document on a page has one session, closed after its last user', async () => {
    const stage = new Stage('x');
    const { client, session } = await stage.ready();
    assert.equal(client.open(DOC), session);
    session.close();
    await stage.world.pass(1_000);
    assert.equal(session.status.phase, 'ready');
    session.close();
    assert.equal(client.open(DOC), session, 'opened again before it lingered out');
    session.close();
    await stage.world.pass(1_000);
    assert.equal(stage.server.sessions.length, 0);
    assert.equal(client.connection.state, 'closed');
    const again = client.open(DOC);
    assert.notEqual(again, session);
    await stage.world.pass(1_000);
    assert.equal(again.text(), 'x');
  });

  test('a handle closed once too often closes nothing that others opened', async () => {
    const stage = new Stage('x');
    const { client, session } = await stage.ready();
    session.close();
    session.close();
    await stage.world.pass(100);
    assert.equal(client.open(DOC), session);
    await stage.world.pass(1_000);
    assert.equal(session.status.phase, 'ready', 'no second clock was running');
    session.close();
    await stage.world.pass(1_000);
    const again = client.open(DOC);
    await stage.world.pass(1_000);
    session.close();
    await stage.world.pass(1_000);
    assert.equal(again.status.phase, 'ready', 'the handle was of a session that is gone');
    assert.equal(stage.server.sessions.length, 1);
  });

  test('many documents share one socket', async () => {
    const stage = new Stage('x');
    const { tab, client } = await stage.ready();
    client.open('2'.repeat(32));
    client.open('3'.repeat(32));
    await stage.world.pass(1_000);
    assert.equal(tab.sockets.length, 1);
    assert.equal(stage.server.sessions.length, 3);
  });
});

test('a start that fails is tried again, and a session closed meanwhile stays closed', async () => {
  const stage = new Stage('x');
  const tab = new Tab(stage.world);
  let failures = 2;
  const locks: Locks = {
    acquire: (...request) => (failures-- > 0 ? Promise.reject(new Error('not now')) : tab.locks.acquire(...request)),
  };
  const errors: string[] = [];
  const client = createClient({ host: tab.host, locks, store: stage.store, onError: (error) => errors.push(error.code) });
  const session = client.open(DOC);
  await stage.world.pass(20_000);
  assert.equal(session.text(), 'x');
  assert.equal(session.status.error, undefined);
  assert.deepEqual(errors, ['engine_unavailable', 'engine_unavailable']);
  failures = Infinity;
  const other = client.open('2'.repeat(32));
  await stage.world.pass(1_000);
  await client.close();
  assert.equal(other.status.phase, 'error');
  assert.deepEqual(stage.world.waiting, [], 'no timer is left behind');
});

test('the toy server applies operations as the protocol says', () => {
  assert.equal(apply('a😀c', [1, 'x', -1, 1]), 'axc');
});
