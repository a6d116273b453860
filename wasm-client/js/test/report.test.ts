/** Records sessions and holds what it records against files that collab-replay plays natively. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { JSDOM } from 'jsdom';

import { type ClientOptions, createClient } from '../src/client.js';
import { Engine } from '../src/engine.js';
import { createRecorder, type Recorder, type RecordingLimits } from '../src/report.js';
import { filled, filledState } from '../src/report/redact.js';
import { memoryStore } from '../src/storage.js';
import { bindTextarea } from '../src/textarea.js';
import { HttpFront } from './support/http-front.js';
import { DOC, Editor, Stage } from './support/stage.js';
import { Tab, until } from './support/world.js';

/** The checked-in reports: `collab-replay` plays each. This file is compiled into `.test/test`. */
const FOLDER = new URL('../../../../collab-replay/tests/reports/', import.meta.url);

interface Recorded extends Record<string, unknown> { e: string; frame?: { ops?: { check?: string }[] } | string }

const hash = (text: string): string => {
  const engine = new Engine(text, 0, 1);
  const result = engine.hash();
  engine.free();
  return result;
};

const eventsOf = (report: string): Recorded[] => report.trimEnd().split('\n').slice(1).map((line) => JSON.parse(line) as Recorded);
const kinds = (report: string): Set<string> => new Set(eventsOf(report).map((event) => event.e));

/** A tab whose session is recorded, with nothing of chance in it. */
async function recorded(stage: Stage, limits: Partial<RecordingLimits> = {}, options: ClientOptions = {}) {
  const tab = new Tab(stage.world);
  stage.tabs.push(tab);
  const recorder = createRecorder(limits);
  let ids = 0;
  const host = { ...tab.host, uuid: () => `${++ids}`.padStart(32, '0') };
  const client = createClient(recorder.watch({ host, locks: tab.locks, store: Promise.resolve(memoryStore()), ...options }));
  const session = client.open(DOC);
  const editor = new Editor(session);
  await stage.world.pass(500);
  await until('the document is ready', () => session.status.phase === 'ready');
  return { recorder, client, session, editor, tab };
}

const reportOf = async (recorder: Recorder, redact = false): Promise<string> => {
  const report = await recorder.report(DOC, { redact });
  assert.ok(report);
  return report;
};

/** The file as it is in the repository; what may differ from run to run is set. */
function agrees(name: string, report: string): void {
  const [, ...events] = report.split('\n');
  const header = { ...(JSON.parse(report.slice(0, report.indexOf('\n'))) as object), agent: 'Node.js' };
  const file = new URL(name, FOLDER);
  const text = [JSON.stringify(header), ...events].join('\n');
  if (process.env.CONCORD_BLESS) writeFileSync(file, text);
  assert.ok(existsSync(file), `${name} is there; CONCORD_BLESS=1 writes it`);
  assert.ok(text === readFileSync(file, 'utf8'), `${name} is another; CONCORD_BLESS=1 writes it anew`);
}

/** Reproducible numbers below `n`. */
function dice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % n;
  };
}

const WORDS = ['ab', 'Ä', '😀', '日本', ' ', '\n', 'e\u0301', '"', '\\', 'Z9', '👩‍🚀'];

