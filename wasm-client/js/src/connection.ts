/**
 * One socket for all documents of a client: opens it, authenticates, keeps it alive, opens it again.
 *
 * It knows nothing of documents. Users attach, are told when the socket is ready or lost, and get every message.
 */
import { backoffMs, MOVED_ATTEMPT } from './backoff.js';
import { closePlan } from './close.js';
import { decode } from './decode.js';
import type { Host, Socket, Timer } from './host.js';
import { type ClientMessage, type ServerMessage, SOCKET_PATH, SUBPROTOCOL, type Welcome } from './protocol.js';
import type { ConnectionState, Transport } from './types.js';

/** From the first attempt to `welcome`; a network that swallows packets must not hold the attempt for minutes. */
const WELCOME_TIMEOUT_MS = 10_000;
/** An unanswered ping of this age means the link is dead. */
const PONG_TIMEOUT_MS = 5_000;
/** Half the server's heartbeat: a dead link shows within 20 s although nobody types. */
const PING_EVERY_MS = 15_000;
/** Connections that live shorter than this do not reset the backoff, or a server that closes at once is hammered. */
const STABLE_MS = 5_000;
/** Who is sent to another server may be sent back soon, when that one is restarted or the first is there again. */
const MOVED_STABLE_MS = 1_000;
/** Attempts in a row without a `welcome`, until other ways than a WebSocket are tried as well. */
const MISSES_MAX = 2;
/** Refused tokens in a row before the client stops asking. */
const REFUSALS_MAX = 3;
/** A fresh token is asked for half way to the end of the old one, within what timers know. */
const RENEW_MIN_MS = 1_000;
const RENEW_MAX_MS = 1e9;
/** Attempts skipped when the server says it is short of something: the first delay is then up to 12 s. */
const LATER_ATTEMPT = 2;

export interface ConnectionUser {
  /** The socket is authenticated. Called at once on attach when it already is. */
  opened(welcome: Welcome): void;
  closed(): void;
  message(message: ServerMessage): void;
}

export interface ConnectionOptions {
  host: Host;
  url?: string | undefined;
  token?: (() => Promise<string>) | undefined;
  transports?: readonly Transport[] | undefined;
}

/** `ws(s)://…/api/socket` from nothing, a path, or an http(s) or ws(s) address. */
export function socketUrl(url: string | undefined, origin: string): string {
  const parsed = new URL(url ?? '/', origin);
  parsed.protocol = parsed.protocol.replace('http', 'ws');
  if (parsed.pathname === '/') parsed.pathname = SOCKET_PATH;
  parsed.hash = '';
  if (url === undefined) parsed.search = '';
  return parsed.href;
}

