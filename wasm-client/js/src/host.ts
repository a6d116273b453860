/**
 * Everything the client takes from its surroundings: clock, timers, chance, sockets, page events.
 * One object, so that a test can be the whole world. Nothing here runs when the module is imported.
 */
import type { Transport } from './types.js';

export type Timer = ReturnType<typeof setTimeout>;
export type PageEvent = 'online' | 'offline' | 'visible' | 'hidden' | 'pagehide';

/** The part of `WebSocket` that the client uses. */
export interface Socket {
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(data: string): void;
  close(code?: number): void;
  /** As a `WebSocket` has it: above 1 nothing can be sent any more, even while the close is not heard of yet. */
  readonly readyState: number;
  /** What carries it, where that is no WebSocket. */
  readonly transport?: Transport | undefined;
}

export interface Host {
  /** Milliseconds since 1970; ages survive a reload. People and networks set it, also backwards. */
  now(): number;
  /** Milliseconds since some moment, which nobody sets: for delays. */
  clock(): number;
  setTimeout(fn: () => void, ms: number): Timer;
  clearTimeout(timer: Timer | undefined): void;
  /** In [0, 1). */
  random(): number;
  /** 32 lower-case hex digits of a version 4 UUID. */
  uuid(): string;
  socket: (url: string, protocols: string[]) => Socket;
  /** Who watches the sockets that `socket` gives may watch those made of `fetch` too: what it gives back is used. */
  watch?: (made: Socket) => Socket;
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Base for relative socket addresses. */
  origin(): string;
  online(): boolean;
  on(event: PageEvent, fn: () => void): () => void;
  /** Kept per tab over reloads (`sessionStorage`). */
  recall(key: string): string | null;
  remember(key: string, value: string): void;
}

const TARGETS: Record<PageEvent, readonly [type: string, visibility: DocumentVisibilityState | null]> = {
  online: ['online', null],
  offline: ['offline', null],
  pagehide: ['pagehide', null],
  visible: ['visibilitychange', 'visible'],
  hidden: ['visibilitychange', 'hidden'],
};

function listen(event: PageEvent, fn: () => void): () => void {
  if (typeof window === 'undefined') return () => undefined;
  const [type, visibility] = TARGETS[event];
  const target = visibility ? document : window;
  const handler = () => {
    if (!visibility || document.visibilityState === visibility) fn();
  };
  target.addEventListener(type, handler);
  return () => target.removeEventListener(type, handler);
}

// `crypto.randomUUID` exists in secure contexts only; `getRandomValues` everywhere.
function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The browser (or Node, where there is no page and no tab storage). */
export function browserHost(): Host {
  return {
    now: () => Date.now(),
    clock: () => performance.now(),
    setTimeout: (fn, ms) => setTimeout(fn, ms),
    clearTimeout: (timer) => clearTimeout(timer),
    random: () => Math.random(),
    uuid,
    socket: (url, protocols) => new WebSocket(url, protocols),
    fetch: (url, init) => fetch(url, init),
    origin: () => (typeof location === 'undefined' ? 'http://localhost' : location.href),
    online: () => typeof navigator === 'undefined' || (navigator as { onLine?: boolean }).onLine !== false,
    on: listen,
    recall: (key) => attempt(() => sessionStorage.getItem(key)),
    remember: (key, value) => attempt(() => (sessionStorage.setItem(key, value), null)),
  };
}

/** Tab storage throws where cookies are blocked, and is missing in Node. */
function attempt(fn: () => string | null): string | null {
  try {
    return fn();
  } catch {
    return null;
  }
}
