/**
 * What a page holds of a person's notifications: pure, told what came and what was read.
 *
 * Changes are numbered without a gap by the server. What comes in order is taken; for anything else the ledger says that
 * it lacks something, and is given what changed since the last change it holds.
 */
import type { Notification, NotificationPage, Notified } from '../protocol.js';

export class Ledger {
  readonly #items = new Map<string, Notification>();
  /** The last change that is held; `undefined` before the first page. */
  #change: number | undefined;
  #unread = 0;
  #more = false;

  get change(): number | undefined {
    return this.#change;
  }

  get unread(): number {
    return this.#unread;
  }

  get more(): boolean {
    return this.#more;
  }

  /** Latest first. */
  get list(): Notification[] {
    return [...this.#items.values()].sort((a, b) => b.number - a.number);
  }

  /** The number of the latest; 0 for none. */
  get last(): number {
    return Math.max(0, ...[...this.#items.values()].map(({ number }) => number));
  }

  /** The number of the earliest that is held. */
  get first(): number {
    return Math.min(...[...this.#items.values()].map(({ number }) => number));
  }

  get(id: string): Notification | undefined {
    return this.#items.get(id);
  }

  /** Takes the first page, or what changed since. Gives what the person has not been told yet, earliest first. */
  page(page: NotificationPage): Notification[] {
    const isFirst = this.#change === undefined;
    const last = this.last;
    const known = new Map(this.#items);
    if (page.since === undefined) {
      this.#items.clear();
      this.#more = page.more;
    }
    const news = page.notifications.filter((told) => !told.read && (known.has(told.id) ? known.get(told.id)?.read : told.number > last));
    for (const told of page.notifications) this.#items.set(told.id, told);
    this.#change = page.change;
    this.#unread = page.unread;
    return isFirst ? [] : news.reverse();
  }

  /** Takes a page of earlier ones; whether it fits what is held. */
  earlier(page: NotificationPage): boolean {
    if (page.change !== this.#change) return false;
    for (const told of page.notifications) this.#items.set(told.id, told);
    this.#more = page.more;
    return true;
  }

  /** Takes what is heard, if it is the next change. Gives what is new; `undefined` where something lies between. */
  hear(news: Notified): Notification[] | undefined {
    if (this.#change === undefined || news.change > this.#change + 1) return undefined;
    if (news.change <= this.#change) return [];
    const { notifications = [], read = [], read_to = 0 } = news;
    const fresh = notifications.filter((told) => this.#items.get(told.id)?.read ?? true);
    for (const told of notifications) this.#items.set(told.id, told);
    for (const told of [...this.#items.values()]) {
      if (!told.read && (read.includes(told.id) || told.number <= read_to)) this.#items.set(told.id, { ...told, read: true });
    }
    this.#change = news.change;
    this.#unread = news.unread;
    return fresh;
  }
}
