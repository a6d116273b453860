/**
 * `@concord/client/figures`: how much goes on, second by second, over the connection that is there anyway: the last 15
 * minutes at once, then at most one message a second. Operators see the whole server, everybody their own documents.
 *
 * ```ts
 * const figures = watchFigures(client);
 * figures.subscribe(() => console.log(figures.view.seconds.at(-1)?.operations));
 * figures.close();
 * ```
 *
 * A page watches one of the two at a time: whoever asks last decides which.
 */
import type { ConcordClient } from './client.js';
import type { DocumentFigures, ErrorCode, Figures, FiguresOf, SecondFigures, ServerMessage } from './protocol.js';

export type { DocumentFigures, FiguresOf, SecondFigures, ServerFigures, Spread } from './protocol.js';

/** How it stands; a new object whenever something has changed. */
export interface FiguresView {
  /** `waiting` until the first figures, and while the connection is lost; what was told before stays. */
  state: 'waiting' | 'live' | 'refused';
  /** What the figures are of; unknown until the first ones. */
  of: FiguresOf | undefined;
  /** The last 15 minutes, oldest first. */
  seconds: readonly SecondFigures[];
  /** The busiest documents, busiest first. */
  documents: readonly DocumentFigures[];
  /** Why they are refused. */
  code?: ErrorCode;
}

/** Figures that are watched until they are closed. */
export interface WatchedFigures {
  readonly view: FiguresView;
  subscribe(fn: () => void): () => void;
  close(): void;
}

/** 15 minutes. */
const SECONDS_MAX = 900;
/** When to ask again what may come later. */
const AGAIN_MS = 5_000;
/** The connection stays for so long after its last user left: React opens and closes in quick succession. */
const LINGER_MS = 250;

export const NO_FIGURES: FiguresView = { state: 'waiting', of: undefined, seconds: [], documents: [] };

interface User {
  of: FiguresOf | undefined;
  fns: Set<() => void>;
}

/** Those who watch over one client, latest last. The latest one's is what is asked for. */
class Watch {
  readonly #client: ConcordClient;
  readonly #users: User[] = [];
  #asked: FiguresOf | undefined;
  #detach: (() => void) | undefined;
  #open = false;
  view = NO_FIGURES;

  constructor(client: ConcordClient) {
    this.#client = client;
  }

  enter(of: FiguresOf | undefined): { fns: Set<() => void>; leave(): void } {
    const user: User = { of, fns: new Set() };
    const isNew = this.#users.length === 0 || this.#users.at(-1)?.of !== of;
    this.#users.push(user);
    if (isNew) this.#ask(of);
    this.#attach();
    return { fns: user.fns, leave: () => this.#leave(user) };
  }

  #leave(user: User): void {
    this.#users.splice(this.#users.indexOf(user), 1);
    const last = this.#users.at(-1);
    if (last && last.of !== this.#asked) this.#ask(last.of);
    if (last) return;
    this.#client.link.connection.send({ type: 'figures_close' });
    this.view = NO_FIGURES;
    this.#client.link.host.setTimeout(() => {
      if (this.#users.length > 0) return;
      this.#detach?.();
      this.#detach = undefined;
      this.#open = false;
    }, LINGER_MS);
  }

  #attach(): void {
    this.#detach ??= this.#client.link.connection.attach({
      opened: () => {
        this.#open = true;
        this.#send();
      },
      closed: () => {
        this.#open = false;
        this.#change({ ...this.view, state: 'waiting' });
      },
      message: (message) => this.#receive(message),
    });
  }

  #ask(of: FiguresOf | undefined): void {
    this.#asked = of;
    this.#change({ ...NO_FIGURES });
    this.#send();
  }

  #send(): void {
    const of = this.#asked;
    if (this.#open && this.#users.length > 0) this.#client.link.connection.send({ type: 'figures_open', ...(of && { of }) });
  }

  #receive(message: ServerMessage): void {
    if (this.#users.length === 0) return;
    if (message.type === 'figures') this.#take(message);
    else if (message.type === 'figures_refused') this.#refused(message.code);
  }

  #take({ of, first, seconds, documents }: Figures): void {
    // What was on its way when something else was asked for.
    if (this.#asked !== undefined && of !== this.#asked) return;
    // More is told only to who was told the beginning.
    if (!first && this.view.of !== of) return;
    const all = first ? seconds : [...this.view.seconds, ...seconds];
    this.#change({ state: 'live', of, seconds: all.slice(-SECONDS_MAX), documents });
  }

  #refused(code: ErrorCode): void {
    this.#change({ ...NO_FIGURES, state: 'refused', code });
    if (code !== 'forbidden') this.#client.link.host.setTimeout(() => this.view.state === 'refused' && this.#send(), AGAIN_MS);
  }

  #change(view: FiguresView): void {
    this.view = view;
    for (const { fns } of [...this.#users]) for (const fn of [...fns]) fn();
  }
}

const ofClients = new WeakMap<ConcordClient, Watch>();

/** Watches figures until they are closed: of the whole server where one may see it, else of one's own documents. */
export function watchFigures(client: ConcordClient, of?: FiguresOf): WatchedFigures {
  let watch = ofClients.get(client);
  if (!watch) ofClients.set(client, (watch = new Watch(client)));
  const shared = watch;
  const user = shared.enter(of);
  let isOpen = true;
  return {
    get view() {
      return shared.view;
    },
    subscribe: (fn) => {
      const own = () => fn();
      if (isOpen) user.fns.add(own);
      return () => user.fns.delete(own);
    },
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      user.fns.clear();
      user.leave();
    },
  };
}
