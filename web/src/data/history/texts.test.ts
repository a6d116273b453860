import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HistoryEntry } from '@concord/client/rest';
import { Rope } from '@/lib/history/rope';
import { type TextReader, Texts } from './texts';

/** A history of `head` revisions: each appends its number, every tenth one also deletes the first character. */
function writtenHistory(head: number) {
  const entries: HistoryEntry[] = [];
  const texts = [''];
  let rope = Rope.EMPTY;
  for (let revision = 1; revision <= head; revision += 1) {
    const chars = rope.chars;
    const op = revision % 10 === 0 ? [-1, chars - 1, `${revision % 7}`] : [...(chars ? [chars] : []), `${revision % 7}`];
    rope = rope.apply(op);
    entries.push({ revision, time_ms: revision * 1_000, author: revision % 3 ? 'ada' : 'ben', op });
    texts.push(rope.text());
  }
  return { entries, texts };
}

const AUTHORS = [{ user: 'ada', name: 'Ada', color: 1 }, { user: 'ben', name: 'Ben', color: 2 }];

/** A server over it whose answers the test lets go one by one, or all at once. */
function server(head: number, { held = false } = {}) {
  const history = writtenHistory(head);
  const calls: string[] = [];
  const waiting: { name: string; go(): void; fail(code: string): void }[] = [];
  const answer = <T>(name: string, value: T, signal: AbortSignal): Promise<T> => {
    calls.push(name);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      const go = () => resolve(value);
      if (held) waiting.push({ name, go, fail: (code) => reject(Object.assign(new Error(code), { code })) });
      else go();
    });
  };
  const reader: TextReader = {
    text: (revision, signal) => answer(`text ${revision}`, { text: history.texts[revision] ?? '', time_ms: revision * 1_000 }, signal),
    page: (after, limit, signal) =>
      answer(`page ${after}`, { revision: head, entries: history.entries.slice(after, after + limit), authors: AUTHORS }, signal),
    runs: (revision, signal) => answer(`runs ${revision}`, { runs: [{ len: [...(history.texts[revision] ?? '')].length, author: 'ada' }], authors: AUTHORS }, signal),
  };
  return { reader, calls, waiting, texts: history.texts };
}

const settled = () => vi.advanceTimersByTimeAsync(1_000);

describe('Texts', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('reads a short history once and then works out every revision, with its author and time', async () => {
    const { reader, calls, texts } = server(90);
    const history = new Texts(reader, 90, () => {});
    history.want(90);
    await settled();
    const asked = [...calls];
    expect(asked).toEqual(['page 0']);
    for (const revision of [89, 3, 0, 40, 41, 90]) {
      history.want(revision);
      expect(history.shown?.text).toBe(texts[revision]);
      expect(history.shown?.exact).toBe(true);
    }
    expect(history.shown).toMatchObject({ author: 'ben', timeMs: 90_000 });
    expect(calls).toEqual(asked);
  });

  it('asks for a far text, and then single steps around it need no question', async () => {
    const { reader, calls, texts } = server(6_000);
    const history = new Texts(reader, 6_000, () => {});
    history.want(3_700);
    await settled();
    expect(calls).toEqual(['text 3700', 'text 3500', 'runs 3500', 'page 3500']);
    for (const revision of [3_701, 3_699, 3_501, 3_999]) {
      history.want(revision);
      expect(history.shown?.text).toBe(texts[revision]);
      expect(history.shown?.exact).toBe(true);
    }
  });

  it('never asks once per revision while the slider is dragged', async () => {
    const { reader, calls, waiting, texts } = server(6_000, { held: true });
    const history = new Texts(reader, 6_000, () => {});
    for (let revision = 2_000; revision <= 5_900; revision += 13) history.want(revision);
    expect(calls).toEqual(['text 2000']);
    waiting[0]!.go();
    await vi.advanceTimersByTimeAsync(0);
    // The first answer is shown on the way; only the last wish was asked for next.
    expect(history.shown?.text).toBe(texts[2_000]);
    expect(history.waiting).toBe(true);
    expect(calls.filter((call) => call.startsWith('text'))).toEqual(['text 2000', 'text 5900']);
    waiting.find(({ name }) => name === 'text 5900')!.go();
    await vi.advanceTimersByTimeAsync(0);
    expect(history.shown?.revision).toBe(5_900);
  });

  it('gives up an answer that takes long when nobody waits for it any more', async () => {
    const { reader, calls, waiting, texts } = server(6_000, { held: true });
    const history = new Texts(reader, 6_000, () => {});
    history.want(2_000);
    await vi.advanceTimersByTimeAsync(300);
    history.want(5_000);
    expect(calls).toEqual(['text 2000', 'text 5000']);
    waiting[0]!.go();
    await vi.advanceTimersByTimeAsync(0);
    expect(history.shown).toBeUndefined();
    waiting[1]!.go();
    await vi.advanceTimersByTimeAsync(0);
    expect(history.shown?.text).toBe(texts[5_000]);
  });

  it('gives up the authors of a place that the hand has left', async () => {
    const { reader, waiting } = server(6_000, { held: true });
    const given: AbortSignal[] = [];
    const history = new Texts({ ...reader, runs: (revision, signal) => (given.push(signal), reader.runs(revision, signal)) }, 6_000, () => {});
    for (const revision of [2_200, 5_200]) {
      history.want(revision);
      waiting.at(-1)!.go();
      await settled();
    }
    expect(given.map(({ aborted }) => aborted)).toEqual([true, false]);
    history.want(5_201);
    await settled();
    expect(given.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it('does not show a late answer over a wish that was worked out here', async () => {
    const { reader, waiting, texts } = server(6_000, { held: true });
    const history = new Texts(reader, 6_000, () => {});
    history.want(5_000);
    history.want(0);
    expect(history.shown?.text).toBe('');
    waiting[0]!.go();
    await vi.advanceTimersByTimeAsync(0);
    expect(history.shown?.text).toBe(texts[0]);
  });

  it('reads the next page before playing comes to it', async () => {
    const { reader, calls } = server(6_000);
    const history = new Texts(reader, 6_000, () => {});
    history.want(100);
    await settled();
    history.pace(20);
    history.want(400);
    await vi.advanceTimersByTimeAsync(0);
    expect(calls).toContain('page 500');
    calls.length = 0;
    for (let revision = 401; revision <= 700; revision += 1) history.want(revision);
    expect(history.shown?.revision).toBe(700);
    expect(calls.filter((call) => call.startsWith('text'))).toEqual([]);
  });

  it('keeps the text that is there when the server cannot be reached, and goes on when it can', async () => {
    const { reader, waiting, texts } = server(6_000, { held: true });
    const history = new Texts(reader, 6_000, () => {});
    history.want(0);
    history.want(4_000);
    waiting[0]!.fail('unreachable');
    await vi.advanceTimersByTimeAsync(0);
    expect(history.error).toBe('unreachable');
    expect(history.shown?.revision).toBe(0);
    history.retry();
    waiting.at(-1)!.go();
    await vi.advanceTimersByTimeAsync(0);
    expect([history.error, history.shown?.text]).toEqual([undefined, texts[4_000]]);
  });

  it('takes in revisions that were written meanwhile', async () => {
    const { reader, texts } = server(80);
    const history = new Texts(reader, 60, () => {});
    history.want(60);
    await settled();
    history.extend(80);
    history.want(80);
    await settled();
    expect(history.shown?.text).toBe(texts[80]);
  });
});
