/**
 * `@concord/client/notifications`: what a person is told until they have read it, on all their devices, over the client's
 * own connection. It needs no editor and no document.
 *
 * ```ts
 * const { session, close } = openNotifications(createClient());
 * session.subscribe(() => draw(session.view.list, session.view.unread));
 * session.onNew((news) => news.forEach(announce));
 * session.markAllRead();
 * ```
 */
import type { ConcordClient } from './client.js';
import { NotificationsSession } from './notifications/session.js';

export type { NotificationsSession } from './notifications/session.js';
export type * from './notifications/types.js';
export type {
  EditedWhileAway,
  MentionedInChat,
  Notification,
  NotificationAbout,
  SharedWithYou,
  ToldByApp,
} from './protocol.js';

/** They stay open this long after their last user left: React opens and closes in quick succession. */
const LINGER_MS = 250;

/** A person's notifications and the way to let go of them. */
export interface OpenNotifications {
  readonly session: NotificationsSession;
  /** This user is done; the last one to say so closes them. */
  close: () => void;
}

interface Entry {
  session: NotificationsSession;
  users: number;
  closing: ReturnType<typeof setTimeout> | undefined;
}

const open = new WeakMap<ConcordClient, Entry>();

/** Opens the notifications of whom the client is for, or joins those on this page who have: each wants its own `close`. */
export function openNotifications(client: ConcordClient): OpenNotifications {
  const { host } = client.link;
  const entry = open.get(client) ?? { session: new NotificationsSession(client), users: 0, closing: undefined };
  open.set(client, entry);
  entry.users++;
  host.clearTimeout(entry.closing);
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    if (--entry.users > 0) return;
    entry.closing = host.setTimeout(() => {
      open.delete(client);
      entry.session.close();
    }, LINGER_MS);
  };
  return { session: entry.session, close };
}
