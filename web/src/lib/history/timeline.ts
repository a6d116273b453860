// The slider's axis and the clock of playing, from the summary of a history. Positions on the axis are revisions, 0 to the
// head: stretches in which nobody wrote take no room on it. Playing has a time of its own, in which pauses are short.

/** What happened in one stretch of revisions, as the server sums it up. Times are milliseconds since 1970. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly from_ms: number;
  readonly to_ms: number;
  readonly operations: number;
  readonly authors: readonly string[];
}

/** A pause in the writing lasts no longer than this when it is played. */
export const PAUSE_MAX_MS = 1_000;
/** All of a history plays within this time at speed 1. */
export const PLAY_MAX_MS = 240_000;
/** A revision plays no shorter than this, unless a long history has to: what was imported at one moment can be watched. */
export const REVISION_MIN_MS = 40;

export const SPEEDS = [1, 4, 16] as const;
export type Speed = (typeof SPEEDS)[number];

/** The played part of one stretch: revisions `from - 1` to `to` between two play times. */
interface Leg {
  readonly stretch: Stretch;
  readonly startMs: number;
  readonly endMs: number;
}

export class Timeline {
  /** The last revision. */
  readonly head: number;
  /** How long all of it plays at speed 1. */
  readonly durationMs: number;
  readonly #legs: Leg[];

  constructor(head: number, stretches: readonly Stretch[]) {
    this.head = head;
    const natural = stretches.map((stretch, index) => naturalMs(stretch, stretches[index - 1]));
    const total = natural.reduce((sum, ms) => sum + ms, 0);
    const scale = total > PLAY_MAX_MS ? PLAY_MAX_MS / total : 1;
    let atMs = 0;
    this.#legs = stretches.map((stretch, index) => {
      const startMs = atMs;
      atMs += (natural[index] ?? 0) * scale;
      return { stretch, startMs, endMs: atMs };
    });
    this.durationMs = atMs;
  }

  /** The play time at which a revision appears. */
  playMs(revision: number): number {
    const leg = this.#legs.find(({ stretch }) => revision <= stretch.to) ?? this.#legs.at(-1);
    if (!leg) return 0;
    const { stretch, startMs, endMs } = leg;
    return startMs + (endMs - startMs) * share(revision, stretch.from - 1, stretch.to);
  }

  /** The revision that is shown at a play time: the last one that has appeared. */
  revisionAt(playMs: number): number {
    if (playMs >= this.durationMs) return this.head;
    const leg = this.#legs.find(({ endMs }) => playMs < endMs);
    if (!leg) return 0;
    const { stretch, startMs, endMs } = leg;
    const before = stretch.from - 1;
    // A revision appears at the very time `playMs` names for it, so rounding must not lose it.
    return before + Math.floor(share(playMs, startMs, endMs) * (stretch.to - before) + 1e-6);
  }

  /** About when a revision was written; exact where a stretch is one revision. Undefined before the first. */
  timeMs(revision: number): number | undefined {
    const stretch = this.stretchOf(revision);
    if (!stretch) return undefined;
    return Math.round(stretch.from_ms + (stretch.to_ms - stretch.from_ms) * share(revision, stretch.from, stretch.to));
  }

  stretchOf(revision: number): Stretch | undefined {
    return this.#legs.find(({ stretch }) => revision >= stretch.from && revision <= stretch.to)?.stretch;
  }

  get stretches(): readonly Stretch[] {
    return this.#legs.map(({ stretch }) => stretch);
  }
}

/** How long a stretch plays: as it was written, with the pause before it and the pauses in it cut short. */
function naturalMs(stretch: Stretch, before: Stretch | undefined): number {
  const pause = before ? clamp(stretch.from_ms - before.to_ms, 0, PAUSE_MAX_MS) : 0;
  const writing = clamp(stretch.to_ms - stretch.from_ms, 0, stretch.operations * PAUSE_MAX_MS);
  return Math.max(pause + writing, stretch.operations * REVISION_MIN_MS);
}

const clamp = (n: number, min: number, max: number) => Math.min(max, Math.max(min, n));
/** How far `n` is from `from` to `to`, 0 to 1. */
const share = (n: number, from: number, to: number) => (to > from ? clamp((n - from) / (to - from), 0, 1) : n >= to ? 1 : 0);

/** A stripe of the slider: from one share of its width to another, in the colour of who wrote most there. */
export interface Stripe {
  readonly from: number;
  readonly to: number;
  readonly author: string | null;
}

/** The whole axis as stripes; neighbours of one author are one. */
export function stripes(head: number, stretches: readonly Stretch[]): Stripe[] {
  const result: Stripe[] = [];
  for (const { from, to, authors } of stretches) {
    const author = authors[0] ?? null;
    const last = result.at(-1);
    if (last?.author === author) result[result.length - 1] = { ...last, to: to / head };
    else result.push({ from: (from - 1) / head, to: to / head, author });
  }
  return result;
}

/** The mark that a pointer means: the nearest within `reach` revisions, else the revision itself. */
export function snapped(revision: number, marks: readonly number[], reach: number): number {
  let best = revision;
  let nearest = reach;
  for (const mark of marks) {
    const distance = Math.abs(mark - revision);
    if (distance <= nearest) {
      best = mark;
      nearest = distance;
    }
  }
  return best;
}

/** The next mark after a revision, or the one before it; the end of the axis when there is none. */
export function neighbourMark(revision: number, marks: readonly number[], direction: 1 | -1, head: number): number {
  const beyond = marks.filter((mark) => (mark - revision) * direction > 0);
  if (beyond.length === 0) return direction > 0 ? head : 0;
  return direction > 0 ? Math.min(...beyond) : Math.max(...beyond);
}
