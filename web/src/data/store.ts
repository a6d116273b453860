// The smallest observable value, and a way to keep one in localStorage and in step over tabs.
import { useSyncExternalStore } from 'react';

export interface Store<T> {
  get(): T;
  set(next: T): void;
  subscribe(fn: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe: (fn) => {
      listeners.add(fn);
      return () => void listeners.delete(fn);
    },
  };
}

/** Reads a stored JSON value; anything missing, broken or of another shape is `null`. */
export function readStored<T>(key: string, isShape: (value: unknown) => value is T): T | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? 'null');
    return isShape(value) ? value : null;
  } catch {
    return null;
  }
}

/** Keeps a value for the next visit. A full or forbidden storage only means that it is not remembered. */
export function writeStored(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Private windows and full disks: the page works, the next visit starts fresh.
  }
}

/** What a component shows of a store; on the server and while hydrating, `atFirst`. */
export function useStore<T>(store: Store<T>, atFirst: T): T {
  return useSyncExternalStore(store.subscribe, store.get, () => atFirst);
}
