import { describe, expect, it } from 'vitest';
import type { SecondFigures } from '@/data/live';
import { columns, extent, minutes, rejectsByCode } from './series';

const second = (time_ms: number, operations: number, server?: Partial<SecondFigures['server']>): SecondFigures => ({
  time_ms,
  people: 2,
  documents: 1,
  operations,
  ...(server && { server: { connections: 2, loaded: 1, bytes_received: 100, bytes_sent: 300, ...server } }),
});

describe('columns', () => {
  it('are rates and milliseconds, with nothing where nothing was measured', () => {
    const made = columns([second(1_000, 4, { append: { p50_us: 500, p99_us: 1_500 }, rejects: { slow_down: 2, bad_op: 1 } }), second(2_000, 0, {})]);
    expect(made.times).toEqual([1, 2]);
    expect([made.operations, made.appendP50, made.appendP99, made.fanoutP99]).toEqual([[4, 0], [0.5, null], [1.5, null], [null, null]]);
    expect([made.rejects, made.received, made.memory]).toEqual([[3, 0], [100, 100], [null, null]]);
    const own = columns([second(1_000, 4)]);
    expect([own.operations, own.received, own.rejects]).toEqual([[4], [null], [null]]);
  });

  it('spread a long entry over its time, and leave a gap where nobody counted', () => {
    const made = columns([second(1_000, 1), second(4_000, 9), second(60_000, 56), second(59_000, 7)]);
    expect(made.times).toEqual([1, 4, 5, 60]);
    expect(made.operations).toEqual([1, 3, null, 1]);
  });
});

it('the extent of a column passes over gaps', () => {
  expect(extent([3, null, 1, 2, null])).toEqual({ last: 2, least: 1, most: 3 });
  expect(extent([null])).toEqual({ last: null, least: null, most: null });
});

it('minutes have the peak of each line and the mean of the operations, latest first', () => {
  const rows = minutes(columns([second(119_000, 2, { memory_bytes: 7 }), second(120_000, 3, {}), second(121_000, 5, { memory_bytes: 9 })]));
  expect(rows.map(({ startMs, operations, memory, traffic, people }) => [startMs, operations, memory, traffic, people])).toEqual([
    [120_000, 4, 9, 400, 2],
    [60_000, 2, 7, 400, 2],
  ]);
});

it('rejects are counted by code, most frequent first', () => {
  const entries = [second(1_000, 0, { rejects: { bad_op: 1 } }), second(2_000, 0, { rejects: { slow_down: 3, bad_op: 1 } }), second(3_000, 0)];
  expect(rejectsByCode(entries)).toEqual([{ code: 'slow_down', count: 3 }, { code: 'bad_op', count: 2 }]);
});
