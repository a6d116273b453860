// The history view's state outside of React: where the slider stands, whether it plays, what is known of the history.
import type { HistoryAuthor, HistorySummary } from '@concord/client/rest';
import { type Speed, Timeline } from '@/lib/history/timeline';
import { type ShownText, type TextReader, Texts, codeOf } from './texts';

export interface HistoryReader extends TextReader {
  summary(buckets: number, signal: AbortSignal): Promise<HistorySummary>;
}

/** Stretches the slider asks for: about one for every two pixels of a phone, and exact for short histories. */
const BUCKETS = 600;
/** While people write, the summary is asked for again this long after it was last. */
const SUMMARY_EVERY_MS = 2_000;

export interface HistoryView {
  phase: 'loading' | 'ready' | 'error';
  /** Why there is nothing, in phase `error`. */
  code?: string | undefined;
  head: number;
  timeline: Timeline;
  authors: ReadonlyMap<string, HistoryAuthor>;
  /** Where the slider stands. */
  revision: number;
  /** The text of that revision, or of one before while it is on its way. */
  shown: ShownText | undefined;
  waiting: boolean;
  /** Why the text of `revision` could not be had. */
  trouble?: string | undefined;
  playing: boolean;
  speed: Speed;
}

/** When the next frame is drawn; a test has frames of its own. */
export interface Frames {
  request(draw: (nowMs: number) => void): number;
  cancel(handle: number): void;
}

const NOTHING = new Timeline(0, []);

