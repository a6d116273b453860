/**
 * Connections for networks that break WebSockets: the same messages over HTTP requests. Loaded only where it is needed,
 * and shares no code with the rest of the client, so that it weighs nothing before.
 *
 * It decides what the next connection goes over. While nothing works, WebSocket and HTTP are tried together, and the first
 * to answer wins. While HTTP works, a WebSocket is tried in the background at growing intervals; once one is welcomed, the
 * client changes over to that very socket.
 */
import { Adopted, type Token } from './fallback/adopted.js';
import { Attempt } from './fallback/attempt.js';
import { HttpSocket } from './fallback/http-socket.js';
import type { Host, Socket, Timer } from './host.js';
import type { Transport } from './types.js';

/** The first attempt to come back to a WebSocket; each further one waits twice as long. */
export const BACK_MIN_MS = 30_000;
export const BACK_MAX_MS = 600_000;
/** How long such an attempt may take. */
const WELCOME_TIMEOUT_MS = 10_000;
/** What worked is tried alone for this long. */
const STAGGER_MS = 3_000;
/** Streams given up sooner than this, so many in a row, sit behind something that keeps them back. */
const SHORT_MS = 60_000;
const SHORT_STREAMS_MAX = 2;
/** Where the tab remembers what worked; `connection.ts` looks there. */
const MEMORY = 'concord-transport';

export interface FallbackOptions {
  host: Host;
  token?: Token | undefined;
  /** What may be used at all; everything if left out. */
  transports?: readonly Transport[] | undefined;
}

/** Whom to tell that something better is ready. */
export interface Retrying {
  /** Connects anew at once, where a connection was lost. */
  retryNow(): void;
}

class Fallback {
  readonly #host: Host;
  readonly #options: FallbackOptions;
  readonly #connection: Retrying;
  /** What the last connection that worked went over. */
  #way: string | null;
  /** A WebSocket that was welcomed and waits to be used. */
  #ready: Adopted | undefined;
  /** A WebSocket opened, and then nothing came. */
  #doubtful = false;
  #shortStreams = 0;
  #backMs = BACK_MIN_MS;
  #backTimer: Timer | undefined;
  #trial: Socket | undefined;
  #unlisten: (() => void) | undefined;

  constructor(options: FallbackOptions, connection: Retrying) {
    this.#options = options;
    this.#connection = connection;
    this.#host = options.host;
    this.#way = this.#host.recall(MEMORY);
  }

  open(url: string, protocols: string[]): Socket {
    this.#stopTrying();
    const ready = this.#ready;
    this.#ready = undefined;
    if (ready) {
      this.#works('websocket');
      return ready.begin();
    }
    const { host } = this.#options;
    const way = this.#way;
    const http = this.#may('sse') || this.#may('poll');
    const isHttp = way === 'sse' || way === 'poll';
    const attempt = new Attempt(host);
    const webSocket = this.#may('websocket') && !(http && (isHttp || this.#doubtful));
    this.#doubtful = false;
    if (webSocket) attempt.add(host.socket(url, protocols));
    if (http) {
      const start = (): Socket => {
        const made = new HttpSocket(host, url, protocols, this.#mode(), this.#may('poll'));
        return host.watch?.(made) ?? made;
      };
      if (webSocket && way === 'websocket') attempt.addLater(start, STAGGER_MS);
      else attempt.add(start());
    }
    const openedAt = host.clock();
    attempt.onfirst = (transport) => {
      this.#works(transport);
      if (transport !== 'websocket' && this.#may('websocket')) this.#comeBack(url, protocols, attempt);
    };
    attempt.onend = (transport, worked) => {
      this.#stopTrying();
      if (!worked) {
        this.#doubtful = transport === 'websocket';
        this.#remember('');
      } else if (transport === 'sse') {
        this.#shortStreams = host.clock() - openedAt < SHORT_MS ? this.#shortStreams + 1 : 0;
      }
    };
    return attempt;
  }

  #may(transport: Transport): boolean {
    return this.#options.transports?.includes(transport) ?? true;
  }

  #mode(): 'sse' | 'poll' {
    const prefersPoll = this.#way === 'poll' || this.#shortStreams >= SHORT_STREAMS_MAX;
    return this.#may('poll') && (prefersPoll || !this.#may('sse')) ? 'poll' : 'sse';
  }

  #works(transport: string): void {
    if (transport === 'websocket') this.#backMs = BACK_MIN_MS;
    this.#remember(transport);
  }

  #remember(way: string): void {
    this.#way = way;
    // A new page begins with a WebSocket unless it is known not to work.
    this.#host.remember(MEMORY, way === 'websocket' ? '' : way);
  }

  #comeBack(url: string, protocols: string[], attempt: Attempt): void {
    const host = this.#host;
    const later = () => {
      this.#backTimer = host.setTimeout(() => this.#try(url, protocols, attempt, later), this.#backMs * (0.75 + host.random() / 2));
      this.#backMs = Math.min(BACK_MAX_MS, this.#backMs * 2);
    };
    later();
    // Another network may let through what this one does not.
    this.#unlisten = host.on('online', () => {
      this.#backMs = BACK_MIN_MS;
      host.clearTimeout(this.#backTimer);
      if (!this.#trial) this.#try(url, protocols, attempt, later);
    });
  }

  #try(url: string, protocols: string[], attempt: Attempt, later: () => void): void {
    const host = this.#host;
    const end = () => {
      this.#endTrial();
      later();
    };
    let socket: Socket;
    try {
      socket = host.socket(url, protocols);
    } catch {
      return later();
    }
    this.#trial = socket;
    this.#backTimer = host.setTimeout(end, WELCOME_TIMEOUT_MS);
    const trial = new Adopted(socket, this.#options.token, {
      failed: end,
      welcomed: () => {
        this.#trial = undefined;
        this.#ready = trial;
        attempt.giveUp();
        this.#connection.retryNow();
      },
    });
  }

  #endTrial(): void {
    this.#host.clearTimeout(this.#backTimer);
    const socket = this.#trial;
    this.#trial = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #stopTrying(): void {
    this.#endTrial();
    this.#unlisten?.();
    this.#unlisten = undefined;
  }
}

/** Opens connections instead of `host.socket`, over whatever the network lets through. */
export function fallback(options: FallbackOptions, connection: Retrying): (url: string, protocols: string[]) => Socket {
  const state = new Fallback(options, connection);
  return (url, protocols) => state.open(url, protocols);
}
