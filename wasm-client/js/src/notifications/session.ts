/**
 * A person's notifications on one page: read over REST, heard over the connection, gaps closed by number.
 *
 * What is marked as read shows at once, and is told to the server until it has answered, after a reload too; told twice,
 * it is the same.
 */
import { backoffMs } from '../backoff.js';
import type { ConcordClient } from '../client.js';
import type { ConnectionUser } from '../connection.js';
import type { Host, Timer } from '../host.js';
import type {
  Notification, NotificationPage, NotificationsRead, ReadNotifications, ServerMessage, Welcome,
} from '../protocol.js';
import { Ledger } from './ledger.js';
import type { MarkStore } from './marks.js';
import type { NotificationsView } from './types.js';

/** Ids told in one request. */
const IDS_MAX = 100;

/** A failure that the same request would meet again. */
class Refused extends Error {}

export class NotificationsSession implements ConnectionUser {
  readonly #client: ConcordClient;
  readonly #host: Host;
  readonly #listeners = new Set<() => void>();
  readonly #hearers = new Set<(news: readonly Notification[]) => void>();
  readonly #ledger = new Ledger();
  readonly #detach: () => void;
  readonly #marks: MarkStore;
  /** Whose marks are kept; unknown until the first connection. */
  #whose: string | undefined;
  /** Read here, and not told to the server yet. */
  readonly #ids = new Set<string>();
  #readTo = 0;
  /** The latest change that is heard of. */
  #heard = 0;
  #open = false;
  #closed = false;
  #syncing: Promise<void> | undefined;
  #telling = false;
  #loadingMore = false;
  #attempt = 0;
  #retry: Timer | undefined;
  #view: NotificationsView | undefined;

  constructor(client: ConcordClient, marks: MarkStore) {
    this.#client = client;
    this.#marks = marks;
    this.#host = client.link.host;
    this.#detach = client.link.connection.attach(this);
  }

