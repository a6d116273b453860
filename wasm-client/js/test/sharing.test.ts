import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { JSDOM } from 'jsdom';

import { createClient } from '../src/client.js';
import type { Locks } from '../src/lock.js';
import { DOC, Stage } from './support/stage.js';
import { Tab, until } from './support/world.js';

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
