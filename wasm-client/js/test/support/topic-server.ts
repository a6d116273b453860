/** Rooms in a few lines that speak the real protocol. */
import type { FakeSocket, World } from './world.js';
import { LIMITS } from './server.js';

interface Said {
  type: string;
  topic: string;
  n: number;
  name?: string;
  data?: unknown;
  t?: number;
}

export class ToyTopics {
  /** Everything that arrived but pings. */
  readonly said: Said[] = [];
  /** The code that the next message of a topic is refused with. */
  refuse: string | undefined;
  /** Nothing is answered. */
  silent = false;
  readonly #sockets = new Map<FakeSocket, Set<string>>();
  #ids = 0;

  constructor(world: World) {
    world.accept = (socket) =>
      queueMicrotask(() => {
        this.#sockets.set(socket, new Set());
        socket.onsent = (frame) => queueMicrotask(() => this.#take(socket, JSON.parse(frame) as Said));
        socket.onended = () => this.#sockets.delete(socket);
        socket.establish();
        socket.deliver({ type: 'welcome', user: { id: 'g_me', name: 'Quiet Otter', color: 3 }, limits: LIMITS, heartbeat_ms: 30_000 });
      });
  }

  get watched(): string[] {
    return [...this.#sockets.values()].flatMap((topics) => [...topics]).sort();
  }

  get connections(): number {
    return this.#sockets.size;
  }

  tell(topic: string, data: unknown, name = 'message', by?: string): void {
    const event = { type: 'event', room: 'topic', topic, name, data, id: String(++this.#ids), time_ms: 5, by };
    for (const [socket, topics] of this.#sockets) if (topics.has(topic)) socket.deliver(event);
  }

  broadcast(message: object): void {
    for (const socket of this.#sockets.keys()) socket.deliver(message);
  }

  cut(): void {
    for (const socket of [...this.#sockets.keys()]) socket.drop(1006);
  }

  #take(socket: FakeSocket, said: Said): void {
    const { type, topic, n } = said;
    if (type === 'ping') return socket.deliver({ type: 'pong', t: said.t });
    this.said.push(said);
    if (this.silent) return;
    if (this.refuse !== undefined) {
      socket.deliver({ type: 'error', code: this.refuse, fatal: false, topic, ...(type === 'tell' && { n }) });
      this.refuse = undefined;
    } else if (type === 'watch') {
      this.#sockets.get(socket)?.add(topic);
      socket.deliver({ type: 'watching', topic });
    } else if (type === 'unwatch') {
      this.#sockets.get(socket)?.delete(topic);
    } else if (type === 'tell') {
      this.tell(topic, said.data, said.name, 'g_me');
      socket.deliver({ type: 'told', topic, n });
    }
  }
}
