// What the history view says: who, when, how much. For eyes and for screen readers alike.
import { counted } from '../count';
import { HOUR_MS, MINUTE_MS, calendarDay, clockTime, duration, timeAgo, timeGroup } from '../time';

/** Names said before the rest becomes a number. */
const NAMES_MAX = 3;

/** "Ada", "Ada and Ben", "Ada, Ben and Cleo", "Ada, Ben and 5 others". */
export function namesOf(names: readonly string[]): string {
  if (names.length === 0) return 'Somebody';
  if (names.length === 1) return names[0]!;
  const shown = names.length <= NAMES_MAX ? names.slice(0, -1) : names.slice(0, NAMES_MAX - 1);
  const rest = names.length - shown.length;
  return `${shown.join(', ')} and ${rest === 1 ? names.at(-1)! : `${rest} others`}`;
}

/** "3 May 14:02", with the year where it is another one. */
export const moment = (timeMs: number, nowMs: number, locale?: string): string =>
  `${calendarDay(timeMs, nowMs, locale)} ${clockTime(timeMs, locale)}`;

/** "in the last 12 min", "since 14:02", "since yesterday, 14:02", "since Tuesday", "since 3 May". */
export function sinceWhen(timeMs: number, nowMs: number, locale?: string): string {
  const ageMs = Math.max(0, nowMs - timeMs);
  if (ageMs < HOUR_MS) return `in the last ${duration(Math.max(MINUTE_MS, ageMs))}`;
  return `since ${timeGroup(timeMs, nowMs) === 'Today' ? clockTime(timeMs, locale) : timeAgo(timeMs, nowMs, locale)}`;
}

/** What the slider says of where it stands. */
export interface Place {
  revision: number;
  head: number;
  /** Who wrote it, where that is known. */
  author?: string | undefined;
  timeMs?: number | undefined;
  /** Versions named at exactly this revision. */
  versions?: readonly string[];
}

/** "Revision 1,204 of 5,000, Ada, 3 May 14:02, version “Draft”". */
export function placeWords({ revision, head, author, timeMs, versions = [] }: Place, nowMs: number, locale?: string): string {
  const parts = [`Revision ${revision.toLocaleString(locale)} of ${head.toLocaleString(locale)}`];
  if (revision === 0) parts.push('before the first change');
  if (author !== undefined && revision > 0) parts.push(author);
  if (timeMs !== undefined && revision > 0) parts.push(moment(timeMs, nowMs, locale));
  for (const name of versions) parts.push(`version “${name}”`);
  return parts.join(', ');
}

/** "12 changes by Ada and Ben since Tuesday". */
export function sinceWords(places: number, names: readonly string[], timeMs: number | undefined, nowMs: number, locale?: string): string {
  const when = timeMs === undefined ? '' : ` ${sinceWhen(timeMs, nowMs, locale)}`;
  return `${counted(places, 'change', 'changes')} by ${namesOf(names)}${when}`;
}

/** "3 places differ: 120 characters inserted, 14 deleted". */
export function diffWords({ places, inserted, deleted }: { places: number; inserted: number; deleted: number }): string {
  if (places === 0) return 'No difference';
  const what = [
    inserted > 0 ? `${counted(inserted, 'character', 'characters')} inserted` : '',
    deleted > 0 ? `${deleted.toLocaleString()}${inserted > 0 ? '' : deleted === 1 ? ' character' : ' characters'} deleted` : '',
  ].filter(Boolean);
  return `${counted(places, 'place differs', 'places differ')}: ${what.join(', ')}`;
}

/** "Restoring brings back 20 characters and takes out 195, in 3 places". */
export function restoreWords({ places, inserted, deleted }: { places: number; inserted: number; deleted: number }): string {
  const chars = (n: number) => counted(n, 'character', 'characters');
  const what = [inserted > 0 ? `brings back ${chars(inserted)}` : '', deleted > 0 ? `takes out ${inserted > 0 ? deleted.toLocaleString() : chars(deleted)}` : ''];
  return `Restoring ${what.filter(Boolean).join(' and ')}, in ${counted(places, 'place', 'places')}`;
}

/** Why something of the history could not be had, by the server's code: what happened and what it means. */
export function troubleWords(code: string): string {
  const known: Record<string, string> = {
    unreachable: 'The server cannot be reached. What is shown stays; the rest comes when the connection is back.',
    overloaded: 'The server is busy at the moment. Nothing is lost; try again in a little while.',
    slow_down: 'That was faster than the server allows. Try again in a moment.',
    storage_unavailable: 'The server cannot reach its storage. Nothing is lost; try again in a little while.',
    doc_corrupt: 'The server found a fault in what it stored and refuses to show a wrong text.',
    forbidden: 'You may not do this here.',
    revision_ahead: 'The document has not come so far: it may have been put back to an earlier state.',
    too_many_versions: 'This document has as many named versions as one may have. Take the name of another one away first.',
    document_full: 'The text of that moment is larger than this server allows now.',
    document_deleted: 'This document was deleted.',
  };
  return (Object.hasOwn(known, code) && known[code]) || 'This part of the history could not be loaded.';
}