/** When a token says that it runs out, in milliseconds since 1970; NaN for what is none of JSON Web Tokens. */
function expiryMs(token: string): number {
  try {
    const [, payload = ''] = token.split('.');
    return (JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/'))) as { exp: number }).exp * 1000;
  } catch {
    return NaN;
  }
}

export class Connection {
  readonly #host: Host;
  readonly #options: ConnectionOptions;
  readonly #users = new Set<ConnectionUser>();
  readonly #listeners = new Set<() => void>();
  readonly #unlisten: (() => void)[];
  #socket: Socket | undefined;
  #welcome: Welcome | undefined;
  #state: ConnectionState = { state: 'closed' };
  /** Attempts since the last stable connection. */
  #attempt = 0;
  #refusals = 0;
  /** Attempts in a row that no `welcome` and no word of the server ended. */
  #misses: number;
  #dial: Host['socket'] | undefined;
  #stopped = false;
  #openedAt = 0;
  #retryAt = 0;
  #retryTimer: Timer | undefined;
  #deadline: Timer | undefined;
  #pingTimer: Timer | undefined;
  #countdown: Timer | undefined;
  #renewTimer: Timer | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#host = options.host;
    this.#misses = options.transports || this.#host.recall('concord-transport') ? MISSES_MAX : 0;
    this.#unlisten = [
      this.#host.on('online', () => this.#nudge()),
      this.#host.on('visible', () => this.#nudge()),
      this.#host.on('offline', () => (this.#retryTimer === undefined ? this.#lost(1006) : this.#tick())),
    ];
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get welcome(): Welcome | undefined {
    return this.#welcome;
  }

  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** The first user opens the socket, the last one to detach closes it. After `close` it stays shut. */
  attach(user: ConnectionUser): () => void {
    this.#users.add(user);
    if (this.#welcome) user.opened(this.#welcome);
    else if (!this.#stopped && this.#state.state === 'closed' && !this.#state.code) this.#connect();
    return () => {
      this.#users.delete(user);
      if (this.#users.size === 0 && !this.#stopped) this.#close({ state: 'closed' });
    };
  }

  /** True when the message went into the socket; it may still be lost on the way. */
  send(message: ClientMessage | string): boolean {
    return this.#welcome !== undefined && this.#put(message);
  }

  // A socket that closes is there until its last word is read; the browser complains of each frame it is given then.
  #put(message: ClientMessage | string): boolean {
    if (!this.#socket || this.#socket.readyState > 1) return false;
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    return true;
  }

  /** Asks whether the link is alive; if no pong comes, the socket is replaced. */
  probe(): void {
    if (!this.#welcome || this.#deadline !== undefined) return;
    this.send({ type: 'ping', t: this.#host.clock() });
    this.#deadline = this.#host.setTimeout(() => this.#lost(1006), PONG_TIMEOUT_MS);
  }

  /** Connects at once, also after a close that forbids automatic attempts. */
  retryNow(): void {
    if (this.#stopped || this.#users.size === 0 || this.#welcome || this.#state.state === 'connecting') return;
    this.#refusals = 0;
    this.#connect();
  }

  close(): void {
    this.#stopped = true;
    this.#unlisten.forEach((fn) => fn());
    this.#close({ state: 'closed' });
  }

  // The network or the person is back: waiting out a long delay would only annoy.
  #nudge(): void {
    if (this.#welcome) this.probe();
    else if (this.#retryTimer !== undefined) {
      this.#attempt = 0;
      this.#connect();
    }
  }

  #connect(): void {
    this.#dropSocket();
    this.#set({ state: 'connecting' });
    const deadline = (this.#deadline = this.#host.setTimeout(() => {
      this.#misses++; // a network that hangs costs too much time for a second look
      this.#lost(1006);
    }, WELCOME_TIMEOUT_MS));
    const open = () => {
      if (deadline !== this.#deadline) return;
      try {
        // With a token to come, the server does not take a cookie's word for who this is.
        const protocols = [SUBPROTOCOL, ...(this.#options.token ? ['concord.auth'] : [])];
        const socket = (this.#dial ?? this.#host.socket)(socketUrl(this.#options.url, this.#host.origin()), protocols);
        this.#socket = socket;
        socket.onopen = () => void this.#authenticate(socket);
        socket.onmessage = (event) => this.#receive(event.data);
        socket.onclose = (event) => this.#lost(event.code);
      } catch {
        this.#lost(1006);
      }
    };
    if (this.#dial || this.#misses < MISSES_MAX) return open();
    this.#misses = 0;
    // Not to be had either? Then there is most likely no network at all.
    void import('./fallback.js').then(({ fallback }) => (this.#dial = fallback(this.#options, this))).then(open, open);
  }

  async #authenticate(socket: Socket): Promise<void> {
    if (!this.#options.token) return; // the cookie of the upgrade request speaks
    try {
      const token = await this.#options.token();
      if (socket !== this.#socket) return; // a late answer
      this.#put({ type: 'auth', token });
      const half = (expiryMs(token) - this.#host.now()) / 2;
      const delay = Math.min(Math.max(half, RENEW_MIN_MS), RENEW_MAX_MS);
      if (half > 0) this.#renewTimer = this.#host.setTimeout(() => void this.#authenticate(socket), delay);
    } catch {
      // Without a fresh token the session goes on until the server ends it.
      if (socket === this.#socket && !this.#welcome) this.#lost(4408);
    }
  }

  #receive(data: unknown): void {
    const message = decode(data);
    if (!message) return;
    if (message.type === 'welcome') this.#ready(message);
    else if (message.type === 'pong') this.#pong(message.t);
    else if (this.#welcome) for (const user of [...this.#users]) user.message(message);
  }

  #ready(welcome: Welcome): void {
    if (this.#welcome) return;
    this.#welcome = welcome;
    this.#refusals = this.#misses = 0;
    this.#openedAt = this.#host.clock();
    this.#clearDeadline();
    this.#set({ state: 'connected', transport: this.#socket?.transport ?? 'websocket' });
    for (const user of [...this.#users]) user.opened(welcome);
    this.#heartbeat();
  }

  #heartbeat(): void {
    this.probe();
    this.#pingTimer = this.#host.setTimeout(() => this.#heartbeat(), PING_EVERY_MS);
  }

  #pong(sentAt: number): void {
    this.#clearDeadline();
    if (this.#welcome) this.#set({ ...this.#state, latencyMs: Math.round(this.#host.clock() - sentAt) });
  }

  #lost(code: number): void {
    if (this.#state.state === 'closed') return;
    const wasOpen = this.#welcome !== undefined;
    if (!wasOpen && code === 1006 && this.#attempt >= 0 && this.#host.online()) this.#misses++;
    const moved = code === 1012;
    if (wasOpen && this.#host.clock() - this.#openedAt >= (moved ? MOVED_STABLE_MS : STABLE_MS)) this.#attempt = moved ? MOVED_ATTEMPT : 0;
    this.#dropSocket();
    const plan = closePlan(code);
    const refused = plan.retry === 'with_new_token' && ++this.#refusals >= REFUSALS_MAX;
    if (plan.retry === 'no' || refused) {
      this.#set({ state: 'closed', code: plan.code });
    } else {
      if (plan.retry === 'later') this.#attempt = Math.max(this.#attempt, LATER_ATTEMPT);
      this.#retryLater(backoffMs(this.#attempt++, this.#host.random()));
    }
    if (wasOpen) for (const user of [...this.#users]) user.closed();
  }

  #retryLater(delay: number): void {
    this.#retryAt = this.#host.clock() + delay;
    this.#retryTimer = this.#host.setTimeout(() => this.#connect(), delay);
    this.#tick();
  }

  // The countdown is what people read, so it moves once a second.
  #tick(): void {
    this.#host.clearTimeout(this.#countdown);
    const left = Math.round(this.#retryAt - this.#host.clock());
    this.#set(this.#host.online() ? { state: 'reconnecting', retryInMs: Math.max(0, left) } : { state: 'offline' });
    if (left > 1_000) this.#countdown = this.#host.setTimeout(() => this.#tick(), left % 1_000 || 1_000);
  }

  #close(state: ConnectionState): void {
    const wasOpen = this.#welcome !== undefined;
    this.#dropSocket(1000);
    this.#set(state);
    if (wasOpen) for (const user of [...this.#users]) user.closed();
  }

  #dropSocket(code?: number): void {
    for (const timer of [this.#retryTimer, this.#pingTimer, this.#countdown, this.#renewTimer]) this.#host.clearTimeout(timer);
    this.#retryTimer = this.#pingTimer = this.#countdown = undefined;
    this.#clearDeadline();
    const socket = this.#socket;
    this.#socket = this.#welcome = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code);
  }

  #clearDeadline(): void {
    this.#host.clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  #set(state: ConnectionState): void {
    this.#state = state;
    for (const fn of [...this.#listeners]) fn();
  }
}
