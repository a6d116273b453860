/** What becomes of an open document, and of what is written in it, while rights change. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parse } from './support/frames.js';
import { type Actor, DOC, Stage } from './support/stage.js';

const notFound = (join: { doc: string }) => ({ type: 'error', code: 'not_found', fatal: false, doc: join.doc });

/** The server shuts a person out: the channel ends, and the document is not there for them. */
function revoke(stage: Stage): void {
  stage.server.onJoin = notFound;
  stage.server.endChannels('access_revoked');
}

function restore(stage: Stage): void {
  stage.server.onJoin = () => undefined;
}

/** Time passes without an edit on its way: the server lets nothing through. */
async function withUnsaved(text: string): Promise<{ stage: Stage; actor: Actor }> {
  const stage = new Stage('base');
  const actor = await stage.ready();
  stage.server.judge = () => ({ code: 'overloaded', retry_ms: 60_000 });
  actor.editor.type(text);
  await stage.world.pass(500);
  stage.server.judge = () => undefined;
  return { stage, actor };
}

describe('a role that changes', () => {
  test('makes the text read-only at once and writable again when it comes back', async () => {
    const stage = new Stage('base');
    const actor = await stage.ready();
    const { session, editor } = actor;
    for (const role of ['viewer', 'commenter']) {
      stage.server.broadcast({ type: 'access', role });
      assert.deepEqual([session.role, session.readOnly, session.status.readOnly, session.status.phase], [role, true, true, 'ready']);
    }
    editor.replace(0, 4, '');
    assert.equal(editor.value, 'base');
    stage.server.insert(4, '!');
    await stage.world.pass(100);
    assert.equal(editor.value, 'base!', 'others are read on');
    stage.server.broadcast({ type: 'access', role: 'editor' });
    assert.equal(session.readOnly, false);
    editor.type('?');
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'base!?');
  });

  test('is remembered for a start without network', async () => {
    const stage = new Stage('base');
    const { tab } = await stage.ready();
    stage.server.broadcast({ type: 'access', role: 'viewer' });
    await stage.world.pass(3_000);
    stage.online(false);
    await tab.end('close');
    const { session } = await stage.ready(tab.memory);
    assert.deepEqual([session.role, session.readOnly], ['viewer', true]);
  });

  test('leaves what was not sent in sight: refused as one text, to be copied', async () => {
    const { stage, actor } = await withUnsaved(' and mine');
    stage.server.judge = () => ({ code: 'forbidden' });
    stage.server.broadcast({ type: 'access', role: 'commenter' });
    await stage.world.pass(61_000);
    assert.deepEqual(actor.session.status.rejected, [{ text: ' and mine', code: 'forbidden' }]);
    assert.deepEqual([actor.session.role, actor.editor.value, actor.session.status.save], ['commenter', 'base', 'saved']);
  });

  test('does not swallow a word that an input method was at', async () => {
    const stage = new Stage('base');
    const { session, editor } = await stage.ready();
    stage.server.broadcast({ type: 'access', role: 'viewer' });
    editor.replace(4, 0, '日本');
    assert.equal(editor.value, 'base');
    assert.deepEqual(session.status.rejected, [{ text: '日本', code: 'forbidden' }]);
  });
});

describe('access taken away', () => {
  test('keeps the text readable, sends nothing, and keeps what was not sent to be copied', async () => {
    const { stage, actor } = await withUnsaved(' mine');
    const { session, editor } = actor;
    editor.type(' too');
    const sent = stage.server.submits.length;
    revoke(stage);
    await stage.world.pass(120_000);
    assert.deepEqual([session.status.phase, session.status.error?.code, session.readOnly], ['revoked', 'access_revoked', true]);
    assert.equal(session.text(), 'base mine too');
    assert.equal(session.unsavedText(), ' mine too');
    assert.deepEqual([session.status.save, session.status.storedOnDevice], ['unsaved', true]);
    assert.equal(stage.server.submits.length, sent);
    assert.equal(stage.server.joins, 1, 'it does not knock again by itself');
    assert.equal(actor.client.connection.state, 'connected');
    editor.replace(0, 4, '');
    assert.equal(editor.value, 'base mine too');
  });

  test('goes on with pending work as soon as somebody gives it back', async () => {
    const { stage, actor } = await withUnsaved(' mine');
    revoke(stage);
    await stage.world.pass(100);
    for (let knock = 2; knock < 5; knock++) {
      actor.session.retry();
      actor.session.retry();
      await stage.world.pass(100);
      assert.equal(stage.server.joins, knock, 'asked once, answered once');
      assert.deepEqual([actor.session.status.phase, actor.session.status.error?.code], ['revoked', 'not_found']);
    }
    stage.server.insert(4, '!');
    restore(stage);
    actor.session.retry();
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'base! mine');
    assert.deepEqual([actor.session.status.phase, actor.session.status.error, actor.session.readOnly], ['ready', undefined, false]);
    assert.equal(actor.session.unsavedText(), '');
    actor.session.retry();
    await stage.world.pass(1_000);
    assert.equal(stage.server.sessions.length, 1, 'who is in knocks at no door');
  });

  test('is asked for again on a new connection', async () => {
    const { stage, actor } = await withUnsaved(' mine');
    revoke(stage);
    await stage.world.pass(100);
    stage.online(false);
    await stage.world.pass(100);
    restore(stage);
    stage.online(true);
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'base mine');
  });

  test('while offline shows when the network is back, with what was written meanwhile', async () => {
    const stage = new Stage('base');
    const actor = await stage.ready();
    stage.online(false);
    actor.editor.type(' written offline');
    await stage.world.pass(500);
    revoke(stage);
    stage.online(true);
    await stage.world.pass(10_000);
    assert.equal(actor.session.status.phase, 'revoked');
    assert.equal(actor.session.text(), 'base written offline');
    assert.equal(actor.session.unsavedText(), ' written offline');
  });

  test('after a reload shows unsent work, and without any looks like a document that never was', async () => {
    const { stage, actor } = await withUnsaved(' mine');
    revoke(stage);
    await stage.world.pass(500);
    await actor.tab.end('close');
    const again = await stage.open(actor.tab.memory);
    await stage.world.pass(1_000);
    assert.deepEqual([again.session.status.phase, again.session.text()], ['revoked', 'base mine']);
    restore(stage);
    again.session.retry();
    await stage.quiet(again);
    revoke(stage);
    await stage.world.pass(3_000);
    await again.tab.end('close');
    const last = await stage.open(again.tab.memory);
    await stage.world.pass(1_000);
    assert.deepEqual([last.session.status.phase, last.session.status.error?.code], ['error', 'not_found']);
  });

  test('of a tab that is gone leaves its work on the device until it can be sent', async () => {
    const { stage, actor } = await withUnsaved(' mine');
    await actor.tab.end('close');
    stage.server.onJoin = (join) => (join.doc === DOC ? notFound(join) : undefined);
    const other = await stage.open(undefined, '2'.repeat(32));
    await stage.world.pass(90_000);
    assert.equal(stage.server.submits.length, 1, 'nothing was sent since');
    assert.equal((await (await stage.store).list(DOC))[0]?.pending, 1);
    await other.tab.end('close');
    restore(stage);
    const again = await stage.ready(actor.tab.memory);
    await stage.quiet(again);
    assert.equal(stage.server.text, 'base mine');
  });
});