/** A long session with everything in it: others who type, lost connections, input methods, undo, refusals. */
async function longSession(stage: Stage, editor: Editor, steps: number, seed: number): Promise<void> {
  const roll = dice(seed);
  const { session } = editor;
  let held = 0;
  const place = (): number => {
    const offsets = [0];
    for (const character of editor.value) offsets.push((offsets.at(-1) ?? 0) + character.length);
    return offsets[roll(offsets.length)] ?? 0;
  };
  const word = (): string => WORDS[roll(WORDS.length)] ?? '';
  for (let step = 0; step < steps; step++) {
    const [from, to] = [place(), place()].sort((left, right) => left - right) as [number, number];
    const what = roll(20);
    if (what < 7) editor.replace(from, 0, word(), { anchor: from, head: from });
    else if (what < 9) editor.replace(from, Math.min(to - from, editor.value.length), word());
    else if (what < 11) session.undo();
    else if (what < 12) session.redo();
    else if (what < 13) session.setSelection({ anchor: from, head: to });
    else if (what < 14) session.breakUndoGroup();
    else if (what < 15) {
      if (held > 0) session.release();
      else session.hold();
      held = held > 0 ? 0 : 1;
    } else if (what < 16 && held === 0) {
      editor.value = `${editor.value.slice(0, from)}${word()}${editor.value.slice(from)}`;
      session.editByDiff(editor.value, { anchor: from, head: from });
    } else if (what < 17) stage.server.cut();
    else if (what < 18) stage.online(!stage.world.online);
    else stage.server.insert(roll([...stage.server.text].length + 1), word());
    if (roll(3) === 0) await stage.world.pass(roll(1_500));
    if (step % 40 === 20) {
      // Sent and lost; somebody else is faster; sent again.
      stage.online(true);
      await stage.world.pass(40_000);
      editor.replace(place(), 0, word());
      stage.server.cut();
      stage.server.insert(0, word());
      await stage.world.pass(2_000);
    }
    if (roll(4) === 0) checkAll(stage);
  }
  if (held > 0) session.release();
  stage.online(true);
  for (let round = 0; round < 300 && session.status.save !== 'saved'; round++) await stage.world.pass(250);
  checkAll(stage);
  assert.equal(session.text(), stage.server.text);
}

/** The server says what its text hashes to, as it does when a document is quiet. */
function checkAll(stage: Stage, wrong = false): void {
  for (const session of stage.server.sessions) {
    if (session.sent !== stage.server.revision) continue;
    const check = wrong ? 'badc0ffee0ddf00d' : hash(stage.server.text);
    session.socket.deliver({ type: 'ops', ch: session.ch, rev: stage.server.revision, ops: [{ check }] });
  }
}

