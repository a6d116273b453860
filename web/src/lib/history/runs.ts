// Who wrote which characters: runs over a whole text, carried through operations. Lengths count scalar values.
import { charCount } from '../chars';
import { type Operation } from './rope';

/** Neighbouring characters of one author; `author` is null where it is not known. */
export interface Run {
  readonly len: number;
  readonly author: string | null;
  /** The revision that wrote the last of them, and when; absent where the author is. */
  readonly revision?: number | undefined;
  readonly timeMs?: number | undefined;
}

export type Runs = readonly Run[];

/** Somebody's operation at a revision. */
export interface Writing {
  readonly op: Operation;
  readonly author: string;
  readonly revision: number;
  readonly timeMs: number;
}

/** Writing that goes on within this time is one run. */
const ONE_GO_MS = 60_000;

const isOneGo = (a: Run, b: Run) =>
  a.author === b.author && (a.revision === b.revision || Math.abs((a.timeMs ?? 0) - (b.timeMs ?? 0)) <= ONE_GO_MS);

const later = (a: Run, b: Run): Run => ((a.revision ?? 0) >= (b.revision ?? 0) ? a : b);

function push(runs: Run[], run: Run): void {
  if (run.len === 0) return;
  const last = runs.at(-1);
  if (last && isOneGo(last, run)) runs[runs.length - 1] = { ...later(last, run), len: last.len + run.len };
  else runs.push(run);
}

/** Nobody is known yet. */
export const unknownRuns = (chars: number): Runs => (chars === 0 ? [] : [{ len: chars, author: null }]);

/** The length that runs cover. */
export const runsLength = (runs: Runs): number => runs.reduce((sum, run) => sum + run.len, 0);

/** The part of the runs from one offset to another. */
export function sliceRuns(runs: Runs, from: number, to: number): Runs {
  const part: Run[] = [];
  let at = 0;
  for (const run of runs) {
    const start = Math.max(at, from);
    const end = Math.min(at + run.len, to);
    if (end > start) part.push(end - start === run.len ? run : { ...run, len: end - start });
    at += run.len;
    if (at >= to) break;
  }
  return part;
}

export function joinRuns(...parts: Runs[]): Runs {
  const runs: Run[] = [];
  for (const part of parts) for (const run of part) push(runs, run);
  return runs;
}

/** The runs after somebody's operation: what stays keeps its author, what is new is theirs. */
export function writeRuns(runs: Runs, { op, author, revision, timeMs }: Writing): Runs {
  const result: Run[] = [];
  let index = 0;
  let inside = 0;
  for (const part of op) {
    if (typeof part === 'string') {
      push(result, { len: charCount(part), author, revision, timeMs });
      continue;
    }
    for (let left = Math.abs(part); left > 0 && index < runs.length; ) {
      const run = runs[index]!;
      const taken = Math.min(left, run.len - inside);
      if (part > 0) push(result, taken === run.len ? run : { ...run, len: taken });
      left -= taken;
      inside += taken;
      if (inside === run.len) {
        index += 1;
        inside = 0;
      }
    }
  }
  return result;
}

/**
 * A guess for a text whose authors are on their way: characters at both ends that the two texts have in common keep
 * theirs. Wrong only where the same characters were deleted and written again by somebody else.
 */
export function guessRuns(runs: Runs, before: string, after: string): Runs {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before.charCodeAt(head) === after.charCodeAt(head)) head += 1;
  let tail = 0;
  while (tail < most - head && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail += 1;
  const headChars = charCount(wellFormed(before.slice(0, head)));
  const tailChars = charCount(wellFormed(before.slice(before.length - tail)));
  const beforeChars = charCount(before);
  const middle = charCount(after) - headChars - tailChars;
  return joinRuns(sliceRuns(runs, 0, headChars), unknownRuns(Math.max(0, middle)), sliceRuns(runs, beforeChars - tailChars, beforeChars));
}

/** Without half of a pair at either end. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff]$/, '').replace(/^[\udc00-\udfff]/, '');
}
