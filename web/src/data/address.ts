// What the page shows, as the part of its address after "?": changed without loading the page again, kept by the
// browser's back button.
import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
const tell = () => listeners.forEach((listener) => listener());

function subscribe(fn: () => void): () => void {
  listeners.add(fn);
  window.addEventListener('popstate', fn);
  return () => {
    listeners.delete(fn);
    window.removeEventListener('popstate', fn);
  };
}

/** The address after "?", without it; empty while exporting and hydrating. */
export const useSearch = (): string =>
  useSyncExternalStore(
    subscribe,
    () => window.location.search.slice(1),
    () => '',
  );

const addressWith = (search: string) => window.location.pathname + (search && `?${search}`);

/** Goes somewhere on this page; the back button returns. */
export function go(search: string): void {
  window.history.pushState(null, '', addressWith(search));
  tell();
}

/** Corrects the address of where one is. */
export function correct(search: string): void {
  if (window.location.search.slice(1) === search) return;
  window.history.replaceState(null, '', addressWith(search));
  tell();
}
