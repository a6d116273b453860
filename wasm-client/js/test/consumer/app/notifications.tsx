'use client';

import { type Notification } from '@concord/client/notifications';
import { useNotifications } from '@concord/client/notifications/react';

export function Notifications() {
  const { list, unread, hasMore, loadMore, markRead, markAllRead } = useNotifications(announce);
  return (
    <section aria-label={`Notifications, ${unread} unread`}>
      <button onClick={markAllRead} disabled={unread === 0}>Mark all as read</button>
      <ol>
        {list.map((told) => (
          <li key={told.id}>
            <a href={leadsTo(told)} onClick={() => markRead(told.id)}>
              {told.read ? words(told) : <strong>{words(told)}</strong>}
            </a>
          </li>
        ))}
      </ol>
      {hasMore && <button onClick={loadMore}>Earlier</button>}
    </section>
  );
}

function words({ about }: Notification): string {
  switch (about.kind) {
    case 'mentioned':
      return `${about.by.name} named you in the chat of ${about.title}`;
    case 'shared':
      return `${about.by?.name ?? 'Somebody'} shared ${about.title} with you`;
    case 'edited':
      return `${about.by.map((person) => person.name).join(', ')} edited ${about.title}`;
    case 'app':
      return about.title;
  }
}

function leadsTo({ about }: Notification): string | undefined {
  return about.kind === 'app' ? about.url : `/d/${about.doc}`;
}

/** By the browser, where the person has allowed it and looks elsewhere. */
function announce(news: readonly Notification[]) {
  if (globalThis.Notification?.permission !== 'granted' || document.hasFocus()) return;
  for (const told of news) new globalThis.Notification(words(told), { tag: told.id });
}
