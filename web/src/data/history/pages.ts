// The operations of a history, a page of them at a time, as far as they are known here.
import type { HistoryEntry, HistoryPage } from '@concord/client/rest';

/** Operations asked for at once. */
export const PAGE_LEN = 500;
const PAGES_MAX = 80;

/** The page, counted from 0, that a revision is on. */
export const pageOf = (revision: number): number => Math.floor((revision - 1) / PAGE_LEN);

/** Asks for operations behind a revision. */
export type ReadPage = (after: number, limit: number) => Promise<HistoryPage>;

export class Pages {
  readonly #read: ReadPage;
  readonly #pages = new Map<number, HistoryEntry[]>();

  constructor(read: ReadPage) {
    this.#read = read;
  }

  entry(revision: number): HistoryEntry | undefined {
    const index = pageOf(revision);
    return this.#pages.get(index)?.[revision - 1 - index * PAGE_LEN];
  }

  /** Whether all operations behind one revision up to another are known. */
  hasAll(after: number, revision: number): boolean {
    return this.missing(after, revision).length === 0;
  }

  /** The pages that lack some of them. */
  missing(after: number, revision: number): number[] {
    const missing: number[] = [];
    for (let index = pageOf(after + 1); index * PAGE_LEN < revision; index += 1) {
      if (!this.entry(Math.min(revision, (index + 1) * PAGE_LEN))) missing.push(index);
    }
    return missing;
  }

  /** Reads what is missing of a page, in a history that goes up to `head`. */
  async load(index: number, head: number): Promise<void> {
    const entries = [...(this.#pages.get(index) ?? [])];
    const first = index * PAGE_LEN;
    const wanted = Math.min(PAGE_LEN, head - first);
    while (entries.length < wanted) {
      const page = await this.#read(first + entries.length, PAGE_LEN - entries.length);
      entries.push(...page.entries);
      if (page.entries.length === 0) throw new Error(`the history ends before revision ${first + wanted}`);
    }
    this.#pages.delete(index);
    this.#pages.set(index, entries);
    for (const old of this.#pages.keys()) {
      if (this.#pages.size <= PAGES_MAX) break;
      this.#pages.delete(old);
    }
  }
}
