// Whether the page is light or dark right now, for what is painted by hand.
import { useSyncExternalStore } from 'react';

const DARK = '(prefers-color-scheme: dark)';

function subscribe(fn: () => void): () => void {
  const system = window.matchMedia(DARK);
  const chosen = new MutationObserver(fn);
  system.addEventListener('change', fn);
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  return () => {
    system.removeEventListener('change', fn);
    chosen.disconnect();
  };
}

function read(): 'light' | 'dark' {
  const { theme } = document.documentElement.dataset;
  if (theme === 'light' || theme === 'dark') return theme;
  return window.matchMedia(DARK).matches ? 'dark' : 'light';
}

/** Follows the person's choice, and the system's where there is none. */
export const useScheme = (): 'light' | 'dark' => useSyncExternalStore(subscribe, read, () => 'light');
