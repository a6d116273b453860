import { describe, expect, it } from 'vitest';
import { duration, groupByTime, timeAgo, timeGroup } from './time';

const now = new Date(2026, 4, 20, 10, 30).getTime();
const at = (day: number, hour: number) => new Date(2026, 4, day, hour).getTime();

describe('timeGroup', () => {
  it('changes at midnight of the person, not after 24 hours', () => {
    expect(timeGroup(at(20, 0), now)).toBe('Today');
    expect(timeGroup(at(20, 0) - 1, now)).toBe('Yesterday');
    expect(timeGroup(at(19, 0) - 1, now)).toBe('This week');
    expect(timeGroup(at(14, 0), now)).toBe('This week');
    expect(timeGroup(at(14, 0) - 1, now)).toBe('Earlier');
  });

  it('puts a clock that runs ahead under Today', () => {
    expect(timeGroup(now + 3_600_000, now)).toBe('Today');
  });
});

describe('groupByTime', () => {
  it('sorts newest first and leaves out empty headings', () => {
    const groups = groupByTime([at(1, 9), at(20, 9), at(20, 10), at(3, 9)], (time) => time, now);
    expect(groups).toEqual([
      { name: 'Today', items: [at(20, 10), at(20, 9)] },
      { name: 'Earlier', items: [at(3, 9), at(1, 9)] },
    ]);
  });

  it('leaves the given list as it was', () => {
    const items = [at(1, 9), at(20, 9)];
    groupByTime(items, (time) => time, now);
    expect(items).toEqual([at(1, 9), at(20, 9)]);
  });
});

describe('timeAgo', () => {
  it.each([
    [now - 20_000, 'just now'],
    [now + 5_000, 'just now'],
    [now - 5 * 60_000, '5 min ago'],
    [now - 3 * 3_600_000, '3 h ago'],
    [at(16, 12), 'Saturday'],
    [at(3, 12), '3 May'],
    [new Date(2024, 4, 3).getTime(), '3 May 2024'],
  ])('says %d as "%s"', (time, words) => {
    expect(timeAgo(time, now, 'en-GB')).toBe(words);
  });
});

it('names yesterday with its hour', () => {
  expect(timeAgo(at(19, 8), now, 'en-GB')).toMatch(/^yesterday, 0?8:00$/);
});

describe('duration', () => {
  it.each([
    [-5, '0 s'],
    [12_900, '12 s'],
    [60_000, '1 min'],
    [7_200_000, '2 h'],
    [86_400_000, '1 day'],
    [300_000_000, '3 days'],
  ])('says %d ms as %s', (span, words) => {
    expect(duration(span)).toBe(words);
  });
});