describe('reports', () => {
  test('a short session is recorded as docs/reports.md shows it', async () => {
    const stage = new Stage('Hi');
    const { recorder, editor, client } = await recorded(stage);
    editor.replace(2, 0, '!', { anchor: 3, head: 3 });
    await stage.world.pass(100);
    checkAll(stage);
    agrees('short.report', await reportOf(recorder));
    await client.close();
  });

  test('a long session with lost connections, input methods and undo is recorded whole', async () => {
    const stage = new Stage('The 😀 text.', { storage: 'memory' });
    stage.server.judge = (submit) => (submit.seq % 11 === 0 ? { code: submit.seq % 2 ? 'bad_text' : 'document_full' } : undefined);
    const { recorder, editor } = await recorded(stage, { bytesMax: 8 << 20, eventsMax: 100_000 });
    await longSession(stage, editor, 700, 7);
    const report = await reportOf(recorder);
    for (const kind of ['state', 'edit', 'diff', 'undo', 'redo', 'hold', 'release', 'select', 'freeze', 'receive', 'ack', 'reject', 'raise', 'in', 'out', 'net']) {
      assert.ok(kinds(report).has(kind), `${kind} is in it`);
    }
    agrees('long.report', report);
    agrees('long-redacted.report', await reportOf(recorder, true));
  });

  test('an input method is noted in the report of the text that it works on', async () => {
    const { window } = new JSDOM('<textarea></textarea><input>', { pretendToBeVisual: true });
    Object.assign(globalThis, { document: window.document });
    try {
      const stage = new Stage('Hi', { storage: 'memory' });
      const { recorder, session, client } = await recorded(stage);
      const [field, other] = [window.document.querySelector('textarea'), window.document.querySelector('input')];
      assert.ok(field && other);
      const binding = bindTextarea(field, session, { people: false });
      const compose = (element: Element): void => {
        for (const type of ['compositionstart', 'compositionend']) {
          element.dispatchEvent(new window.CompositionEvent(type, { bubbles: true }));
        }
      };
      const noted = async (): Promise<unknown[]> =>
        eventsOf(await reportOf(recorder)).filter(({ e }) => e === 'composition').map(({ phase }) => phase);
      compose(other);
      assert.deepEqual(await noted(), [], 'another field');
      compose(field);
      assert.deepEqual(await noted(), ['start', 'end']);
      compose(field);
      compose(other);
      assert.deepEqual(await noted(), ['start', 'end', 'start', 'end'], 'the engine waits still');
      binding.destroy();
      await client.close();
    } finally {
      Reflect.deleteProperty(globalThis, 'document');
    }
  });

  test('what goes over HTTP requests is recorded as what goes over a WebSocket', async () => {
    const stage = new Stage('Hi', { storage: 'memory' });
    const accept = stage.world.accept;
    new HttpFront(stage.world, accept);
    stage.world.accept = () => assert.fail('no WebSocket may be tried');
    const { recorder, editor, client } = await recorded(stage, {}, { transports: ['sse'] });
    assert.equal(client.connection.transport, 'sse');
    editor.type(' there');
    await stage.world.pass(1_000);
    checkAll(stage);
    await stage.world.pass(1_000);
    assert.equal(recorder.failure(DOC), undefined);
    const events = eventsOf(await reportOf(recorder));
    const count = (kind: string) => events.filter((event) => event.e === kind).length;
    // The join and the edits; the text, their acks, and the server's check.
    assert.ok(count('out') >= 2 && count('in') >= 3, JSON.stringify(events));
    assert.ok(events.some(({ frame }) => typeof frame === 'object' && frame.ops?.some(({ check }) => check)));
  });

  test('a full ring begins anew with a state, and stays within its limits', async () => {
    const stage = new Stage('x'.repeat(300), { storage: 'memory' });
    const { recorder, editor } = await recorded(stage, { bytesMax: 40_000, eventsMax: 10_000 });
    await longSession(stage, editor, 600, 11);
    const report = await reportOf(recorder);
    const [first] = eventsOf(report);
    assert.deepEqual([first?.e, first?.why], ['state', 'roll']);
    assert.ok((JSON.parse(report.slice(0, report.indexOf('\n'))) as { dropped: number }).dropped > 1_000);
    const events = report.split('\n').slice(1).filter((line) => !line.includes('"e":"state"'));
    const bytes = 2 * events.join('').length;
    assert.ok(bytes > 15_000 && bytes < 60_000, `${bytes} bytes`);
    assert.ok(eventsOf(report).some((event) => event.why === 'undone'), 'an undo reached behind the beginning');
    agrees('rolled.report', report);
    agrees('rolled-redacted.report', await reportOf(recorder, true));
  });

  test('nothing is dropped while an input method composes; what is too much ends the recording until it is done', async () => {
    const stage = new Stage('x', { storage: 'memory' });
    const { recorder, editor, session } = await recorded(stage, { bytesMax: 20_000, eventsMax: 10_000 });
    session.hold();
    for (let n = 0; n < 200; n++) {
      editor.replace(0, 0, 'some words');
      await stage.world.pass(10);
    }
    assert.deepEqual(eventsOf(await reportOf(recorder)), []);
    session.release();
    editor.replace(0, 0, 'after');
    await stage.world.pass(10);
    agrees('paused.report', await reportOf(recorder));
  });

  test('a check that fails keeps what led to it, and tells whoever listens', async () => {
    const stage = new Stage('Secret: 😀 Ünïcode', { storage: 'memory' });
    const { recorder, editor } = await recorded(stage);
    let told = 0;
    recorder.subscribe(() => told++);
    editor.type('Abc 12', 3);
    await stage.world.pass(1_000);
    checkAll(stage);
    assert.equal(recorder.failure(DOC), undefined);
    editor.type('?');
    await stage.world.pass(1_000);
    checkAll(stage, true);
    await stage.world.pass(1_000);
    assert.deepEqual([recorder.failure(DOC)?.code, told > 0], ['diverged', true]);
    editor.type('long after');
    await stage.world.pass(1_000);
    const report = await reportOf(recorder);
    assert.equal(eventsOf(report).at(-1)?.e, 'trouble');
    assert.ok(!report.includes('long after'));
    agrees('diverged.report', report);
    const redacted = await reportOf(recorder, true);
    assert.ok(!/Secret|Abc|Ünï|12"/.test(redacted));
    agrees('diverged-redacted.report', redacted);
    recorder.forget(DOC);
    assert.equal(recorder.failure(DOC), undefined);
    assert.ok((await reportOf(recorder)).includes('"inserted":"l"'));
  });

  test('a change between words of one shape is told when redacted, for the engine would see none', async () => {
    const stage = new Stage('cat', { storage: 'memory' });
    const { recorder, session } = await recorded(stage);
    session.editByDiff('cot', { anchor: 2, head: 2 });
    await stage.world.pass(1_000);
    assert.equal(stage.server.text, 'cot');
    agrees('same-shape-redacted.report', await reportOf(recorder, true));
  });

  test('a session that gives up, and an engine that breaks, keep what led to it', async () => {
    const stage = new Stage('abc', { storage: 'memory' });
    const { recorder, session } = await recorded(stage);
    for (let round = 0; round < 8; round++) {
      checkAll(stage, true);
      await stage.world.pass(1_000);
    }
    assert.equal(session.status.error?.code, 'out_of_step');
    assert.equal(recorder.failure(DOC)?.code, 'diverged', 'the first trouble tells most');

    const other = await recorded(new Stage('abc', { storage: 'memory' }), {}, { tap: undefined });
    const options = other.recorder.watch({});
    const broken = { ...stubEngine(), edit: () => { throw new WebAssembly.RuntimeError('unreachable'); } };
    const tapped = options.tap?.(broken as unknown as Engine, { id: 'f'.repeat(32), client: '1' } as never);
    assert.throws(() => tapped?.edit(0, 0, 'x', 0, false), WebAssembly.RuntimeError);
    assert.equal(other.recorder.failure('f'.repeat(32))?.code, 'engine_broke');
  });

  test('neither people nor titles nor tokens are in a report', async () => {
    const stage = new Stage('abc', { storage: 'memory' });
    const { recorder, editor, session } = await recorded(stage, {}, { token: () => Promise.resolve('very-secret-token') });
    editor.type('x');
    stage.server.broadcast({ type: 'presence', rev: 0, people: [{ session: 9, user: 'g_you', name: 'Loud Heron', color: 1, ranges: [] }] });
    stage.server.broadcast({ type: 'renamed', title: 'Private title' });
    await stage.world.pass(1_000);
    assert.equal(session.title, 'Private title');
    const report = await reportOf(recorder);
    for (const word of ['very-secret-token', 'Loud Heron', 'g_you', 'Quiet Otter', 'Private title', 'Notes']) {
      assert.ok(!report.includes(word), word);
    }
  });

  test('a closed document is forgotten, and so is everything at the end', async () => {
    const stage = new Stage('abc', { storage: 'memory' });
    const { recorder, session, client } = await recorded(stage);
    assert.ok(await recorder.report(DOC));
    session.close();
    await stage.world.pass(1_000);
    assert.equal(await recorder.report(DOC), undefined);
    client.open(DOC);
    await stage.world.pass(1_000);
    assert.ok(await recorder.report(DOC));
    recorder.end();
    assert.equal(await recorder.report(DOC), undefined);
  });

  test('filler has the size of what it hides, in every unit', () => {
    const text = 'aZ9 é\u0301日本😀👩‍🚀\n\t.,;"\\\u2028\ufeffß字';
    const shown = filled(text);
    assert.equal(shown.length, text.length);
    assert.equal(Buffer.from(shown).length, Buffer.from(text).length);
    assert.deepEqual([...shown].map((each) => each.length), [...text].map((each) => each.length));
    assert.equal(shown, 'xX0 ßß字字😀😀字😀\n\t.,;"\\\u2028\ufeffß字');
    const engine = new Engine('aé 1:2;', 5, 3);
    engine.edit(0, 1, 'B"9', 0, false);
    engine.takeSubmission(100, 1_000);
    engine.edit(1, 1, '', 0, false);
    const state = filledState(engine.export());
    const back = Engine.restore(state, true);
    assert.equal(back?.text(), 'X0ß 0:0;');
    assert.equal(back.export(), state);
    engine.free();
    back.free();
  });
});

/** As much of an engine as a recorder looks at. */
const stubEngine = () => ({ flags: () => 0, selection: () => '[]', export: () => '', revision: () => 0, hash: () => '' });
