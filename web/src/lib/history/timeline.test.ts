import { describe, expect, it } from 'vitest';
import { PAUSE_MAX_MS, PLAY_MAX_MS, REVISION_MIN_MS, type Stretch, Timeline, neighbourMark, snapped, stripes } from './timeline';

const stretch = (from: number, to: number, from_ms: number, to_ms = from_ms, authors = ['ada']): Stretch => ({
  from, to, from_ms, to_ms, operations: to - from + 1, authors,
});
/** One stretch for each revision, written at these times. */
const each = (...timesMs: number[]) => timesMs.map((ms, index) => stretch(index + 1, index + 1, ms));

describe('Timeline', () => {
  it('plays writing as fast as it was written', () => {
    const timeline = new Timeline(3, each(5_000, 5_900, 6_900));
    expect([1, 2, 3].map((revision) => timeline.playMs(revision))).toEqual([40, 940, 1_940]);
    expect(timeline.durationMs).toBe(1_940);
  });

  it('skips the time in which nobody wrote', () => {
    const day = 86_400_000;
    const timeline = new Timeline(4, each(0, 600, day, day + 900));
    expect(timeline.durationMs).toBe(REVISION_MIN_MS + 600 + PAUSE_MAX_MS + 900);
  });

  it('plays the longest history within four minutes', () => {
    const many = Array.from({ length: 1_000 }, (_, n) => stretch(n * 250 + 1, (n + 1) * 250, n * 1e6, n * 1e6 + 9e5));
    const timeline = new Timeline(250_000, many);
    expect(timeline.durationMs).toBeCloseTo(PLAY_MAX_MS);
    expect(timeline.revisionAt(PLAY_MAX_MS / 2)).toBeCloseTo(125_000, -2);
  });

  it('shows each revision at the time it names for it, and goes on to the last one', () => {
    for (const timeline of [new Timeline(5, each(0, 10, 900, 901, 9_000)), new Timeline(60, [stretch(1, 50, 0, 7_000), stretch(51, 60, 50_000, 50_500)])]) {
      for (let revision = 1; revision < timeline.head; revision += 1) {
        expect(timeline.revisionAt(timeline.playMs(revision) + 0.001)).toBe(revision);
      }
      expect(timeline.revisionAt(timeline.durationMs)).toBe(timeline.head);
    }
  });

  it('plays an import that happened all at one moment', () => {
    const timeline = new Timeline(40, [stretch(1, 40, 77, 77)]);
    expect(timeline.durationMs).toBe(40 * REVISION_MIN_MS);
    expect(timeline.revisionAt(20 * REVISION_MIN_MS)).toBe(20);
  });

  it('knows when a revision was written, exactly where the summary is fine enough', () => {
    expect(new Timeline(2, each(70, 90)).timeMs(2)).toBe(90);
    expect(new Timeline(11, [stretch(1, 11, 1_000, 2_000)]).timeMs(6)).toBe(1_500);
    expect(new Timeline(2, each(70, 90)).timeMs(0)).toBeUndefined();
  });

  it('has nothing to play where nothing was written', () => {
    const timeline = new Timeline(0, []);
    expect([timeline.durationMs, timeline.playMs(0), timeline.revisionAt(0)]).toEqual([0, 0, 0]);
  });
});

describe('stripes', () => {
  it('joins neighbours of one author and covers the axis', () => {
    expect(stripes(10, [stretch(1, 2, 0), stretch(3, 5, 0), stretch(6, 10, 0, 0, ['ben', 'ada'])])).toEqual([
      { from: 0, to: 0.5, author: 'ada' },
      { from: 0.5, to: 1, author: 'ben' },
    ]);
  });
});

describe('marks', () => {
  it('take a pointer that is near, the nearest first', () => {
    expect(snapped(100, [93, 104, 300], 8)).toBe(104);
    expect(snapped(100, [80], 8)).toBe(100);
  });

  it('follow one another in both directions, then the ends', () => {
    expect(neighbourMark(50, [10, 40, 60, 90], 1, 99)).toBe(60);
    expect(neighbourMark(50, [10, 40, 60, 90], -1, 99)).toBe(40);
    expect(neighbourMark(95, [10], 1, 99)).toBe(99);
    expect(neighbourMark(10, [10], -1, 99)).toBe(0);
  });
});
