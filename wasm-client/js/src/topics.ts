/**
 * `@concord/client/topics`: what back ends tell people, tenants and topics, and what clients tell topics, over the
 * connection that is there anyway.
 *
 * ```ts
 * const board = topic(client, 'board:7');
 * board.subscribe((event) => console.log(event.name, event.data));
 * await board.tell({ card: 12, to: 'done' }, 'card.moved');
 * board.close();
 * ```
 *
 * Events are told at most once: nobody hears later what was told while they were not connected. `docs/events.md` says more.
 */
import type { ConcordClient } from './client.js';
import type { Connection } from './connection.js';
import type { Host, Timer } from './host.js';
import type { ErrorCode, Event, Missed, ServerMessage, Tell } from './protocol.js';

/** Something that was told to a room. `data` is whatever was told: look at it before you believe in its type. */
export interface TopicEvent<Data = unknown> extends Omit<Event, 'data'> {
  data: Data;
}

/** `watching` once the server has said so; `refused` where it will not. */
export type TopicState = 'waiting' | 'watching' | 'refused';

/** Why something was not told: a code of the protocol, or `not_connected`, `no_answer`, `closed`. */
export class TellError extends Error {
  readonly code: ErrorCode | 'not_connected' | 'no_answer' | 'closed';

  constructor(code: TellError['code']) {
    super(`not told: ${code}`);
    this.code = code;
  }
}

/** A topic that is watched until it is closed. */
export interface Topic<Data = unknown> {
  readonly name: string;
  readonly state: TopicState;
  /** Called with every event of the topic, one's own included. */
  subscribe(fn: (event: TopicEvent<Data>) => void): () => void;
  /** Called when `state` has changed. */
  onState(fn: () => void): () => void;
  /** Called with the number of events that were lost because this page took them too slowly. */
  onMissed(fn: (events: number) => void): () => void;
  /** Tells everybody who watches. Done when the server has passed it on; fails with a `TellError`. */
  tell(data: Data, name?: string): Promise<void>;
  close(): void;
}

/** An answer that takes longer has been lost with its connection, or will be. */
const ANSWER_MS = 10_000;
/** The connection stays for so long after its last user left: React opens and closes in quick succession. */
const LINGER_MS = 250;
/** When to watch again what was asked for too fast. */
const AGAIN_MS = 1_000;

interface Asked {
  resolve: () => void;
  reject: (error: TellError) => void;
  timer: Timer;
}

type Fn<Value> = (value: Value) => void;

/** A set of functions to call; one that leaves while they are called is not called any more. */
class Calls<Value> {
  readonly #fns = new Set<Fn<Value>>();

  add(fn: Fn<Value>): () => void {
    const own: Fn<Value> = (value) => fn(value);
    this.#fns.add(own);
    return () => this.#fns.delete(own);
  }

