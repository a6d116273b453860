// Texts of the past, as fast as a hand moves a slider. A few whole texts are kept as keyframes and operations in pages; any
// revision near them is worked out here, without a question to the server. Far ones are asked for one at a time, and when
// the answer comes only the latest wish is still followed.
import type { HistoryAuthor, HistoryPage } from '@concord/client/rest';
import { Rope } from '@/lib/history/rope';
import { type Runs, guessRuns } from '@/lib/history/runs';
import { PAGE_LEN, Pages, pageOf } from './pages';
import { type Version, Versions } from './versions';

/** What this needs of the server, for one document. */
export interface TextReader {
  text(revision: number, signal: AbortSignal): Promise<{ text: string; time_ms: number }>;
  page(after: number, limit: number, signal: AbortSignal): Promise<HistoryPage>;
  /** The runs of the whole text at a revision. */
  runs(revision: number, signal: AbortSignal): Promise<{ runs: Runs; authors: readonly HistoryAuthor[] }>;
}

/** An answer nobody waits for any more may take this long before it is given up. */
const STALE_MS = 250;
/** The hand rests this long before its surroundings are fetched. */
const SETTLE_MS = 120;
/** Faster than this, pages are not fetched ahead: texts are asked for as they are wanted. */
const AHEAD_MAX_PER_S = 2 * PAGE_LEN;

/** The text that is to be seen now. */
export interface ShownText {
  readonly revision: number;
  readonly text: string;
  readonly runs: Runs;
  /** Whether the runs are the server's word, or a guess until that comes. */
  readonly exact: boolean;
  /** Who wrote this revision, and when, where it is known exactly. */
  readonly author?: string;
  readonly timeMs?: number;
}

interface Asking {
  readonly abort: AbortController;
  readonly sinceMs: number;
}

