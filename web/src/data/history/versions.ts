// Texts of a history that are kept whole: from the nearest one before it, any revision is worked out.
import { Rope } from '@/lib/history/rope';
import { type Runs, writeRuns } from '@/lib/history/runs';
import { PAGE_LEN, type Pages } from './pages';

/** Operations that are applied in one go rather than asking for a text: some milliseconds of work. */
const REPLAY_MAX = 3 * PAGE_LEN;
/** Pages missing between a kept version and a wish that are asked for instead of a text. */
const MISSING_MAX = 2;
/** While operations are applied, every so many a version is kept. */
const KEEP_EVERY = 50;
const KEPT_MAX = 300;
/** Characters in all kept versions, counted as if they shared nothing. */
const KEPT_CHARS_MAX = 48e6;

export interface Version {
  readonly revision: number;
  readonly text: Rope;
  /** Who wrote it; null while that is not known. */
  readonly runs: Runs | null;
}

export class Versions {
  readonly #pages: Pages;
  readonly #versions = new Map<number, Version>([[0, { revision: 0, text: Rope.EMPTY, runs: [] }]]);

  constructor(pages: Pages) {
    this.#pages = pages;
  }

  /** The version at a revision, by applying known operations to the nearest one before it. */
  reach(revision: number): Version | undefined {
    const exact = this.#versions.get(revision);
    if (exact?.runs) return exact;
    const starts = [...this.#versions.values()]
      .filter((version) => version.revision < revision && revision - version.revision <= REPLAY_MAX && this.#pages.hasAll(version.revision, revision))
      .sort((a, b) => b.revision - a.revision);
    // A start whose authors are known is worth a longer way.
    const start = starts.find(({ runs }) => runs) ?? (exact ? undefined : starts[0]);
    return start ? this.#replay(start, revision) : exact;
  }

  /** The pages between the nearest version and a revision, when they are few; null when a text is the shorter way. */
  missingPages(revision: number): number[] | null {
    const nearest = Math.max(...[...this.#versions.keys()].filter((kept) => kept <= revision));
    if (revision - nearest > REPLAY_MAX) return null;
    const missing = this.#pages.missing(nearest, revision);
    return missing.length > 0 && missing.length <= MISSING_MAX ? missing : null;
  }

  keep(version: Version): void {
    const before = this.#versions.get(version.revision);
    if (before?.runs && !version.runs) return;
    this.#versions.delete(version.revision);
    this.#versions.set(version.revision, version);
    let chars = 0;
    for (const { text } of this.#versions.values()) chars += text.chars;
    for (const [revision, old] of this.#versions) {
      if (this.#versions.size <= KEPT_MAX && chars <= KEPT_CHARS_MAX) break;
      if (revision === 0 || old === version) continue;
      this.#versions.delete(revision);
      chars -= old.text.chars;
    }
  }

  #replay(start: Version, revision: number): Version {
    let { text, runs } = start;
    for (let next = start.revision + 1; next <= revision; next += 1) {
      const { op, author, time_ms } = this.#pages.entry(next)!;
      text = text.apply(op);
      runs = runs && writeRuns(runs, { op, author, revision: next, timeMs: time_ms });
      if (next % KEEP_EVERY === 0 && next !== revision) this.keep({ revision: next, text, runs });
    }
    const version = { revision, text, runs };
    this.keep(version);
    return version;
  }
}
