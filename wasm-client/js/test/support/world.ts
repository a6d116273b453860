/** A world for tests: a clock that stands still until it is told to move, tabs, and a network with one server. */
import type { Host, PageEvent, Socket, Timer } from '../../src/host.js';
import type { Lock, Locks } from '../../src/lock.js';

interface Alarm {
  at: number;
  fn: () => void;
}

const DEADLINE_MS = 5_000;

/** Polls with real turns of the event loop (IndexedDB and promises need them) until `fact` holds. */
export async function until(what: string, fact: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!fact()) {
    if (performance.now() > deadline) throw new Error(`did not come true: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets everything that needs no clock finish. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export class World {
  time = 1_000_000;
  /** How far the wall clock has been set. */
  set = 0;
  online = true;
  readonly #alarms = new Set<Alarm>();
  readonly #names = new Map<string, Tab>();
  #seed = 1;
  /** Answers each HTTP request; the default has no server. */
  answer: (url: string, init: RequestInit) => Promise<Response> = () => Promise.reject(new TypeError('no server'));
  /** Takes each new socket; the default refuses. */
  accept: (socket: FakeSocket) => void = (socket) => queueMicrotask(() => socket.drop(1006));

  /** Reproducible numbers in [0, 1). */
  random(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    return this.#seed / 2_147_483_647;
  }

  /** Moves the clock; alarms ring in order, each followed by everything it causes. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const next = [...this.#alarms].filter((alarm) => alarm.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#alarms.delete(next);
      this.time = Math.max(this.time, next.at);
      next.fn();
    }
    this.time = end;
    await settle();
  }

  /** Alarms that are set; each one names how far away it is. */
  get waiting(): number[] {
    return [...this.#alarms].map((alarm) => alarm.at - this.time).sort((a, b) => a - b);
  }

  setAlarm(fn: () => void, ms: number): Alarm {
    const alarm = { at: this.time + Math.max(0, ms), fn };
    this.#alarms.add(alarm);
    return alarm;
  }

  clearAlarm(alarm: Alarm): void {
    this.#alarms.delete(alarm);
  }

  /** Web Locks, as all tabs of a browser share them. */
  locksOf(tab: Tab): Locks {
    return {
      acquire: (name, waitMs) => {
        if (!this.#names.has(name)) return Promise.resolve(this.#grant(name, tab));
        if (waitMs === 0) return Promise.resolve(null);
        return new Promise((resolve) => {
          this.setAlarm(() => resolve(this.#names.has(name) ? null : this.#grant(name, tab)), waitMs);
        });
      },
    };
  }

  #grant(name: string, tab: Tab): Lock {
    this.#names.set(name, tab);
    return { release: () => this.#names.get(name) === tab && this.#names.delete(name) };
  }

  releaseAll(tab: Tab): void {
    for (const [name, holder] of this.#names) if (holder === tab) this.#names.delete(name);
  }

  setOnline(online: boolean, tabs: Tab[]): void {
    this.online = online;
    for (const tab of tabs) tab.fire(online ? 'online' : 'offline');
  }
}

/** One tab: page events, tab storage, its own timers (which die with it). */
export class Tab {
  readonly world: World;
  readonly host: Host;
  readonly locks: Locks;
  readonly memory: Map<string, string>;
  readonly sockets: FakeSocket[] = [];
  readonly #listeners = new Set<[PageEvent, () => void]>();
  #dead = false;

  /** `memory` is the tab's storage: a reload keeps it, a duplicate copies it. */
  constructor(world: World, memory = new Map<string, string>()) {
    this.world = world;
    this.memory = memory;
    this.locks = world.locksOf(this);
    this.host = {
      now: () => world.time + world.set,
      clock: () => world.time,
      setTimeout: (fn, ms) => world.setAlarm(() => this.#dead || fn(), ms) as unknown as Timer,
      clearTimeout: (timer) => timer && world.clearAlarm(timer as unknown as Alarm),
      random: () => world.random(),
      uuid: () => crypto.randomUUID().replaceAll('-', ''),
      socket: (url, protocols) => this.#open(url, protocols),
      fetch: (url, init) => (world.online ? world.answer(url, init) : Promise.reject(new TypeError('offline'))),
      origin: () => 'https://app.example/d/1',
      online: () => world.online,
      on: (event, fn) => {
        const entry: [PageEvent, () => void] = [event, fn];
        this.#listeners.add(entry);
        return () => this.#listeners.delete(entry);
      },
      recall: (key) => memory.get(key) ?? null,
      remember: (key, value) => memory.set(key, value),
    };
  }

  fire(event: PageEvent): void {
    for (const [name, fn] of [...this.#listeners]) if (name === event) fn();
  }

  /** The tab ends: like closing it (`pagehide` first) or like a crash. */
  async end(how: 'close' | 'crash'): Promise<void> {
    if (how === 'close') this.fire('pagehide');
    this.#dead = true;
    this.#listeners.clear();
    for (const socket of this.sockets) socket.vanish();
    await settle();
    this.world.releaseAll(this);
  }

  #open(url: string, protocols: string[]): Socket {
    const socket = new FakeSocket(url, protocols);
    this.sockets.push(socket);
    if (this.world.online) this.world.accept(socket);
    else queueMicrotask(() => socket.drop(1006));
    return socket;
  }
}

/** The browser's end of a socket, and the strings that move it. */
export class FakeSocket implements Socket {
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  readonly url: string;
  readonly protocols: string[];
  /** Everything the client has sent, as it was sent. */
  readonly sent: string[] = [];
  /** The server's ear. */
  onsent: (frame: string) => void = () => undefined;
  onended: () => void = () => undefined;
  open = false;
  /** The network swallows what is sent in that direction, without a word. */
  deafUp = false;
  deafDown = false;
  /** The close has begun, and the page has not heard of it yet. */
  closing = false;
  #established = false;

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  get messages(): Record<string, unknown>[] {
    return this.sent.map((frame) => JSON.parse(frame) as Record<string, unknown>);
  }

  get readyState(): number {
    if (this.closing) return 2;
    return this.open ? 1 : this.#established ? 3 : 0;
  }

  send(frame: string): void {
    // What a browser complains of in its console, and drops.
    if (this.readyState > 1) throw new Error('WebSocket is already in CLOSING or CLOSED state.');
    this.sent.push(frame);
    if (!this.#established) throw new DOMException('still connecting', 'InvalidStateError');
    if (this.open && !this.deafUp) this.onsent(frame);
  }

  close(): void {
    this.vanish();
  }

  establish(): void {
    this.open = this.#established = true;
    this.onopen?.(new Event('open'));
  }

  deliver(message: object): void {
    if (this.open && !this.deafDown) this.onmessage?.({ data: JSON.stringify(message) } as MessageEvent);
  }

  /** The server or the network closes the socket. */
  drop(code: number): void {
    this.vanish();
    this.onclose?.({ code } as CloseEvent);
  }

  /** Gone without a word to the page. */
  vanish(): void {
    if (!this.open) return;
    this.open = false;
    this.onended();
  }
}
