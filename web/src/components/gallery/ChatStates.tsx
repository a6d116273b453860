'use client';

import type { ReactNode } from 'react';
import type { ChatLine } from '@/data/live';
import { ChatButton } from '../chat/ChatButton';
import { ChatLines } from '../chat/ChatLines';
import { Composer } from '../chat/Composer';
import { LONG_NAME, NOW_MS } from './samples';
import { State } from './State';

const nothing = () => {};
const ada = { user: 'a', name: 'Ada Lovelace', color: 1 };
const long = { user: 'b', name: LONG_NAME, color: 5 };
const maryam = { user: 'c', name: 'مريم', color: 9 };

let number = 0;
const line = (author: typeof ada, text: string, change: Partial<ChatLine> = {}): ChatLine => {
  number += 1;
  return { id: String(number), number, author, own: author === ada, text, mentions: [], timeMs: NOW_MS - (30 - number) * 60_000, deleted: false, state: 'sent', ...change };
};
const LINES: ChatLine[] = [
  line(long, 'Good morning!'),
  line(long, 'https://example.com/a/very/long/address/that/does/not/fit/into/one/line/of/the/panel?and=more'),
  line(maryam, 'مرحبا بالجميع'),
  line(ada, '> a blue boat nobody has claimed\nIs it this one, @مريم?', { ref: { rev: 1, start: 0, end: 3 }, mentions: [{ start: 47, end: 52, user: 'c' }] }),
  line(ada, 'Edited once.', { editedMs: NOW_MS }),
  line(maryam, '', { deleted: true }),
  line(ada, 'On its way', { state: 'sending' }),
  line(ada, 'Refused', { state: 'failed', code: 'forbidden' }),
];
const chat = {
  lines: LINES, hasMore: false, loadingMore: false, loadMore: nothing, me: ada, role: 'owner', canWrite: true, unread: 0,
  markRead: nothing, phase: 'ready', retry: nothing, discard: nothing, remove: nothing,
} as const;
const notes = [{ id: 'n', text: 'Ben joined', timeMs: NOW_MS }];
const found = new Map([[LINES[3]?.id ?? '', 'The text was deleted in revision 1,204.']]);

function Panel({ name, direction, children }: { name: string; direction?: 'rtl'; children: ReactNode }) {
  return (
    <State name={name}>
      <div dir={direction} className="flex h-96 max-w-88 flex-col overflow-hidden rounded-panel border border-line bg-sunken">
        {children}
      </div>
    </State>
  );
}

/** The chat, in every state. */
export function ChatStates() {
  const lines = (change: Partial<Parameters<typeof ChatLines>[0]['chat']>) => (
    <ChatLines chat={{ ...chat, ...change }} notes={notes} colors={new Map()} nowMs={NOW_MS} found={found} onEdit={nothing} onFind={nothing} />
  );
  const composer = (change: Partial<Parameters<typeof Composer>[0]>) => (
    <Composer canWrite people={[ada, long, maryam]} passage={null} editing={null} onSend={nothing} onTyping={nothing} onQuote={nothing} onEscape={nothing} {...change} />
  );
  return (
    <>
      <Panel name="messages of every kind">
        {lines({})}
        {composer({})}
      </Panel>
      <Panel name="nothing said yet">
        <ChatLines chat={{ ...chat, lines: [] }} notes={[]} colors={new Map()} nowMs={NOW_MS} found={found} onEdit={nothing} onFind={nothing} />
        {composer({})}
      </Panel>
      <Panel name="loading earlier messages">
        {lines({ hasMore: true, loadingMore: true })}
        {composer({ passage: { ref: { rev: 1, start: 0, end: 3 }, quote: 'a blue boat nobody has claimed, whatever the harbour master says about it in the second chapter' } })}
      </Panel>
      <Panel name="somebody who may only read">
        {lines({ canWrite: false, role: 'viewer' })}
        {composer({ canWrite: false })}
      </Panel>
      <Panel name="right to left" direction="rtl">
        {lines({})}
        {composer({ editing: LINES[4] ?? null })}
      </Panel>
      <State name="the button">
        <div className="flex gap-4">
          {[0, 3, 120].map((unread) => (
            <ChatButton key={unread} unread={unread} open={unread === 3} onToggle={nothing} />
          ))}
        </div>
      </State>
    </>
  );
}