  /** A new object after every change. */
  get view(): NotificationsView {
    return (this.#view ??= this.#look());
  }

  /** Called after every change of `view`. */
  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /**
   * Called with notifications that are new since this page has read the first time, earliest first: those that came while
   * it was away come together. Each comes once, and again only where it tells of something new after it was read.
   */
  onNew(fn: (news: readonly Notification[]) => void): () => void {
    this.#hearers.add(fn);
    return () => this.#hearers.delete(fn);
  }

  /** The person has read this, on all their devices. */
  markRead(id: string): void {
    if (this.#ledger.get(id)?.read ?? true) return;
    this.#ids.add(id);
    this.#keep(id);
    this.#changed();
    void this.#tell();
  }

  /** The person has read everything that there is so far. */
  markAllRead(): void {
    if (this.view.unread === 0) return;
    this.#readTo = this.#ledger.last;
    this.#keep(this.#readTo);
    this.#changed();
    void this.#tell();
  }

  /** Asks for earlier ones. */
  loadMore(): void {
    if (this.#loadingMore || !this.#ledger.more || !this.#open) return;
    this.#loadingMore = true;
    this.#changed();
    void this.#loadEarlier();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.clearTimeout(this.#retry);
    this.#detach();
  }

  // --- what the connection says ---

  opened({ user }: Welcome): void {
    this.#open = true;
    this.#adopt(user.id);
    this.#attempt = 0;
    void this.#sync();
    void this.#tell();
  }

  closed(): void {
    this.#open = false;
    this.#host.clearTimeout(this.#retry);
    this.#changed();
  }

  message(message: ServerMessage): void {
    if (message.type === 'missed' && message.room === 'user') void this.#sync();
    if (message.type !== 'notified') return;
    this.#heard = Math.max(this.#heard, message.change);
    // What comes while a page is on its way is looked at once that is there.
    if (this.#syncing) return;
    const news = this.#ledger.hear(message);
    if (news) this.#took(news);
    else void this.#sync();
  }

  // --- inside ---

  /** Takes over what was read here before the page was loaded. */
  #adopt(user: string): void {
    const whose = `${this.#address().host}/${user}`;
    if (this.#whose === whose) return;
    this.#whose = whose;
    const { ids, to } = this.#marks.list(whose);
    ids.forEach((id) => this.#ids.add(id));
    this.#readTo = Math.max(this.#readTo, to);
    this.#changed();
  }

  #keep(mark: string | number): void {
    if (this.#whose !== undefined) this.#marks.put(this.#whose, mark);
  }

  #forget(mark: string | number): void {
    if (this.#whose !== undefined) this.#marks.delete(this.#whose, mark);
  }

  /** Reads what is lacking, until nothing is. */
  #sync(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    return (this.#syncing ??= this.#catchUp());
  }

  async #catchUp(): Promise<void> {
    try {
      do {
        const { change } = this.#ledger;
        const page = await this.#ask<NotificationPage>(change === undefined ? '' : `?since=${change}`);
        if (this.#closed) return;
        this.#took(this.#ledger.page(page));
      } while (this.#heard > (this.#ledger.change ?? 0));
      this.#attempt = 0;
    } catch {
      this.#later();
    } finally {
      this.#syncing = undefined;
      this.#changed();
    }
  }

  async #loadEarlier(): Promise<void> {
    try {
      const page = await this.#ask<NotificationPage>(`?before=${this.#ledger.first}`);
      // Something happened meanwhile, and the page may not know of it: who scrolls asks again.
      if (!this.#ledger.earlier(page)) void this.#sync();
    } catch {
      // The next scroll asks again.
    } finally {
      this.#loadingMore = false;
      this.#changed();
    }
  }

  /** Tells the server what is read, one request at a time, until it knows everything. */
  async #tell(): Promise<void> {
    if (this.#telling || !this.#open) return;
    this.#telling = true;
    try {
      while (this.#ids.size > 0 || this.#readTo > 0) {
        const to = this.#readTo;
        const ids = [...this.#ids].slice(0, IDS_MAX);
        const body: ReadNotifications = to > 0 ? { to } : { ids };
        const done = () => {
          if (to === 0) {
            ids.forEach((id) => this.#ids.delete(id));
            ids.forEach((id) => this.#forget(id));
          } else {
            if (this.#readTo === to) this.#readTo = 0;
            this.#forget(to);
          }
        };
        try {
          const { change } = await this.#ask<NotificationsRead>('/read', body);
          this.#heard = Math.max(this.#heard, change);
          // Mostly it is heard before it is answered. What is marked stays so until it is.
          if (this.#heard > (this.#ledger.change ?? 0)) await this.#sync();
          done();
          if (this.#closed) return;
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          done();
        }
        this.#changed();
      }
    } catch {
      this.#later();
    } finally {
      this.#telling = false;
    }
  }

  #later(): void {
    this.#host.clearTimeout(this.#retry);
    if (this.#closed || !this.#open) return;
    this.#retry = this.#host.setTimeout(() => {
      void this.#sync();
      void this.#tell();
    }, backoffMs(this.#attempt++, this.#host.random()));
  }

  async #ask<Answer>(rest: string, body?: object): Promise<Answer> {
    const { token } = this.#client.link.options;
    const origin = this.#address().origin.replace(/^ws/, 'http');
    const headers: Record<string, string> = body ? { 'content-type': 'application/json' } : {};
    if (token) headers.authorization = `Bearer ${await token()}`;
    const init: RequestInit = { method: body ? 'POST' : 'GET', headers, credentials: 'same-origin' };
    // What is read may be the last thing that a page says.
    if (body) Object.assign(init, { body: JSON.stringify(body), keepalive: true });
    const response = await this.#host.fetch(`${origin}/api/notifications${rest}`, init);
    if (response.ok) return (await response.json()) as Answer;
    if (response.status === 400) throw new Refused();
    throw new Error(`the server answered ${response.status}`);
  }

  #address(): URL {
    return new URL(this.#client.link.options.url ?? '/', this.#host.origin());
  }

  #took(news: readonly Notification[]): void {
    this.#changed();
    if (news.length > 0) for (const fn of [...this.#hearers]) fn(news);
  }

  #look(): NotificationsView {
    const ledger = this.#ledger;
    let unread = this.#readTo > 0 && this.#readTo >= ledger.last ? 0 : ledger.unread;
    const list = ledger.list.map((told) => {
      if (told.read || !(this.#ids.has(told.id) || told.number <= this.#readTo)) return told;
      unread = Math.max(0, unread - 1);
      return { ...told, read: true };
    });
    return {
      phase: ledger.change === undefined ? 'loading' : 'ready',
      live: this.#open && !this.#syncing && this.#heard <= (ledger.change ?? -1),
      list,
      unread,
      hasMore: ledger.more,
      loadingMore: this.#loadingMore,
    };
  }

  #changed(): void {
    this.#view = undefined;
    for (const fn of [...this.#listeners]) fn();
  }
}
