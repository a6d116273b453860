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
import { deviceMarks, type MarkStore } from './notifications/marks.js';
import { NotificationsSession } from './notifications/session.js';
import { type Opened, Shared } from './shared.js';

export type { MarkStore } from './notifications/marks.js';
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

/** A person's notifications and the way to let go of them. */
export type OpenNotifications = Opened<NotificationsSession>;

const people = new Shared<NotificationsSession>();

/** Opens the notifications of whom the client is for, or joins those on this page who have: each wants its own `close`. */
export function openNotifications(client: ConcordClient, marks: MarkStore = deviceMarks()): OpenNotifications {
  return people.open(client, '', () => new NotificationsSession(client, marks));
}
