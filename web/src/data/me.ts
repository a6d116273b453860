// Who I am: the guest the server made for this browser, with the name and colour I chose.
import { useEffect } from 'react';
import { type Me, api } from './api';
import { createStore, readStored, useStore, writeStored } from './store';

const KEY = 'concord.me';
const isMe = (value: unknown): value is Me =>
  typeof value === 'object' && value !== null && typeof (value as Me).name === 'string' && typeof (value as Me).color === 'number';

const me = createStore<Me | null>(null);

function remember(next: Me): void {
  me.set(next);
  writeStored(KEY, next);
}

/** The person, at once as last known, then as the server knows them; `null` before either. */
export function useMe(): Me | null {
  useEffect(() => {
    if (!me.get()) me.set(readStored(KEY, isMe));
    api.me().then(remember, () => {
      // Without an answer the last known name stands; the page says elsewhere that it is offline.
    });
  }, []);
  return useStore(me, null);
}

/** Saves a new name or colour. Shows it at once and takes it back when the server refuses. */
export async function saveMe(change: Partial<Pick<Me, 'name' | 'color'>>): Promise<void> {
  const before = me.get();
  if (before) remember({ ...before, ...change });
  try {
    remember(await api.updateMe(change));
  } catch (error) {
    if (before) remember(before);
    throw error;
  }
}
