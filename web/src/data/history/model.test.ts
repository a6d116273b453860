import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { HistoryEntry, HistorySummary } from '@concord/client/rest';
import { type Frames, HistoryModel, type HistoryReader } from './model';

const AUTHORS = [{ user: 'ada', name: 'Ada', color: 1 }];

/** A history in which revision n adds one letter, a tenth of a second after the one before. */
function reader(head: () => number): HistoryReader & { asked: string[] } {
  const asked: string[] = [];
  const entry = (revision: number): HistoryEntry => ({ revision, time_ms: revision * 100, author: 'ada', op: revision === 1 ? ['x'] : [revision - 1, 'x'] });
  return {
    asked,
    summary: async () => {
      asked.push('summary');
      const all = Array.from({ length: head() }, (_, n) => n + 1);
      const summary: HistorySummary = {
        revision: head(), first_ms: 0, last_ms: 0, authors: AUTHORS,
        buckets: all.map((n) => ({ from: n, to: n, from_ms: n * 100, to_ms: n * 100, operations: 1, authors: ['ada'] })),
      };
      return summary;
    },
    text: async (revision) => ({ text: 'x'.repeat(revision), time_ms: revision * 100 }),
    page: async (after, limit) => ({
      revision: head(), authors: AUTHORS, entries: Array.from({ length: Math.min(limit, head() - after) }, (_, n) => entry(after + n + 1)),
    }),
    runs: async (revision) => ({ runs: [{ len: revision, author: 'ada' }], authors: AUTHORS }),
  };
}

/** Frames that come when the test says so. */
function frames() {
  let waiting: ((nowMs: number) => void) | undefined;
  let nowMs = 0;
  const given: Frames = {
    request: (draw) => {
      waiting = draw;
      return 1;
    },
    cancel: () => {
      waiting = undefined;
    },
  };
  const run = (ms: number) => {
    for (const end = nowMs + ms; nowMs < end; nowMs += 10) {
      const draw = waiting;
      waiting = undefined;
      draw?.(nowMs);
    }
  };
  return { given, run };
}

async function loaded(head = 50, start?: number) {
  const clock = frames();
  const source = reader(() => head);
  const model = new HistoryModel(source, clock.given, start);
  onTestFinished(model.subscribe(() => {}));
  await vi.waitFor(() => expect(model.snapshot().shown).toBeDefined());
  return { model, clock, source };
}

describe('HistoryModel', () => {
  it('begins at the last revision, or where it is told to', async () => {
    expect((await loaded()).model.snapshot()).toMatchObject({ phase: 'ready', revision: 50, head: 50 });
    expect((await loaded(50, 7)).model.snapshot().shown?.text).toBe('x'.repeat(7));
  });

  it('plays from the beginning when it stands at the end, and stops there', async () => {
    const { model, clock } = await loaded();
    model.play();
    expect(model.snapshot()).toMatchObject({ playing: true, revision: 0 });
    clock.run(2_000);
    const { revision, shown } = model.snapshot();
    expect(revision).toBeGreaterThan(15);
    expect(revision).toBeLessThan(25);
    expect(shown?.text).toBe('x'.repeat(revision));
    clock.run(20_000);
    expect(model.snapshot()).toMatchObject({ playing: false, revision: 50 });
  });

  it('plays four times as far at speed 4', async () => {
    const far = async (speed: 1 | 4) => {
      const { model, clock } = await loaded(200);
      model.seek(0);
      model.setSpeed(speed);
      model.play();
      clock.run(3_000);
      return model.snapshot().revision;
    };
    expect(await far(4)).toBeCloseTo(4 * (await far(1)), -1);
  });

  it('stays where it was paused and goes on from where the slider is put', async () => {
    const { model, clock } = await loaded(200);
    model.seek(0);
    model.play();
    clock.run(1_000);
    model.pause();
    const { revision } = model.snapshot();
    clock.run(1_000);
    expect(model.snapshot().revision).toBe(revision);
    model.play();
    model.seek(100);
    clock.run(500);
    expect(model.snapshot().revision).toBeGreaterThanOrEqual(103);
  });

  it('follows new revisions only when it stands at the end', async () => {
    let head = 50;
    const model = new HistoryModel(reader(() => head), frames().given);
    onTestFinished(model.subscribe(() => {}));
    await vi.waitFor(() => expect(model.snapshot().shown?.revision).toBe(50));
    head = 55;
    model.told(55);
    await vi.waitFor(() => expect(model.snapshot().shown?.text).toBe('x'.repeat(55)));
    model.seek(20);
    head = 60;
    await vi.waitFor(() => expect(model.snapshot().head).toBe(55));
    await model.load();
    expect(model.snapshot()).toMatchObject({ head: 60, revision: 20 });
  });

  it('says why there is nothing, and tries again when asked', async () => {
    const source = reader(() => 5);
    let broken = true;
    const model = new HistoryModel(
      { ...source, summary: (...request) => (broken ? Promise.reject(Object.assign(new Error(), { code: 'overloaded' })) : source.summary(...request)) },
      frames().given,
    );
    onTestFinished(model.subscribe(() => {}));
    await vi.waitFor(() => expect(model.snapshot()).toMatchObject({ phase: 'error', code: 'overloaded' }));
    broken = false;
    model.retry();
    await vi.waitFor(() => expect(model.snapshot().shown?.revision).toBe(5));
    expect(model.snapshot().phase).toBe('ready');
  });

  it('goes on where it stood when somebody looks again', async () => {
    const { model, source } = await loaded(50, 20);
    const leave = model.subscribe(() => {});
    leave();
    expect(source.asked).toEqual(['summary']);
    const other = new HistoryModel(source, frames().given, 20);
    other.subscribe(() => {})();
    expect(other.snapshot().phase).toBe('loading');
    onTestFinished(other.subscribe(() => {}));
    await vi.waitFor(() => expect(other.snapshot()).toMatchObject({ phase: 'ready', revision: 20 }));
  });

  it('has nothing to play where nothing was written', async () => {
    const { model } = await loaded(0);
    model.play();
    expect(model.snapshot()).toMatchObject({ playing: false, revision: 0, phase: 'ready' });
  });
});
