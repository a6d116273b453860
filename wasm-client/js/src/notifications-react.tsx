'use client';
/**
 * `@concord/client/notifications/react`: a person's notifications as a hook. It renders on the server (phase `loading`)
 * and connects after mounting; it needs no editor.
 *
 * ```tsx
 * const { list, unread, markRead, markAllRead } = useNotifications();
 * ```
 */
import { useContext, useEffect, useMemo, useSyncExternalStore } from 'react';
import { openNotifications, type OpenNotifications } from './notifications.js';
import type { NotificationsView } from './notifications/types.js';
import type { Notification } from './protocol.js';
import { Context } from './react/context.js';
import type { ClientHolder } from './react/holder.js';

/** What `useNotifications` answers: how they are, and what a person can do. The functions stay the same. */
export interface Notifications extends NotificationsView {
  markRead: (id: string) => void;
  markAllRead: () => void;
  loadMore: () => void;
}

class NotificationsStore {
  readonly #holder: ClientHolder;
  readonly #listeners = new Set<() => void>();
  readonly #initial: Notifications;
  #open: OpenNotifications | undefined;
  #stop: (() => void)[] = [];
  #known: NotificationsView | undefined;
  #notifications: Notifications;
  heard: (news: readonly Notification[]) => void = () => undefined;

  constructor(holder: ClientHolder) {
    this.#holder = holder;
    const session = () => this.#open?.session;
    this.#notifications = this.#initial = {
      phase: 'loading', live: false, list: [], unread: 0, hasMore: false, loadingMore: false,
      markRead: (id) => session()?.markRead(id),
      markAllRead: () => session()?.markAllRead(),
      loadMore: () => session()?.loadMore(),
    };
  }

  readonly serverSnapshot = (): Notifications => this.#initial;

  readonly snapshot = (): Notifications => {
    const view = this.#open?.session.view;
    if (view !== this.#known) {
      this.#known = view;
      this.#notifications = { ...this.#initial, ...view };
    }
    return this.#notifications;
  };

  readonly subscribe = (fn: () => void): (() => void) => {
    this.#listeners.add(fn);
    if (this.#listeners.size === 1) this.#begin();
    return () => {
      this.#listeners.delete(fn);
      if (this.#listeners.size === 0) this.#end();
    };
  };

  #begin(): void {
    const { session } = (this.#open = openNotifications(this.#holder.client));
    this.#stop = [session.subscribe(() => this.#tell()), session.onNew((news) => this.heard(news))];
    this.#tell();
  }

  #end(): void {
    this.#stop.forEach((stop) => stop());
    this.#open?.close();
    this.#open = undefined;
  }

  #tell(): void {
    for (const fn of [...this.#listeners]) fn();
  }
}

/**
 * The person's notifications, open while the component is mounted. Give `heard` to be told of new ones as they come, and of
 * all that came while the page was not connected together.
 */
export function useNotifications(heard?: (news: readonly Notification[]) => void): Notifications {
  const holder = useContext(Context);
  const store = useMemo(() => new NotificationsStore(holder), [holder]);
  useEffect(() => {
    store.heard = heard ?? (() => undefined);
  });
  return useSyncExternalStore(store.subscribe, store.snapshot, store.serverSnapshot);
}
