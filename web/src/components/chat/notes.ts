// Whether the chat is open, and who came and who went while this window looked, from presence.
import { useEffect, useRef, useState } from 'react';
import type { Person } from '@/data/live';
import { readStored, writeStored } from '@/data/store';
import type { ChatNote } from '@/lib/chat';

/** Who is back so soon, after a reload say, has not been away. */
const AWAY_MS = 5_000;
const NOTES_MAX = 20;

/** Notes of coming and going, while connected: who is there when a connection begins was there before. */
export function usePresenceNotes(people: readonly Person[], connected: boolean): readonly ChatNote[] {
  const [notes, setNotes] = useState<readonly ChatNote[]>([]);
  const here = useRef<Map<string, string> | null>(null);
  const leaving = useRef(new Map<string, ReturnType<typeof setTimeout>>());
  const others = people.filter((person) => !person.self);
  const key = connected ? JSON.stringify(others.map(({ user, name }) => [user, name]).sort()) : null;

  useEffect(() => {
    const timers = leaving.current;
    if (key === null) {
      here.current = null;
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      return;
    }
    const now = new Map(JSON.parse(key) as [string, string][]);
    const before = here.current;
    here.current = now;
    if (!before) return;
    const note = (text: string) => {
      const timeMs = Date.now();
      setNotes((known) => [...known, { id: `${String(timeMs)} ${text}`, text, timeMs }].slice(-NOTES_MAX));
    };
    for (const [user, name] of now) {
      const timer = timers.get(user);
      clearTimeout(timer);
      timers.delete(user);
      if (!before.has(user) && timer === undefined) note(`${name} joined`);
    }
    for (const [user, name] of before) {
      if (now.has(user) || timers.has(user)) continue;
      timers.set(user, setTimeout(() => {
        timers.delete(user);
        note(`${name} left`);
      }, AWAY_MS));
    }
  }, [key]);

  useEffect(() => {
    const timers = leaving.current;
    return () => timers.forEach((timer) => clearTimeout(timer));
  }, []);
  return notes;
}

const OPEN_KEY = 'concord-chat-open';

/** Whether the chat is open: beside the text as one left it, over the text only when asked. */
export function useChatOpen(beside: boolean): [boolean, (open: boolean) => void] {
  const [open, setOpen] = useState<boolean | null>(null);
  const remembered = beside && readStored(OPEN_KEY, (value): value is boolean => typeof value === 'boolean') === true;
  const change = (next: boolean) => {
    setOpen(next);
    if (beside) writeStored(OPEN_KEY, next);
  };
  return [open ?? remembered, change];
}
