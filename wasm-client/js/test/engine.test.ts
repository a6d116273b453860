import './support/wasm.js';

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BUFFERED, drain, Engine, INSIDE_PAIR, OK, OUTSTANDING, PENDING, selections, WHOLE } from '../src/engine.js';
import { plain } from '../src/plain.js';
import { applyPatch } from '../src/textarea/splice.js';

const OUTSIDE = 2;
const OUT_OF_STEP = 3;

test('offsets inside a surrogate pair are an error, or are widened when asked', () => {
  const engine = new Engine('a😀b', 0, 1);
  assert.equal(engine.edit(2, 0, 'x', 0, false), INSIDE_PAIR);
  assert.equal(engine.edit(0, 2, '', 0, false), INSIDE_PAIR);
  assert.equal(engine.edit(5, 0, 'x', 0, false), OUTSIDE);
  assert.equal(engine.edit(0xffff_ffff, 0xffff_ffff, '', 0, true), OUTSIDE);
  assert.equal(engine.text(), 'a😀b');
  assert.equal(engine.edit(1, 1, '', 0, true), OK);
  assert.equal(engine.text(), 'ab');
});

test('a text crosses unchanged, a byte order mark and a large one too', () => {
  for (const text of ['', '\ufeffa\ufeff', '\u2028é👩‍🚀', 'long 😀 '.repeat(100_000)]) {
    const engine = new Engine(text, 2 ** 53 - 1, 1);
    assert.equal(engine.text(), text);
    assert.equal(engine.revision(), 2 ** 53 - 1);
    engine.free();
  }
});

test('a freed engine is an exception, never another document', () => {
  const [freed, other] = [new Engine('freed', 0, 1), new Engine('other', 0, 1)];
  freed.free();
  freed.free();
  assert.throws(() => freed.text(), WebAssembly.RuntimeError);
  assert.throws(() => freed.edit(0, 0, 'x', 0, false), WebAssembly.RuntimeError);
  const next = new Engine('next', 0, 1);
  assert.deepEqual([other.text(), next.text()], ['other', 'next']);
});

test('a lone surrogate would be changed on the way in, so it is replaced in the open before', () => {
  const engine = new Engine('', 0, 1);
  for (const text of ['\ud83d', 'x\ude00', '\ude00\ud83d']) {
    assert.notEqual(plain(text), text);
    assert.equal(engine.edit(0, 0, plain(text), 0, false), OK);
    assert.equal(engine.text().slice(0, text.length), plain(text));
  }
});

test('CR and NUL never become an operation', () => {
  const engine = new Engine('', 0, 1);
  for (const text of ['\r\n', '\r', 'a\0b']) {
    assert.equal(engine.edit(0, 0, text, 0, false), OUTSIDE);
    assert.equal(engine.editByDiff(text, -1, 0), false);
    assert.equal(engine.edit(0, 0, plain(text), 0, false), OK);
  }
  assert.equal(engine.text(), 'ab\n\n');
});

test('patches come as code units, each in the text left by the one before', () => {
  const engine = new Engine('a😀é👩‍🚀z', 0, 1);
  let shown = engine.text();
  assert.equal(engine.receive([-1, '😀', 1, -1, 3, '!', 1], 1), OK);
  const patches = drain(engine);
  assert.deepEqual(patches, [
    { at: 0, deleted: 1, inserted: '😀' },
    { at: 4, deleted: 1, inserted: '' },
    { at: 9, deleted: 0, inserted: '!' },
  ]);
  shown = patches.reduce(applyPatch, shown);
  assert.equal(shown, engine.text());
  assert.deepEqual(drain(engine), []);
});

test('a submission keeps its bytes, over a reload too', () => {
  const engine = new Engine('😀', 7, 3);
  engine.edit(2, 0, '"\\\n\u2028é', 0, false);
  engine.setSelection(0, 2);
  assert.equal(engine.takeSubmission(1_000, 32_768), WHOLE);
  const frozen = engine.outstanding();
  assert.deepEqual(JSON.parse(`{${frozen}}`), { seq: 3, rev: 7, op: [1, '"\\\n\u2028é'], ranges: [[0, 1]] });
  engine.receive(['remote', 1], 8);
  engine.edit(0, 0, 'later', 0, false);
  assert.equal(engine.outstanding(), frozen);
  const restored = Engine.restore(engine.export(), true);
  assert.ok(restored);
  assert.equal(restored.outstanding(), frozen);
  assert.equal(restored.text(), engine.text());
  assert.equal(restored.flags() & (PENDING | OUTSTANDING | BUFFERED), PENDING | OUTSTANDING | BUFFERED);
  assert.equal(Engine.restore('something else', true), undefined);
});

test('messages that do not fit are answered, not thrown', () => {
  const engine = new Engine('ab', 1, 1);
  const strange = [undefined, null, {}, '', 2, [[2]], [null]] as never[];
  for (const op of [...strange, [], [3], [1e9], [1e21], [NaN], [1.5, 0.5], [-1, -1, -1], [2, '\r'], [2, '\0'], [2, 'a\0']]) {
    const fits = String(op) === '2';
    assert.equal(engine.receive(op, 2), fits ? OK : OUT_OF_STEP, JSON.stringify(op));
    if (fits) engine.reset('ab', 1, 0);
  }
  assert.equal(engine.acknowledge(1, 2), OUT_OF_STEP);
  assert.equal(engine.reject(1), '');
  assert.equal(engine.receive([2], -1), OUT_OF_STEP);
  assert.equal(engine.receive([2], NaN), OUT_OF_STEP);
});

test('selections of others are told in code units', () => {
  const engine = new Engine('a😀b', 0, 1);
  engine.setPresence(5, Uint32Array.of(1, 2, 3, 0));
  engine.setPresence(6, Uint32Array.of(0, 0));
  engine.setPresence(6, new Uint32Array());
  assert.deepEqual([...selections(engine)], [[5, [{ anchor: 1, head: 3 }, { anchor: 4, head: 0 }]]]);
});
