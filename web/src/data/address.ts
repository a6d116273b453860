// What the page shows, as the part of its address after "?": changed without loading the page again, kept by the
// browser's back button.
import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();

// What is shown is remembered here and never read from the location while somebody listens: the router writes the
// location again in a later moment of its own, and may for that moment put back an address that was already left.
let shown: string | null = null;
/** Counts where one has been on this page. */
let visits = 0;

const inLocation = () => window.location.search.slice(1);
const current = () => (shown ??= inLocation());

function show(search: string): void {
  shown = search;
  listeners.forEach((listener) => listener());
}

function arrive(): void {
  visits += 1;
  show(inLocation());
}

function subscribe(fn: () => void): () => void {
  if (listeners.size === 0) {
    shown = null;
    window.addEventListener('popstate', arrive);
  }
  listeners.add(fn);
  return () => {
    listeners.delete(fn);
    if (listeners.size === 0) window.removeEventListener('popstate', arrive);
  };
}

/** The address after "?", without it; empty while exporting and hydrating. */
export const useSearch = (): string => useSyncExternalStore(subscribe, current, () => '');

const addressWith = (search: string) => window.location.pathname + (search && `?${search}`);

/** Goes somewhere on this page; the back button returns. */
export function go(search: string): void {
  visits += 1;
  window.history.pushState(null, '', addressWith(search));
  show(search);
}

/** Where one is, for `correct`. */
export const visit = (): number => visits;

/** Corrects the address of `where` one is; does nothing once one is somewhere else. */
export function correct(where: number, search: string): void {
  if (where !== visits || search === current()) return;
  window.history.replaceState(null, '', addressWith(search));
  show(search);
}
