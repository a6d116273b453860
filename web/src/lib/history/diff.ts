// The difference between two revisions for reading: the earlier text with one operation becomes lines of what stayed, what
// was inserted and what was deleted.
import { charCount, utf16Offset } from '../chars';
import { type Operation, SpanError } from './rope';

export type DiffKind = 'keep' | 'insert' | 'delete';

export interface DiffPart {
  readonly kind: DiffKind;
  readonly text: string;
}

/** Letters kept between two changes on one line that only make them harder to read. */
const ISLAND_MAX = 2;

/** The parts from one text to the other; in each place what was deleted comes before what was inserted. */
export function diffParts(before: string, operation: Operation): DiffPart[] {
  const raw: DiffPart[] = [];
  let at = 0;
  let chars = 0;
  for (const part of operation) {
    if (typeof part === 'string') {
      raw.push({ kind: 'insert', text: part });
      continue;
    }
    const end = at + utf16Offset(before.slice(at, at + 2 * Math.abs(part)), Math.abs(part));
    raw.push({ kind: part > 0 ? 'keep' : 'delete', text: before.slice(at, end) });
    at = end;
    chars += Math.abs(part);
  }
  if (at !== before.length || chars !== charCount(before)) throw new SpanError(chars, charCount(before));
  return places(raw).flatMap(tidy);
}

/** The same difference read from the later text: what it would take to go back. */
export function reversed(parts: readonly DiffPart[]): DiffPart[] {
  const turned: Record<DiffKind, DiffKind> = { keep: 'keep', insert: 'delete', delete: 'insert' };
  const back = parts.map(({ kind, text }) => ({ kind: turned[kind], text }));
  return places(back).flatMap(tidy);
}

type Place = { readonly kept: string } | { deleted: string; inserted: string };

/** Kept text and changed places in turn; islands of a few letters between changes belong to the change. */
function places(parts: readonly DiffPart[]): Place[] {
  const result: Place[] = [];
  parts.forEach(({ kind, text }, index) => {
    const last = result.at(-1);
    const open = last && 'deleted' in last ? last : undefined;
    if (kind === 'keep') {
      if (open && isIsland(text) && parts[index + 1] && parts[index + 1]!.kind !== 'keep') {
        open.deleted += text;
        open.inserted += text;
      } else {
        result.push({ kept: text });
      }
      return;
    }
    const place = open ?? { deleted: '', inserted: '' };
    if (!open) result.push(place);
    if (kind === 'insert') place.inserted += text;
    else place.deleted += text;
  });
  return result;
}

const isIsland = (text: string) => text.length <= ISLAND_MAX && !text.includes('\n');

function tidy(place: Place): DiffPart[] {
  if ('kept' in place) return [{ kind: 'keep', text: place.kept }];
  const { deleted, inserted } = place;
  if (deleted === inserted) return deleted === '' ? [] : [{ kind: 'keep', text: deleted }];
  return [
    ...(deleted === '' ? [] : [{ kind: 'delete' as const, text: deleted }]),
    ...(inserted === '' ? [] : [{ kind: 'insert' as const, text: inserted }]),
  ];
}

/** The number of places an operation changes: what `diffParts` shows apart, without needing the text. */
export function countPlaces(operation: Operation): number {
  let count = 0;
  let kept = Infinity;
  for (const part of operation) {
    if (typeof part === 'number' && part > 0) {
      kept += part;
      continue;
    }
    if (kept > ISLAND_MAX) count += 1;
    kept = 0;
  }
  return count;
}

/** How much has changed. */
export interface DiffCount {
  /** Places that differ. */
  places: number;
  /** Characters inserted and deleted. */
  inserted: number;
  deleted: number;
}

export function countDiff(parts: readonly DiffPart[]): DiffCount {
  const count: DiffCount = { places: 0, inserted: 0, deleted: 0 };
  let inPlace = false;
  for (const { kind, text } of parts) {
    if (kind === 'keep') {
      inPlace = false;
      continue;
    }
    if (!inPlace) count.places += 1;
    inPlace = true;
    count[kind === 'insert' ? 'inserted' : 'deleted'] += charCount(text);
  }
  return count;
}
