import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { body, parse } from './support/frames.js';
import { apply } from './support/ot.js';
import { Stage } from './support/stage.js';

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

test('the toy server applies operations as the protocol says', () => {
  assert.equal(apply('a😀c', [1, 'x', -1, 1]), 'axc');
});
