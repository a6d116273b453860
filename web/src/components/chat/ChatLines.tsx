'use client';

import { ArrowDown } from 'lucide-react';
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Chat, ChatLine } from '@/data/live';
import { chatItems, type ChatNote } from '@/lib/chat';
import { Button } from '../Button';
import { ChatRow } from './ChatRow';

export interface ChatLinesProps {
  chat: Pick<Chat, 'lines' | 'hasMore' | 'loadingMore' | 'loadMore' | 'me' | 'role' | 'canWrite' | 'unread' | 'markRead' | 'phase' | 'retry' | 'discard' | 'remove'>;
  notes: readonly ChatNote[];
  /** The colours that people have in the document now, where two may not have one. */
  colors: ReadonlyMap<string, number>;
  nowMs: number;
  /** What became of passages, by the id of the message. */
  found: ReadonlyMap<string, string>;
  onEdit(line: ChatLine): void;
  onFind(line: ChatLine): void;
}

/** Read out as it grows, and scrolled by keys. */
const LOG = { tabIndex: 0, role: 'log', 'aria-label': 'Messages', 'aria-live': 'polite', 'aria-relevant': 'additions' } as const;
/** So near to the end counts as being there. */
const NEAR = 48;
/** So near to the beginning, more is asked for. */
const AHEAD = 400;

/** The messages: the latest at the bottom, earlier ones above as one scrolls. */
export function ChatLines({ chat, notes, colors, nowMs, found, onEdit, onFind }: ChatLinesProps) {
  const list = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const firstId = chat.lines[0]?.id;
  const lastId = chat.lines.at(-1)?.id;
  useSteadyScroll(list, atEnd, firstId, lastId, notes.length);
  const { hasMore, loadMore, loadingMore, markRead, unread } = chat;

  const look = () => {
    const element = list.current;
    if (!element) return;
    setAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight <= NEAR);
    if (element.scrollTop < AHEAD && hasMore) loadMore();
  };
  // A page may not fill the panel.
  useEffect(() => {
    const element = list.current;
    if (element && hasMore && !loadingMore && element.scrollHeight <= element.clientHeight + AHEAD) loadMore();
  }, [hasMore, loadingMore, loadMore, firstId]);
  useReading(atEnd && unread > 0, markRead, lastId);

  const items = chatItems(chat.lines, notes, nowMs);
  return (
    <div className="relative min-h-0 flex-1">
      <div ref={list} onScroll={look} {...LOG} className="h-full overflow-y-auto overscroll-contain pb-2 focus-visible:-outline-offset-2">
        {chat.phase === 'ready' && items.length === 0 && (
          <p className="px-6 pt-12 text-center text-sm text-balance text-muted">Nothing is said yet. What you write here stays beside the text, for everybody who may read it.</p>
        )}
        {hasMore && <p className="py-2 text-center text-xs text-muted">{loadingMore ? 'Loading earlier messages…' : '\u00a0'}</p>}
        <ol className="flex flex-col">
          {items.map((item) =>
            item.kind === 'line' ? (
              <ChatRow
                key={item.id}
                line={item.line}
                first={item.first}
                color={colors.get(item.line.author.user) ?? item.line.author.color}
                me={chat.me?.user}
                isOwner={chat.role === 'owner'}
                canWrite={chat.canWrite}
                found={found.get(item.id)}
                onEdit={onEdit}
                onFind={onFind}
                onRemove={({ id }) => chat.remove(id)}
                onRetry={({ id }) => chat.retry(id)}
                onDiscard={({ id }) => chat.discard(id)}
              />
            ) : (
              <li key={item.id} className={item.kind === 'day' ? 'mt-4 flex items-center gap-3 px-4 text-xs font-medium text-muted before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line' : 'px-4 py-1 text-center text-xs text-muted'}>
                <bdi>{item.text}</bdi>
              </li>
            ),
          )}
        </ol>
      </div>
      {!atEnd && (
        <Button
          onClick={() => list.current?.scrollTo({ top: list.current.scrollHeight })}
          className="absolute inset-x-0 bottom-2 mx-auto w-fit bg-raised text-sm shadow-float"
        >
          <ArrowDown size={16} aria-hidden /> {unread > 0 ? `${unread.toLocaleString()} new` : 'To the end'}
        </Button>
      )}
    </div>
  );
}

/** Stays at the end where one is there, and where one is while more comes in above. */
function useSteadyScroll(list: RefObject<HTMLDivElement | null>, atEnd: boolean, firstId: string | undefined, lastId: string | undefined, notes: number): void {
  const before = useRef({ firstId, height: 0 });
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    const { scrollHeight } = element;
    if (atEnd) element.scrollTo({ top: scrollHeight });
    else if (before.current.firstId !== firstId) element.scrollBy({ top: scrollHeight - before.current.height });
    before.current = { firstId, height: scrollHeight };
  }, [list, atEnd, firstId, lastId, notes]);
  // A keyboard, or another width, moves the end away.
  useEffect(() => {
    const element = list.current;
    if (!element || !atEnd) return;
    const watch = new ResizeObserver(() => element.scrollTo({ top: element.scrollHeight }));
    watch.observe(element);
    return () => watch.disconnect();
  }, [list, atEnd]);
}

/** What is in sight of a window that somebody looks at is read. */
function useReading(inSight: boolean, markRead: () => void, lastId: string | undefined): void {
  useEffect(() => {
    if (!inSight) return;
    const look = () => {
      if (document.visibilityState === 'visible' && document.hasFocus()) markRead();
    };
    look();
    window.addEventListener('focus', look);
    document.addEventListener('visibilitychange', look);
    return () => {
      window.removeEventListener('focus', look);
      document.removeEventListener('visibilitychange', look);
    };
  }, [inSight, markRead, lastId]);
}
