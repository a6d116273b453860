/** A server of one person's notifications in a few lines that speak the real protocol. */
import type { Notification, NotificationPage, Notified, ReadNotifications } from '../../src/protocol.js';
import { LIMITS } from './server.js';
import type { FakeSocket, World } from './world.js';

const PAGE = 50;

export class ToyNotifications {
  readonly all: Notification[] = [];
  /** Every request that arrived. */
  readonly asked: string[] = [];
  change = 0;
  /** Requests are done, and their answers are lost. */
  losesAnswers = false;
  /** Requests do not arrive. */
  isDown = false;
  /** What happens is not told. */
  silent = false;
  /** Answers wait for this. */
  gate: Promise<void> = Promise.resolve();
  readonly #sockets = new Set<FakeSocket>();
  readonly #changes = new Map<string, number>();
  #last = 0;

  constructor(world: World) {
    world.answer = (url, init) => this.#answer(new URL(url), init);
    world.accept = (socket) =>
      queueMicrotask(() => {
        this.#sockets.add(socket);
        socket.onsent = (frame) => {
          const said = JSON.parse(frame) as { type: string; t?: number };
          if (said.type === 'ping') queueMicrotask(() => socket.deliver({ type: 'pong', t: said.t }));
        };
        socket.onended = () => this.#sockets.delete(socket);
        socket.establish();
        socket.deliver({ type: 'welcome', user: { id: 'g_me', name: 'Quiet Otter', color: 3 }, limits: LIMITS, heartbeat_ms: 30_000 });
      });
  }

  get connections(): number {
    return this.#sockets.size;
  }

  get unread(): number {
    return this.all.filter(({ read }) => !read).length;
  }

  /** Tells something; under an id that is there it is told anew. */
  tell(title: string, id = title): void {
    const old = this.all.findIndex((told) => told.id === id);
    if (old >= 0) this.all.splice(old, 1);
    const told: Notification = { id, number: ++this.#last, time_ms: 5, read: false, about: { kind: 'app', name: 'told', title } };
    this.all.push(told);
    this.#happened([id], { notifications: [told] });
  }

  read(wanted: ReadNotifications): void {
    const isMeant = ({ id, number }: Notification) => wanted.ids?.includes(id) ?? number <= (wanted.to ?? Infinity);
    const ids = this.all.filter((told) => !told.read && isMeant(told)).map(({ id }) => id);
    for (const [index, told] of this.all.entries()) if (ids.includes(told.id)) this.all[index] = { ...told, read: true };
    if (ids.length > 0) this.#happened(ids, wanted.ids ? { read: ids } : { read_to: wanted.to ?? this.#last });
  }

  cut(): void {
    for (const socket of [...this.#sockets]) socket.drop(1006);
  }

  #happened(ids: string[], news: Partial<Notified>): void {
    this.change++;
    for (const id of ids) this.#changes.set(id, this.change);
    const message = { type: 'notified', change: this.change, unread: this.unread, ...news };
    if (!this.silent) for (const socket of this.#sockets) socket.deliver(message);
  }

  async #answer(url: URL, init: RequestInit): Promise<Response> {
    this.asked.push(`${init.method} ${url.pathname}${url.search} ${(init.body as string | undefined) ?? ''}`.trim());
    if (this.isDown) throw new TypeError('down');
    const answer = url.pathname.endsWith('/read') ? this.#mark(init) : this.#page(url);
    await this.gate;
    if (this.losesAnswers) throw new TypeError('lost');
    return new Response(JSON.stringify(answer), { status: 200 });
  }

  #mark(init: RequestInit): { change: number; unread: number } {
    this.read(JSON.parse(init.body as string) as ReadNotifications);
    return { change: this.change, unread: this.unread };
  }

  #page(url: URL): NotificationPage {
    const number = (name: string) => (url.searchParams.has(name) ? Number(url.searchParams.get(name)) : undefined);
    const [since, before] = [number('since'), number('before')];
    const latest = [...this.all].reverse();
    const { change, unread } = this;
    const changed = latest.filter(({ id }) => (this.#changes.get(id) ?? 0) > (since ?? 0));
    if (since !== undefined && changed.length <= PAGE) return { notifications: changed, change, unread, since, more: false };
    const asked = latest.filter((told) => told.number < (before ?? Infinity));
    return { notifications: asked.slice(0, PAGE), change, unread, more: asked.length > PAGE };
  }
}
