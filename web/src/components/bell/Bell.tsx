'use client';

import { Bell as BellIcon } from 'lucide-react';
import { Popover } from 'radix-ui';
import { useEffect, useRef, useState } from 'react';
import { announce } from '@/data/announce';
import { type Notification, useNotifications } from '@/data/live';
import { notificationWords } from '@/lib/notification';
import { IconButton } from '../Button';
import { NotificationList } from './NotificationList';

/** Tells how many notifications are unread, and shows them. */
export function Bell() {
  const [open, setOpen] = useState(false);
  const latest = useRef<(told: Notification) => void>(() => undefined);
  const notifications = useNotifications((news) => announce(news, (told) => latest.current(told)));
  const { unread, markRead } = notifications;
  const follow = (told: Notification) => {
    markRead(told.id);
    setOpen(false);
    const { href } = notificationWords(told);
    if (href && href !== window.location.pathname) window.location.assign(href);
  };
  useEffect(() => {
    latest.current = follow;
  });
  const count = unread > 99 ? '99+' : String(unread);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <IconButton label={unread > 0 ? `Notifications, ${count} unread` : 'Notifications'} className="relative">
          <BellIcon size={16} aria-hidden />
          {unread > 0 && (
            <span aria-hidden className="absolute end-0 top-0 flex h-4 min-w-4 items-center justify-center rounded-full bg-accent px-1 text-[0.625rem] font-bold text-on-accent tabular-nums touch:end-1 touch:top-1">
              {count}
            </span>
          )}
        </IconButton>
      </Popover.Trigger>
      <span role="status" className="sr-only">
        {unread > 0 ? `${count} unread ${unread === 1 ? 'notification' : 'notifications'}` : ''}
      </span>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={8}
          collisionPadding={8}
          aria-label="Notifications"
          className="z-40 flex max-h-[min(36rem,var(--radix-popover-content-available-height))] w-[min(24rem,calc(100vw-1rem))] flex-col overflow-hidden rounded-panel bg-raised shadow-float data-[state=open]:animate-arrive"
        >
          <NotificationList {...notifications} onFollow={follow} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
