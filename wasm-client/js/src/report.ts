/**
 * `@concord/client/report`: records what a session did, so that whoever mends a fault can play it again.
 *
 * ```ts
 * const recorder = createRecorder();
 * const client = createClient(recorder.watch({ url: 'https://docs.example.com' }));
 * // later, when a check has failed or somebody wants to tell of a fault
 * const report = await recorder.report(id, { redact: true });
 * ```
 *
 * Nothing is recorded without it, and what it records stays in this page until the application takes it out. A report
 * holds the text and what was typed, but neither names nor addresses nor tokens. `docs/reports.md` describes the file.
 */
import type { ClientOptions } from './client.js';
import { browserHost, type Socket } from './host.js';
import { Log, type RecordingLimits } from './report/log.js';
import { tapped } from './report/tap.js';
import { RecordedSocket } from './report/wire.js';

export type { RecordingLimits } from './report/log.js';

export interface ReportOptions {
  /** Letters and digits become filler of the same length: the report still plays, and nobody reads it. */
  redact?: boolean;
}

/** Something that should not have happened in a document. */
export interface Failure {
  /** `diverged`, `out_of_step`, or `engine_broke`. */
  code: string;
}

export const RECORDING_LIMITS: RecordingLimits = { bytesMax: 1024 * 1024, eventsMax: 8_192 };

/** The form of the file; `collab-server replay-trace` reads this one. */
const VERSION = 1;
/** Documents that are recorded at once; the one that was opened first goes. */
const LOGS_MAX = 8;
/** Trouble that a report is for: replica and server came apart. */
const FAILURES = new Set(['diverged', 'out_of_step']);

export class Recorder {
  readonly #limits: RecordingLimits;
  readonly #logs = new Set<Log>();
  readonly #listeners = new Set<() => void>();
  /** By the host's wall clock. */
  #started = 0;
  #clock: () => number = () => performance.now();
  #unlisten: () => void = () => undefined;

  constructor(limits: RecordingLimits) {
    this.#limits = limits;
  }

  /** Options for `createClient` (or `ConcordProvider`) whose sessions are recorded from now on. */
  watch<Options extends ClientOptions>(options?: Options): Options & ClientOptions {
    const given = options ?? ({} as Options);
    const host = given.host ?? browserHost();
    this.#clock = () => host.clock();
    this.#started ||= host.now();
    this.#listen();
    const logs = { of: (doc: string, client: string) => this.#of(doc, client), all: () => this.#logs };
    const watch = (made: Socket) => new RecordedSocket(made, logs);
    return {
      ...given,
      host: { ...host, watch, socket: (url, protocols) => watch(host.socket(url, protocols)) },
      tap: (engine, session) => {
        const log = this.#of(session.id, session.client ?? '');
        log.session = session;
        log.open(engine);
        const ended = () => {
          log.add('close', {});
          this.#logs.delete(log);
          this.#tell();
        };
        return tapped(engine, log, () => this.#started, ended);
      },
      onError: (error) => {
        if (error.doc !== undefined) this.#trouble(error.doc, error.code, error.message);
        given.onError?.(error);
      },
    };
  }

  /** What went wrong in an open document, if anything did. The same object until another thing does. */
  failure(doc: string): Failure | undefined {
    return this.#logOf(doc)?.kept;
  }

  /** Called when a failure was seen, and when a document was closed. */
  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /**
   * The report of a document: of what led to its failure, or else up to now. Nothing when it is not open.
   *
   * It ends with a line end, and holds the text of the document unless it is redacted.
   */
  async report(doc: string, options: ReportOptions = {}): Promise<string | undefined> {
    const log = this.#logOf(doc);
    if (!log) return undefined;
    const { code = '', lines, dropped } = log.kept ?? { lines: log.lines, dropped: log.dropped };
    const header = {
      concord: 'report', version: VERSION, doc, client: log.session?.client ?? log.client,
      started: new Date(this.#started).toISOString(), agent: typeof navigator === 'undefined' ? '' : navigator.userAgent,
      redacted: options.redact === true, dropped, trouble: code,
    };
    const shown = options.redact ? (await import('./report/redact.js')).redacted(lines) : lines;
    return [JSON.stringify(header), ...shown].map((line) => `${line}\n`).join('');
  }

  /** Forgets the failure of a document: the next report is of what happened up to then. */
  forget(doc: string): void {
    for (const log of this.#logs) if (log.doc === doc) log.kept = undefined;
    this.#tell();
  }

  /** Stops, and forgets everything. Sessions go on unrecorded. */
  end(): void {
    this.#unlisten();
    this.#logs.clear();
    this.#tell();
  }

  #of(doc: string, client: string): Log {
    const known = [...this.#logs].find((log) => log.doc === doc && (log.session?.client ?? log.client) === client);
    if (known) return known;
    const log = new Log(doc, this.#limits, this.#clock, () => this.#tell());
    log.client = client;
    const [oldest] = this.#logs;
    if (oldest && this.#logs.size >= LOGS_MAX) this.#logs.delete(oldest);
    this.#logs.add(log);
    return log;
  }

  /** The one that tells most: with a failure, or else with an editor. */
  #logOf(doc: string): Log | undefined {
    const logs = [...this.#logs].filter((log) => log.doc === doc);
    return logs.find((log) => log.kept) ?? logs.find((log) => log.engine) ?? logs[0];
  }

  #trouble(doc: string, code: string, message: string): void {
    const logs = [...this.#logs].filter((log) => log.doc === doc);
    const speaking = logs.filter((log) => log.inMessage);
    for (const log of speaking.length > 0 ? speaking : logs) {
      log.add('trouble', { code, message });
      if (FAILURES.has(code)) log.keep(code);
    }
  }

  // What the input method did is nowhere else: the engine only hears that patches have to wait.
  #listen(): void {
    this.#unlisten();
    if (typeof document === 'undefined') return;
    const page = document;
    let free: Log[] = [];
    const begins = (): void => {
      free = [...this.#logs].filter((log) => log.engine && !log.held);
    };
    // By now the field itself has heard of it: whose editor made its engine wait is the one that is written in.
    const note = ({ type, target }: Event): void => {
      if (target && type === 'compositionstart') for (const log of free) if (log.held) log.field = target;
      free = [];
      for (const log of this.#logs) {
        if (log.field === target) log.add('composition', { phase: type.slice('composition'.length) });
      }
    };
    page.addEventListener('compositionstart', begins, true);
    page.addEventListener('compositionstart', note);
    page.addEventListener('compositionend', note);
    this.#unlisten = () => {
      page.removeEventListener('compositionstart', begins, true);
      page.removeEventListener('compositionstart', note);
      page.removeEventListener('compositionend', note);
    };
  }

  #tell(): void {
    for (const fn of [...this.#listeners]) fn();
  }
}

/** A recorder with limits per document; see `RECORDING_LIMITS`. */
export function createRecorder(limits: Partial<RecordingLimits> = {}): Recorder {
  return new Recorder({ ...RECORDING_LIMITS, ...limits });
}