export class HistoryModel {
  readonly #reader: HistoryReader;
  readonly #frames: Frames;
  readonly #listeners = new Set<() => void>();
  #ended = new AbortController();
  #texts: Texts | undefined;
  #authors = new Map<string, HistoryAuthor>();
  #state: Omit<HistoryView, 'authors' | 'shown' | 'waiting' | 'trouble'> = {
    phase: 'loading', head: 0, timeline: NOTHING, revision: 0, playing: false, speed: 1,
  };
  #view: HistoryView | undefined;
  #start: number | undefined;
  #frame = 0;
  /** Where in play time the playing stands. */
  #playMs = 0;
  #summaryTimer: ReturnType<typeof setTimeout> | undefined;
  /** The newest revision anybody has told of. */
  #told = 0;

  /** `start` is the revision to begin with; the last one when it is absent. */
  constructor(reader: HistoryReader, frames: Frames, start?: number) {
    this.#reader = reader;
    this.#frames = frames;
    this.#start = start;
  }

  /** The first listener begins the loading, the last one ends everything that is under way. */
  readonly subscribe = (fn: () => void): (() => void) => {
    this.#listeners.add(fn);
    if (this.#listeners.size === 1) void this.load();
    return () => {
      this.#listeners.delete(fn);
      if (this.#listeners.size === 0) this.#close();
    };
  };

  readonly snapshot = (): HistoryView =>
    (this.#view ??= {
      ...this.#state,
      authors: this.#authors,
      shown: this.#texts?.shown,
      waiting: this.#texts?.waiting ?? true,
      trouble: this.#texts?.error,
    });

  /** Asks for the summary. */
  async load(): Promise<void> {
    if (this.#state.phase === 'error') this.#set({ phase: 'loading', code: undefined });
    const { signal } = this.#ended;
    try {
      const summary = await this.#reader.summary(BUCKETS, signal);
      if (!signal.aborted) this.#take(summary);
    } catch (error) {
      if (signal.aborted || this.#state.phase === 'ready') return;
      this.#set({ phase: 'error', code: codeOf(error) });
    }
  }

  #take(summary: HistorySummary): void {
    const { head: before, revision } = this.#state;
    const followed = this.#texts !== undefined && revision === before;
    this.#meet(summary.authors);
    const first = this.#texts === undefined;
    this.#texts ??= new Texts(this.#reader, summary.revision, () => this.#textChanged());
    this.#texts.extend(summary.revision);
    this.#set({ phase: 'ready', head: summary.revision, timeline: new Timeline(summary.revision, summary.buckets) });
    if (first) this.seek(this.#start ?? summary.revision);
    // Who stands at the end sees what is written there.
    else if (followed && !this.#state.playing) this.seek(summary.revision);
  }

  /** Somebody has written: the document is at this revision now. */
  told(revision: number): void {
    this.#told = Math.max(this.#told, revision);
    if (this.#told <= this.#state.head || this.#state.phase !== 'ready' || this.#summaryTimer !== undefined) return;
    void this.load();
    this.#summaryTimer = setTimeout(() => {
      this.#summaryTimer = undefined;
      this.told(this.#told);
    }, SUMMARY_EVERY_MS);
  }

  /** Puts the slider somewhere; playing goes on from there. */
  seek(revision: number): void {
    const next = Math.min(this.#state.head, Math.max(0, Math.round(revision)));
    this.#playMs = this.#state.timeline.playMs(next);
    this.#set({ revision: next });
    this.#texts?.want(next);
  }

  /** Plays on, or from the beginning when it stands at the end. */
  play(): void {
    const { head, revision, playing } = this.#state;
    if (playing || head === 0) return;
    if (revision >= head) this.seek(0);
    this.#set({ playing: true });
    this.#tellPace();
    let beforeMs: number | undefined;
    const draw = (nowMs: number) => {
      if (!this.#state.playing) return;
      this.#advance(beforeMs === undefined ? 0 : nowMs - beforeMs);
      beforeMs = nowMs;
      if (this.#state.playing) this.#frame = this.#frames.request(draw);
    };
    this.#frame = this.#frames.request(draw);
  }

  pause(): void {
    this.#frames.cancel(this.#frame);
    this.#set({ playing: false });
    this.#tellPace();
  }

  setSpeed(speed: Speed): void {
    this.#set({ speed });
    this.#tellPace();
  }

  textAt(revision: number, signal: AbortSignal): Promise<string> {
    if (!this.#texts) return Promise.reject(new Error('the history is not loaded'));
    return this.#texts.textAt(revision, signal);
  }

  retry(): void {
    if (this.#state.phase === 'ready') this.#texts?.retry();
    else void this.load();
  }

  /** Stands still; whoever listens again goes on from here. */
  #close(): void {
    this.#frames.cancel(this.#frame);
    clearTimeout(this.#summaryTimer);
    this.#summaryTimer = undefined;
    this.#ended.abort();
    this.#ended = new AbortController();
    if (this.#texts) this.#start = this.#state.revision;
    this.#texts?.close();
    this.#texts = undefined;
    this.#state = { ...this.#state, phase: 'loading', playing: false };
    this.#view = undefined;
  }

  #advance(byMs: number): void {
    const { timeline, head, revision, speed } = this.#state;
    // A text that is long in coming holds the play back: at most half a second is played ahead of what is shown.
    const { waiting, shown } = this.#texts ?? {};
    if (waiting && shown && Math.abs(revision - shown.revision) > this.#revisionsPerS() / 2) return;
    // A tab that slept must not come back with a jump.
    this.#playMs = Math.min(timeline.durationMs, this.#playMs + Math.min(byMs, 250) * speed);
    const next = timeline.revisionAt(this.#playMs);
    if (next !== revision) {
      this.#set({ revision: next });
      this.#texts?.want(next);
    }
    if (next >= head || this.#texts?.error !== undefined) this.pause();
  }

  #revisionsPerS(): number {
    const { speed, head, timeline } = this.#state;
    return timeline.durationMs > 0 ? (head / timeline.durationMs) * 1_000 * speed : 0;
  }

  #tellPace(): void {
    this.#texts?.pace(this.#state.playing ? this.#revisionsPerS() : 0);
  }

  #meet(authors: Iterable<HistoryAuthor>): void {
    let next: Map<string, HistoryAuthor> | undefined;
    for (const author of authors) {
      const known = this.#authors.get(author.user);
      if (known && known.name === author.name && known.color === author.color) continue;
      next ??= new Map(this.#authors);
      next.set(author.user, author);
    }
    if (next) this.#authors = next;
  }

  #textChanged(): void {
    this.#meet(this.#texts?.authors.values() ?? []);
    this.#tell();
  }

  #set(change: Partial<HistoryView>): void {
    this.#state = { ...this.#state, ...change };
    this.#tell();
  }

  #tell(): void {
    this.#view = undefined;
    for (const listener of this.#listeners) listener();
  }
}