export class Texts {
  readonly #reader: TextReader;
  readonly #changed: () => void;
  readonly #pages: Pages;
  readonly #versions: Versions;
  readonly #fetching = new Map<string, Promise<void>>();
  readonly #times = new Map<number, number>();
  readonly #authors = new Map<string, HistoryAuthor>();
  readonly #ended = new AbortController();
  #head: number;
  #wish: number;
  #shown: ShownText | undefined;
  #asking: Asking | undefined;
  /** What is being fetched around the page where the hand rests. */
  #around: { index: number; abort: AbortController } | undefined;
  #error: string | undefined;
  #pace = 0;
  #settleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(reader: TextReader, head: number, changed: () => void) {
    this.#reader = reader;
    this.#pages = new Pages(async (after, limit) => {
      const page = await reader.page(after, limit, this.#ended.signal);
      this.#meet(page.authors);
      return page;
    });
    this.#versions = new Versions(this.#pages);
    this.#head = head;
    this.#wish = head;
    this.#changed = changed;
  }

  /** What is shown; the text before while a wish is on its way. */
  get shown(): ShownText | undefined {
    return this.#shown;
  }

  /** The wish is not shown yet. */
  get waiting(): boolean {
    return this.#error === undefined && this.#shown?.revision !== this.#wish;
  }

  /** Why the wish cannot be shown; gone with the next wish that can. */
  get error(): string | undefined {
    return this.#error;
  }

  /** Everybody who has been named so far. */
  get authors(): ReadonlyMap<string, HistoryAuthor> {
    return this.#authors;
  }

  /** There are more revisions now. */
  extend(head: number): void {
    this.#head = Math.max(head, this.#head);
  }

  /** Shows a revision: at once when it can be worked out here, else as soon as the server answers. The latest wish wins. */
  want(revision: number): void {
    this.#wish = revision;
    this.#error = undefined;
    if (this.#follow()) this.#dropAsking();
    else this.#ask();
    this.#settleSoon();
    this.#readAhead();
    this.#changed();
  }

  /** Revisions a second that go by while it plays; 0 when it stands. */
  pace(revisionsPerS: number): void {
    this.#pace = revisionsPerS;
    this.#settleSoon();
  }

  /** The text at a revision, for comparing. */
  async textAt(revision: number, signal: AbortSignal): Promise<string> {
    const known = this.#versions.reach(revision);
    if (known) return known.text.text();
    const { text } = await this.#reader.text(revision, signal);
    this.#versions.keep({ revision, text: Rope.of(text), runs: null });
    return text;
  }

  retry(): void {
    this.want(this.#wish);
  }

  /** Ends everything that is under way. */
  close(): void {
    clearTimeout(this.#settleTimer);
    this.#dropAsking();
    this.#around?.abort.abort();
    this.#ended.abort();
  }

  #meet(authors: readonly HistoryAuthor[]): void {
    for (const author of authors) this.#authors.set(author.user, author);
  }

  /** Shows the wish if it can be worked out. */
  #follow(): boolean {
    const version = this.#versions.reach(this.#wish);
    if (!version) return false;
    this.#show(version);
    return true;
  }

  #show(version: Version): void {
    const { revision } = version;
    const before = this.#shown;
    const entry = revision > 0 ? this.#pages.entry(revision) : undefined;
    const timeMs = entry?.time_ms ?? this.#times.get(revision);
    const text = version.text.text();
    this.#shown = {
      revision,
      text,
      runs: version.runs ?? (before ? guessRuns(before.runs, before.text, text) : []),
      exact: version.runs !== null,
      ...(entry && { author: entry.author }),
      ...(timeMs !== undefined && { timeMs }),
    };
  }

  // --- asking ---

  #dropAsking(): void {
    this.#asking?.abort.abort();
    this.#asking = undefined;
  }

  /** Asks for what the wish needs, one question at a time. */
  #ask(): void {
    if (this.#asking) {
      if (performance.now() - this.#asking.sinceMs < STALE_MS) return;
      this.#dropAsking();
    }
    const wish = this.#wish;
    const asking: Asking = { abort: new AbortController(), sinceMs: performance.now() };
    this.#asking = asking;
    const missing = this.#versions.missingPages(wish);
    const answer = missing ? Promise.all(missing.map((index) => this.#page(index))) : this.#text(wish, asking.abort.signal);
    answer.then(
      () => this.#answered(asking, wish),
      (error: unknown) => this.#failed(asking, error),
    );
  }

  #answered(asking: Asking, asked: number): void {
    if (this.#asking !== asking) return;
    this.#asking = undefined;
    if (!this.#follow()) {
      // On the way to the wish: movement is better than a still picture.
      const version = this.#versions.reach(asked);
      if (version) this.#show(version);
      this.#ask();
    }
    this.#settleSoon();
    this.#changed();
  }

  #failed(asking: Asking, error: unknown): void {
    if (this.#asking !== asking || asking.abort.signal.aborted) return;
    this.#asking = undefined;
    this.#error = codeOf(error);
    this.#changed();
  }

  async #text(revision: number, signal: AbortSignal): Promise<void> {
    const { text, time_ms } = await this.#reader.text(revision, signal);
    this.#times.set(revision, time_ms);
    this.#versions.keep({ revision, text: Rope.of(text), runs: null });
  }

  /** One question for the same thing at a time, whoever asks. */
  #once(name: string, ask: () => Promise<void>): Promise<void> {
    const running = this.#fetching.get(name) ?? ask().finally(() => this.#fetching.delete(name));
    this.#fetching.set(name, running);
    return running;
  }

  #page(index: number): Promise<void> {
    return this.#once(`page ${index}`, () => this.#pages.load(index, this.#head));
  }

  /** The text and the authors at the head of a page: from there, all of the page can be worked out. */
  #keyframe(revision: number, signal: AbortSignal): Promise<void> {
    return this.#once(`keyframe ${revision}`, async () => {
      const known = this.#versions.reach(revision);
      if (known?.runs) return;
      const [text, { runs, authors }] = await Promise.all([
        known ? known.text : this.#reader.text(revision, signal).then((answer) => Rope.of(answer.text)),
        this.#reader.runs(revision, signal),
      ]);
      this.#meet(authors);
      this.#versions.keep({ revision, text, runs });
    });
  }

  // --- what will be needed next ---

  #settleSoon(): void {
    clearTimeout(this.#settleTimer);
    if (this.#pace > AHEAD_MAX_PER_S) return;
    this.#settleTimer = setTimeout(() => this.#settle(), SETTLE_MS);
  }

  /** Fetches the surroundings of what is shown, so that single steps in both directions and its colours are there. */
  #settle(): void {
    const revision = this.#shown?.revision;
    if (revision === undefined || this.waiting || revision === 0) return;
    const index = pageOf(revision);
    if (this.#around?.index !== index) {
      // Authors take the server longest: nobody waits for those of the place before.
      this.#around?.abort.abort();
      this.#around = { index, abort: new AbortController() };
    }
    const { signal } = this.#around.abort;
    const needed = [this.#keyframe(index * PAGE_LEN, signal)];
    if (!this.#pages.entry(revision)) needed.push(this.#page(index));
    Promise.all(needed).then(
      () => {
        if (this.#shown?.revision === revision && !(this.#shown.exact && this.#shown.author)) this.#refresh();
        this.#readAround(index, revision, signal);
      },
      () => {
        // The text is shown; colours and neighbours come with the next move.
      },
    );
  }

  #refresh(): void {
    if (this.#wish === this.#shown?.revision && this.#follow()) this.#changed();
  }

  #readAround(index: number, revision: number, signal: AbortSignal): void {
    if (signal.aborted) return;
    const near = PAGE_LEN / 4;
    const within = revision - 1 - index * PAGE_LEN;
    const quietly = (work: Promise<void>) => void work.catch(() => undefined);
    if (within > PAGE_LEN - near && (index + 1) * PAGE_LEN < this.#head) quietly(this.#page(index + 1));
    if (within < near && index > 0 && !this.#pages.hasAll((index - 1) * PAGE_LEN, index * PAGE_LEN)) {
      quietly(this.#page(index - 1));
      quietly(this.#keyframe((index - 1) * PAGE_LEN, signal));
    }
  }

  /** While it plays: the page after the one that is shown, in time. */
  #readAhead(): void {
    if (this.#pace <= 0 || this.#pace > AHEAD_MAX_PER_S) return;
    const ahead = Math.min(this.#head, this.#wish + Math.max(PAGE_LEN / 2, this.#pace));
    const index = pageOf(ahead);
    if (ahead > 0 && !this.#pages.entry(Math.min(this.#head, (index + 1) * PAGE_LEN))) void this.#page(index).catch(() => undefined);
  }
}

/** The stable code of a failure. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'internal';
}
