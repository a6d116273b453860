/** Sessions over HTTP in front of a server that knows sockets, and the ways in which networks spoil them. */
import { FakeSocket, type World } from './world.js';

interface Session {
  socket: FakeSocket;
  /** What was said, with its number, and the close. */
  events: string[];
  numbers: number;
  next: number;
  wake: () => void;
  isOver: boolean;
}

export interface Asked {
  method: string;
  path: string;
  body: string;
}

export class HttpFront {
  /** Streams are kept back by a proxy, or cut after so many events. */
  holdsStreams = false;
  cutsStreamsAfter = Infinity;
  /** The next answers to messages are lost on the way back. */
  losesAnswers = 0;
  readonly asked: Asked[] = [];
  readonly #sessions = new Map<string, Session>();

  constructor(world: World, accept: (socket: FakeSocket) => void) {
    world.answer = (url, init) => this.#answer(new URL(url), init, accept);
  }

  /** The server's ends of all sessions so far. */
  readonly sockets: FakeSocket[] = [];

  /** Says something to everybody. */
  broadcast(message: object): void {
    for (const { socket } of this.#sessions.values()) socket.deliver(message);
  }

  /** The server closes every session. */
  drop(code: number): void {
    for (const { socket } of this.#sessions.values()) socket.drop(code);
  }

  /** The server has lost every session without a word. */
  forget(): void {
    for (const session of this.#sessions.values()) {
      session.isOver = true;
      session.wake();
    }
    this.#sessions.clear();
  }

  get open(): number {
    return this.#sessions.size;
  }

  count(method: string, path: string): number {
    return this.asked.filter((asked) => asked.method === method && asked.path === path).length;
  }

  async #answer(url: URL, init: RequestInit, accept: (socket: FakeSocket) => void): Promise<Response> {
    const { method = 'GET', body } = init;
    const path = url.pathname.replace('/api/session', '');
    this.asked.push({ method, path, body: typeof body === 'string' ? body : '' });
    await Promise.resolve();
    if (method === 'POST' && path === '') return this.#begin(accept);
    const id = new Headers(init.headers).get('concord-session') ?? '';
    const session = this.#sessions.get(id);
    if (!session) return new Response('{}', { status: 404 });
    if (method === 'DELETE') {
      this.#sessions.delete(id);
      session.socket.vanish();
      return new Response(null, { status: 204 });
    }
    if (path === '/messages') return this.#take(session, url, this.asked.at(-1)?.body ?? '');
    const after = Number(url.searchParams.get('after'));
    if (url.searchParams.has('poll_ms')) return this.#poll(session, after, init.signal);
    return this.#stream(session, after, init.signal);
  }

  #begin(accept: (socket: FakeSocket) => void): Response {
    const id = crypto.randomUUID();
    const socket = new FakeSocket('http', ['concord.v1']);
    const session: Session = { socket, events: [], numbers: 0, next: 1, wake: () => undefined, isOver: false };
    socket.onmessage = ({ data }) => {
      session.events.push(`id: ${++session.numbers}\ndata: ${String(data)}\n\n`);
      session.wake();
    };
    socket.onclose = ({ code }) => {
      session.events.push(`event: close\ndata: {"code":${code},"reason":"-"}\n\n`);
      session.isOver = true;
      session.wake();
    };
    this.#sessions.set(id, session);
    this.sockets.push(socket);
    accept(socket);
    return Response.json({ session: id }, { status: 201 });
  }

  #take(session: Session, url: URL, body: string): Response {
    const first = Number(url.searchParams.get('n'));
    if (first > session.next) return new Response('{}', { status: 400 });
    const messages = body === '' ? [] : body.split('\n');
    for (const message of messages.slice(session.next - first)) {
      session.next++;
      session.socket.send(message);
    }
    if (this.losesAnswers-- > 0) throw new TypeError('the answer was lost');
    return new Response(null, { status: 204 });
  }

  async #poll(session: Session, after: number, signal: AbortSignal | null | undefined): Promise<Response> {
    if (session.events.length <= after) {
      await new Promise<void>((resolve, reject) => {
        session.wake = resolve;
        signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
      });
    }
    return new Response(session.events.slice(after).join(''));
  }

  #stream(session: Session, after: number, signal: AbortSignal | null | undefined): Response {
    let at = after;
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const end = () => {
          session.wake = () => undefined;
          try {
            controller.error(new DOMException('', 'AbortError'));
          } catch {
            // it has ended already
          }
        };
        signal?.addEventListener('abort', end);
        const flush = () => {
          if (this.holdsStreams) return;
          // In two pieces each, cut where it hurts.
          for (; at < session.events.length; at++) {
            const bytes = encoder.encode(session.events[at]);
            const cut = Math.max(1, bytes.length - 1);
            controller.enqueue(bytes.slice(0, cut));
            controller.enqueue(bytes.slice(cut));
            if (at - after + 1 >= this.cutsStreamsAfter) {
              at++;
              session.wake = () => undefined;
              controller.close();
              return;
            }
          }
          if (session.isOver) controller.close();
        };
        if (!this.holdsStreams) controller.enqueue(encoder.encode(': concord\n\n'));
        session.wake = flush;
        flush();
      },
    });
    return new Response(body);
  }
}
