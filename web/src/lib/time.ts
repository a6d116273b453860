// Times as people say them, and lists grouped by them. Times are milliseconds since 1970; days are the person's own.

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export type TimeGroup = 'Today' | 'Yesterday' | 'This week' | 'Earlier';

export interface Grouped<T> {
  name: TimeGroup;
  items: T[];
}

/** Midnight that began the day of `timeMs`, `daysBack` days before. */
function dayStart(timeMs: number, daysBack = 0): number {
  const day = new Date(timeMs);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() - daysBack).getTime();
}

/** The heading under which something of `timeMs` stands at `nowMs`. A time in the future counts as today. */
export function timeGroup(timeMs: number, nowMs: number): TimeGroup {
  if (timeMs >= dayStart(nowMs)) return 'Today';
  if (timeMs >= dayStart(nowMs, 1)) return 'Yesterday';
  if (timeMs >= dayStart(nowMs, 6)) return 'This week';
  return 'Earlier';
}

/** Newest first, under their headings; headings without items are left out. */
export function groupByTime<T>(items: readonly T[], timeOf: (item: T) => number, nowMs: number): Grouped<T>[] {
  const groups: Grouped<T>[] = [];
  for (const item of [...items].sort((a, b) => timeOf(b) - timeOf(a))) {
    const name = timeGroup(timeOf(item), nowMs);
    const last = groups.at(-1);
    if (last?.name === name) last.items.push(item);
    else groups.push({ name, items: [item] });
  }
  return groups;
}

/** "14:02" */
export const clockTime = (timeMs: number, locale?: string): string =>
  new Date(timeMs).toLocaleTimeString(locale, { hour: 'numeric', minute: '2-digit' });

/** "3 May", with the year where it is another one. */
export function calendarDay(timeMs: number, nowMs: number, locale?: string): string {
  const date = new Date(timeMs);
  const sameYear = date.getFullYear() === new Date(nowMs).getFullYear();
  return date.toLocaleDateString(locale, { day: 'numeric', month: 'short', ...(sameYear ? {} : { year: 'numeric' }) });
}

/** "just now", "5 min ago", "3 h ago", "Tue", "3 May", "3 May 2024". */
export function timeAgo(timeMs: number, nowMs: number, locale?: string): string {
  const ageMs = nowMs - timeMs;
  if (ageMs < MINUTE_MS) return 'just now';
  if (ageMs < HOUR_MS) return `${Math.floor(ageMs / MINUTE_MS)} min ago`;
  if (timeMs >= dayStart(nowMs)) return `${Math.floor(ageMs / HOUR_MS)} h ago`;
  if (timeMs >= dayStart(nowMs, 1)) return `yesterday, ${clockTime(timeMs, locale)}`;
  if (ageMs < 6 * DAY_MS) return new Date(timeMs).toLocaleDateString(locale, { weekday: 'long' });
  return calendarDay(timeMs, nowMs, locale);
}

/** A span as one number and its unit, rounded down: "12 s", "3 min", "2 h", "5 days". */
export function duration(spanMs: number): string {
  if (spanMs < MINUTE_MS) return `${Math.max(0, Math.floor(spanMs / 1000))} s`;
  if (spanMs < HOUR_MS) return `${Math.floor(spanMs / MINUTE_MS)} min`;
  if (spanMs < DAY_MS) return `${Math.floor(spanMs / HOUR_MS)} h`;
  const days = Math.floor(spanMs / DAY_MS);
  return days === 1 ? '1 day' : `${days} days`;
}

/** The moment in full, for a tooltip. */
export function fullTime(timeMs: number, locale?: string): string {
  return new Date(timeMs).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' });
}
