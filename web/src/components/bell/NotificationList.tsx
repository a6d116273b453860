'use client';

import { AtSign, BellRing, FileText, Info, PenLine } from 'lucide-react';
import type { ReactNode } from 'react';
import { announceHere, type Announcing, useAnnouncing } from '@/data/announce';
import { useNow } from '@/data/clock';
import type { Notification, Notifications } from '@/data/live';
import { cx } from '@/lib/cx';
import { notificationWords } from '@/lib/notification';
import { fullTime, timeAgo } from '@/lib/time';
import { Avatar } from '../Avatar';
import { Button } from '../Button';

export interface NotificationListProps extends Notifications {
  onFollow(told: Notification): void;
}

const SYMBOL: Record<Notification['about']['kind'], ReactNode> = {
  mentioned: <AtSign size={10} aria-hidden />,
  shared: <FileText size={10} aria-hidden />,
  edited: <PenLine size={10} aria-hidden />,
  app: null,
};

/** What a person was told, latest first; and whether this device tells them. */
export function NotificationList({ phase, list, unread, hasMore, loadingMore, loadMore, markAllRead, onFollow }: NotificationListProps) {
  const now = useNow(20_000);
  const announcing = useAnnouncing();
  return (
    <>
      <div className="flex h-12 shrink-0 items-center justify-between gap-3 border-b border-line ps-4 pe-2 touch:h-14">
        <h2 className="text-sm font-bold">Notifications</h2>
        <Button onClick={markAllRead} disabled={unread === 0} className="text-sm">
          Mark all as read
        </Button>
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain">
        {phase === 'ready' && list.length === 0 && (
          <p className="px-8 py-12 text-center text-sm text-balance text-muted">Nothing yet. Here you see when somebody names you, shares a document with you or edits one of yours.</p>
        )}
        {phase === 'loading' && <p className="px-8 py-12 text-center text-sm text-muted">Not loaded yet…</p>}
        <ul className="flex flex-col p-1">
          {list.map((told) => (
            <li key={told.id}>
              <Row told={told} nowMs={now ?? told.time_ms} onFollow={onFollow} />
            </li>
          ))}
        </ul>
        {hasMore && (
          <div className="flex justify-center pb-2">
            <Button onClick={loadMore} disabled={loadingMore} className="text-sm text-muted">
              {loadingMore ? 'Loading…' : 'Earlier'}
            </Button>
          </div>
        )}
      </div>
      <OnThisDevice announcing={announcing} />
    </>
  );
}

function Row({ told, nowMs, onFollow }: { told: Notification; nowMs: number; onFollow(told: Notification): void }) {
  const { title, detail, face } = notificationWords(told);
  return (
    <button
      type="button"
      onClick={() => onFollow(told)}
      className="flex w-full items-start gap-3 rounded-control px-3 py-2.5 text-start hover:bg-wash focus-visible:-outline-offset-2"
    >
      <span className="relative mt-0.5 inline-flex size-7 shrink-0">
        {face ? (
          <>
            <Avatar name={face.name} color={face.color} />
            <span aria-hidden className="absolute -end-1.5 -bottom-1.5 inline-flex size-4 items-center justify-center rounded-full bg-raised text-muted ring-1 ring-line">
              {SYMBOL[told.about.kind]}
            </span>
          </>
        ) : (
          <span aria-hidden className="inline-flex size-7 items-center justify-center rounded-full bg-wash text-muted">
            <Info size={16} />
          </span>
        )}
      </span>
      <span className="min-w-0 flex-1">
        <span dir="auto" className={cx('block text-sm break-words', told.read ? 'text-muted' : 'font-medium text-ink')}>
          {!told.read && <span className="sr-only">Unread: </span>}
          {title}
        </span>
        <span className="mt-0.5 block text-xs text-muted">
          {detail && (
            <>
              <bdi>{detail}</bdi> ·{' '}
            </>
          )}
          <time dateTime={new Date(told.time_ms).toISOString()} title={fullTime(told.time_ms)}>
            {timeAgo(told.time_ms, nowMs)}
          </time>
        </span>
      </span>
      <span aria-hidden className={cx('mt-2 size-2 shrink-0 rounded-full', told.read ? 'bg-transparent' : 'bg-accent')} />
    </button>
  );
}

/** The browser is asked by this click and at no other time. */
function OnThisDevice({ announcing }: { announcing: Announcing }) {
  if (announcing === 'none') return null;
  return (
    <div className="flex min-h-12 shrink-0 items-center justify-between gap-3 border-t border-line ps-4 pe-2 text-xs text-muted touch:min-h-14">
      {announcing === 'blocked' ? (
        <p className="py-2 pe-2">This browser does not show notifications of this site. Its settings can change that.</p>
      ) : (
        <>
          <p>{announcing === 'on' ? 'This device tells you of new ones.' : 'Also when you look elsewhere?'}</p>
          <Button onClick={() => void announceHere(announcing !== 'on')} className="text-sm">
            {announcing === 'on' ? 'Turn off' : <><BellRing size={16} aria-hidden /> Tell me on this device</>}
          </Button>
        </>
      )}
    </div>
  );
}