describe('a full document', () => {
  /** Takes no insertion that would make the text longer than `max` characters. */
  const fullAt = (stage: Stage, max: number) => {
    stage.server.judge = ({ op }) => {
      const grows = op.reduce<number>((sum, part) => sum + (typeof part === 'string' ? [...part].length : Math.min(part, 0)), 0);
      return grows > 0 && [...stage.server.text].length + grows > max ? { code: 'document_full' } : undefined;
    };
  };

  test('refuses what is typed, key after key, as one text; deleting works, and then typing does', async () => {
    const stage = new Stage('full');
    fullAt(stage, 4);
    const actor = await stage.ready();
    for (const key of 'no room here') {
      actor.editor.type(key);
      await stage.world.pass(50);
    }
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'full');
    assert.deepEqual(actor.session.status.rejected, [{ text: 'no room here', code: 'document_full' }]);
    const refused = () => actor.session.status.rejected?.map((edit) => edit.text);
    actor.session.breakUndoGroup();
    actor.editor.type('!', 0);
    await stage.quiet(actor);
    assert.deepEqual(refused(), ['no room here', '!'], 'another place is another text');
    actor.editor.replace(0, 2, '');
    await stage.quiet(actor);
    actor.editor.type('ly');
    await stage.quiet(actor);
    assert.equal(stage.server.text, 'llly');
    assert.equal(refused()?.length, 2, 'nothing more was refused, nothing is forgotten');
    assert.equal(actor.tab.sockets.length, 1, 'nothing of it touched the connection');
  });

  test('keeps the rest of a paste that filled it', async () => {
    const stage = new Stage('');
    stage.server.limits.text_bytes_max = 100;
    fullAt(stage, 250);
    const actor = await stage.ready();
    const paste = Array.from({ length: 100 }, (_, n) => String(n).padStart(5, '.')).join('');
    actor.editor.replace(0, 0, paste);
    await stage.quiet(actor);
    assert.equal(stage.server.text, paste.slice(0, 200));
    assert.deepEqual(actor.session.status.rejected, [{ text: paste.slice(200), code: 'document_full' }]);
  });
});

test('what takes its time says why: a pause the server asked for, or a large edit in parts', async () => {
  const stage = new Stage('');
  stage.server.limits.text_bytes_max = 10;
  const actor = await stage.ready();
  const heard = new Set<string | undefined>();
  actor.session.subscribe(() => heard.add(actor.session.status.pace));
  actor.editor.type('x');
  await stage.quiet(actor);
  assert.deepEqual([...heard], [undefined]);
  actor.editor.replace(0, 0, 'y'.repeat(100));
  await stage.quiet(actor);
  assert.deepEqual([...heard], [undefined, 'parts']);
  stage.server.judge = () => ({ code: 'slow_down', retry_ms: 2_000 });
  actor.editor.type('z');
  await stage.world.pass(500);
  assert.equal(actor.session.status.pace, 'slowed');
  actor.editor.type('zz');
  stage.server.judge = () => undefined;
  await stage.quiet(actor);
  assert.equal(actor.session.status.pace, undefined);
  assert.deepEqual(parse(stage.server.submits.at(-1) ?? '').op.at(-1), 'zz', 'what was typed meanwhile went as one');
});