  call(value: Value): void {
    for (const fn of [...this.#fns]) if (this.#fns.has(fn)) fn(value);
  }

  get size(): number {
    return this.#fns.size;
  }
}

/** What all users of one topic on this page share. */
class Room {
  users = 0;
  state: TopicState = 'waiting';
  readonly events = new Calls<TopicEvent<never>>();
  readonly states = new Calls<undefined>();
  readonly missed = new Calls<number>();

  set(state: TopicState): void {
    if (state === this.state) return;
    this.state = state;
    this.states.call(undefined);
  }
}

/** All topics of one client. */
class Topics {
  readonly #client: ConcordClient;
  readonly #rooms = new Map<string, Room>();
  readonly #asked = new Map<number, Asked>();
  readonly own = new Calls<TopicEvent<never>>();
  #detach: (() => void) | undefined;
  #open = false;
  #last = 0;

  constructor(client: ConcordClient) {
    this.#client = client;
  }

  enter(name: string): Room {
    let room = this.#rooms.get(name);
    if (!room) this.#rooms.set(name, (room = new Room()));
    if (++room.users === 1) {
      this.attach();
      if (this.#open) this.#link.send({ type: 'watch', topic: name });
    }
    return room;
  }

  leave(name: string, room: Room): void {
    if (--room.users > 0) return;
    this.#rooms.delete(name);
    this.#link.send({ type: 'unwatch', topic: name });
    this.release();
  }

  tell(topic: string, data: unknown, name: string | undefined): Promise<void> {
    const n = ++this.#last;
    const message: { type: 'tell' } & Tell = { type: 'tell', topic, n, ...(name !== undefined && { name }), data: data ?? null };
    return new Promise((resolve, reject) => {
      if (!this.#open || !this.#link.send(message)) return reject(new TellError('not_connected'));
      const timer = this.#host.setTimeout(() => this.#answer(n, 'no_answer'), ANSWER_MS);
      this.#asked.set(n, { resolve, reject, timer });
    });
  }

  /** Uses the connection, from the first who wants it on. */
  attach(): void {
    this.#detach ??= this.#link.attach({
      opened: () => {
        this.#open = true;
        for (const topic of this.#rooms.keys()) this.#link.send({ type: 'watch', topic });
      },
      closed: () => {
        this.#open = false;
        for (const room of this.#rooms.values()) room.set('waiting');
        for (const n of [...this.#asked.keys()]) this.#answer(n, 'not_connected');
      },
      message: (message) => this.#receive(message),
    });
  }

  /** Lets go of the connection, once nobody has wanted it for a moment. */
  release(): void {
    this.#host.setTimeout(() => {
      if (this.#rooms.size > 0 || this.own.size > 0) return;
      this.#detach?.();
      this.#detach = undefined;
      this.#open = false;
    }, LINGER_MS);
  }

  get #host(): Host {
    return this.#client.link.host;
  }

  get #link(): Connection {
    return this.#client.link.connection;
  }

  #receive(message: ServerMessage): void {
    if (message.type === 'event') this.#hear(message);
    else if (message.type === 'missed') this.#miss(message);
    else if (message.type === 'watching') this.#rooms.get(message.topic)?.set('watching');
    else if (message.type === 'told') this.#answer(message.n);
    else if (message.type === 'error' && message.topic !== undefined) this.#refused(message.topic, message.n, message.code);
  }

  #hear(event: Event): void {
    const calls = event.room === 'topic' ? this.#rooms.get(event.topic ?? '')?.events : this.own;
    calls?.call(event as TopicEvent<never>);
  }

  #miss({ room, topic, events }: Missed): void {
    if (room === 'topic') this.#rooms.get(topic ?? '')?.missed.call(events);
  }

  #refused(topic: string, n: number | undefined, code: ErrorCode): void {
    if (n !== undefined) return this.#answer(n, code);
    const room = this.#rooms.get(topic);
    if (!room) return;
    room.set('refused');
    // Too fast is no refusal for long.
    if (code === 'slow_down') this.#host.setTimeout(() => this.#watchAgain(topic, room), AGAIN_MS);
  }

  #watchAgain(topic: string, room: Room): void {
    if (room.users > 0 && room.state === 'refused') this.#link.send({ type: 'watch', topic });
  }

  #answer(n: number, code?: TellError['code']): void {
    const asked = this.#asked.get(n);
    if (!asked) return;
    this.#asked.delete(n);
    this.#host.clearTimeout(asked.timer);
    if (code === undefined) asked.resolve();
    else asked.reject(new TellError(code));
  }
}

const ofClients = new WeakMap<ConcordClient, Topics>();

function topicsOf(client: ConcordClient): Topics {
  let topics = ofClients.get(client);
  if (!topics) ofClients.set(client, (topics = new Topics(client)));
  return topics;
}

/**
 * Watches a topic until it is closed; the same topic may be watched any number of times on a page, and goes over the
 * connection once. It is watched again by itself after a lost connection.
 */
export function topic<Data = unknown>(client: ConcordClient, name: string): Topic<Data> {
  const topics = topicsOf(client);
  const room = topics.enter(name);
  const ends: (() => void)[] = [];
  let isOpen = true;
  const until = (end: () => void): (() => void) => {
    if (!isOpen) end();
    ends.push(end);
    return end;
  };
  return {
    name,
    get state() {
      return room.state;
    },
    subscribe: (fn) => until(room.events.add(fn)),
    onState: (fn) => until(room.states.add(fn)),
    onMissed: (fn) => until(room.missed.add(fn)),
    tell: (data, kind) => (isOpen ? topics.tell(name, data, kind) : Promise.reject(new TellError('closed'))),
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      ends.forEach((end) => end());
      topics.leave(name, room);
    },
  };
}

/** Hears what back ends tell this person and their tenant, until the answer is called. */
export function onEvent<Data = unknown>(client: ConcordClient, fn: (event: TopicEvent<Data>) => void): () => void {
  const topics = topicsOf(client);
  const end = topics.own.add(fn);
  topics.attach();
  return () => {
    end();
    topics.release();
  };
}
