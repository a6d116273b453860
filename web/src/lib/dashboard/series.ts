// What charts draw of the figures: one column for each line, all over the same times.
import type { SecondFigures } from '@/data/live';

/** A line's values; `null` where nothing was measured, which leaves a gap. */
export type Column = (number | null)[];

/** Every figure as a column over `times`, which are in seconds since 1970. Counts are rates: of one second. */
export interface Columns {
  times: number[];
  people: Column;
  documents: Column;
  operations: Column;
  received: Column;
  sent: Column;
  rejects: Column;
  memory: Column;
  /** In milliseconds. */
  appendP50: Column;
  appendP99: Column;
  fanoutP99: Column;
  answerP99: Column;
}

/** Entries further apart than this have a time between them of which nothing is known. */
const GAP_MS = 5_000;

const MEASURED = ['people', 'documents', 'operations', 'received', 'sent', 'rejects', 'memory', 'appendP50', 'appendP99', 'fanoutP99', 'answerP99'] as const;
export type Measure = (typeof MEASURED)[number];

const ms = (us: number | undefined): number | null => (us === undefined ? null : us / 1_000);
const sum = (counts: Record<string, number | undefined>): number => Object.values(counts).reduce<number>((all, count) => all + (count ?? 0), 0);

/** What one entry measures, over `seconds`. */
function measured(entry: SecondFigures, seconds: number): Record<Measure, number | null> {
  const { server } = entry;
  const rate = (count: number | undefined): number | null => (count === undefined ? null : count / seconds);
  return {
    people: entry.people,
    documents: entry.documents,
    operations: rate(entry.operations),
    received: rate(server?.bytes_received),
    sent: rate(server?.bytes_sent),
    rejects: server ? rate(sum(server.rejects ?? {})) : null,
    memory: server?.memory_bytes ?? null,
    appendP50: ms(server?.append?.p50_us),
    appendP99: ms(server?.append?.p99_us),
    fanoutP99: ms(server?.fanout?.p99_us),
    answerP99: ms(server?.answer?.p99_us),
  };
}

/** The columns of these entries, oldest first. */
export function columns(entries: readonly SecondFigures[]): Columns {
  const made: Columns = { times: [], people: [], documents: [], operations: [], received: [], sent: [], rejects: [], memory: [], appendP50: [], appendP99: [], fanoutP99: [], answerP99: [] };
  let before: number | null = null;
  for (const entry of entries) {
    // A clock that was set back has no place in a chart.
    if (before !== null && entry.time_ms <= before) continue;
    const apartMs = before === null ? 1_000 : entry.time_ms - before;
    if (before !== null && apartMs > GAP_MS) {
      made.times.push((before + 1_000) / 1_000);
      for (const name of MEASURED) made[name].push(null);
    }
    made.times.push(entry.time_ms / 1_000);
    // A server that had no time for a while counts it all in one entry.
    const values = measured(entry, Math.max(1, Math.round(apartMs / 1_000)));
    for (const name of MEASURED) made[name].push(values[name]);
    before = entry.time_ms;
  }
  return made;
}

/** The last value, the least and the greatest; `null` where there is none. */
export interface Extent {
  last: number | null;
  least: number | null;
  most: number | null;
}

export function extent(column: Column): Extent {
  const known = column.filter((value) => value !== null);
  if (known.length === 0) return { last: null, least: null, most: null };
  return { last: known.at(-1) ?? null, least: Math.min(...known), most: Math.max(...known) };
}

/** How often each code was given, most frequent first. */
export function rejectsByCode(entries: readonly SecondFigures[]): { code: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { server } of entries) {
    for (const [code, count] of Object.entries(server?.rejects ?? {})) counts.set(code, (counts.get(code) ?? 0) + count);
  }
  return [...counts].map(([code, count]) => ({ code, count })).sort((a, b) => b.count - a.count || a.code.localeCompare(b.code));
}

/** A minute in the table beside the charts: the greatest of each line, and the mean of the operations. */
export interface MinuteRow {
  /** When the minute began, in milliseconds since 1970. */
  startMs: number;
  people: number | null;
  documents: number | null;
  operations: number | null;
  appendP99: number | null;
  answerP99: number | null;
  traffic: number | null;
  memory: number | null;
}

const MINUTE_S = 60;

/** Minute by minute, latest first. */
export function minutes(all: Columns): MinuteRow[] {
  const places = new Map<number, number[]>();
  all.times.forEach((time, index) => {
    const minute = Math.floor(time / MINUTE_S);
    const known = places.get(minute);
    if (known) known.push(index);
    else places.set(minute, [index]);
  });
  const rows = [...places].map(([minute, indexes]): MinuteRow => {
    const of = (column: Column) => indexes.map((index) => column[index] ?? null);
    const operations = of(all.operations).filter((value) => value !== null);
    const traffic = indexes.map((index) => {
      const [received, sent] = [all.received[index] ?? null, all.sent[index] ?? null];
      return received === null || sent === null ? null : received + sent;
    });
    return {
      startMs: minute * MINUTE_S * 1_000,
      people: extent(of(all.people)).most,
      documents: extent(of(all.documents)).most,
      operations: operations.length === 0 ? null : operations.reduce((a, b) => a + b, 0) / operations.length,
      appendP99: extent(of(all.appendP99)).most,
      answerP99: extent(of(all.answerP99)).most,
      traffic: extent(traffic).most,
      memory: extent(of(all.memory)).most,
    };
  });
  return rows.reverse();
}
