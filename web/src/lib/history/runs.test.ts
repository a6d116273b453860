import { describe, expect, it } from 'vitest';
import { type Run, type Runs, guessRuns, joinRuns, runsLength, sliceRuns, unknownRuns, writeRuns } from './runs';

const run = (len: number, author: string | null, revision = 1, timeMs = 0): Run => ({ len, author, revision, timeMs });
const say = (runs: Runs) => runs.map(({ len, author }) => `${author ?? '?'}${len}`).join(' ');

describe('writeRuns', () => {
  it('gives what is new to its author and leaves the rest with theirs', () => {
    const before = [run(4, 'ada'), run(4, 'ben')];
    expect(say(writeRuns(before, { op: [2, '😀x', 2, -1, 3], author: 'cleo', revision: 2, timeMs: 9 }))).toBe('ada2 cleo2 ada2 ben3');
  });

  it('covers exactly the new text, whatever is deleted', () => {
    const before = [run(3, 'ada'), run(3, null), run(3, 'ben')];
    const after = writeRuns(before, { op: [-2, 3, 'abc', -4], author: 'ada', revision: 5, timeMs: 5 });
    expect(runsLength(after)).toBe(6);
    expect(say(after)).toBe('ada1 ?2 ada3');
  });

  it('joins what one person writes in one go, and not what they wrote an hour later', () => {
    const first = writeRuns([], { op: ['ab'], author: 'ada', revision: 1, timeMs: 0 });
    const goesOn = writeRuns(first, { op: [2, 'c'], author: 'ada', revision: 2, timeMs: 900 });
    expect(goesOn).toEqual([{ len: 3, author: 'ada', revision: 2, timeMs: 900 }]);
    expect(say(writeRuns(goesOn, { op: [3, 'd'], author: 'ada', revision: 3, timeMs: 3_600_000 }))).toBe('ada3 ada1');
  });
});

describe('guessRuns', () => {
  it('keeps the authors of what both texts begin and end with', () => {
    expect(say(guessRuns([run(5, 'ada'), run(5, 'ben')], 'aaaaabbbbb', 'aaaaaXYbbbbb'))).toBe('ada5 ?2 ben5');
    expect(say(guessRuns([run(5, 'ada'), run(5, 'ben')], 'aaaaabbbbb', 'aaabbb'))).toBe('ada3 ben3');
  });

  it('covers the new text when the difference lies inside of pairs', () => {
    for (const [before, after] of [['😀', '😁'], ['a😀b', 'a😁😀b'], ['😀😀', '😀'], ['', '😀'], ['x', '']] as const) {
      const runs = unknownRuns([...before].length).map((one) => ({ ...one, author: 'ada' }));
      expect(runsLength(guessRuns(runs, before, after)), `${before} → ${after}`).toBe([...after].length);
    }
  });
});

describe('sliceRuns and joinRuns', () => {
  it('cut and put together again', () => {
    const runs = [run(4, 'ada'), run(4, 'ben'), run(4, 'ada', 9, 9e9)];
    expect(say(sliceRuns(runs, 2, 10))).toBe('ada2 ben4 ada2');
    expect(joinRuns(sliceRuns(runs, 0, 5), sliceRuns(runs, 5, 12))).toEqual(runs);
  });
});
