// Theme and typeface: kept in this browser, applied to <html> before the first paint by `preferencesScript`, the same
// in every tab.
import { FACE_KEY, THEME_KEY } from '@/lib/preferences-script';
import { createStore, useStore } from './store';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
export const FACES = ['sans', 'serif', 'mono'] as const;
export type Face = (typeof FACES)[number];

export interface Preferences {
  theme: Theme;
  face: Face;
}

const DEFAULTS: Preferences = { theme: 'system', face: 'serif' };
const PAPER = { light: '#fcfcfa', dark: '#101216' };

function read(): Preferences {
  if (typeof window === 'undefined') return DEFAULTS;
  try {
    const theme = localStorage.getItem(THEME_KEY) as Theme;
    const face = localStorage.getItem(FACE_KEY) as Face;
    return {
      theme: THEMES.includes(theme) ? theme : DEFAULTS.theme,
      face: FACES.includes(face) ? face : DEFAULTS.face,
    };
  } catch {
    return DEFAULTS;
  }
}

const preferences = createStore<Preferences>(read());

function paintBrowserChrome(theme: Theme): void {
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const own = meta.media.includes('dark') ? 'dark' : 'light';
    meta.content = PAPER[theme === 'system' ? own : theme];
  }
}

function apply({ theme, face }: Preferences): void {
  const { dataset } = document.documentElement;
  if (theme === 'system') delete dataset.theme;
  else dataset.theme = theme;
  if (face === 'serif') delete dataset.face;
  else dataset.face = face;
  paintBrowserChrome(theme);
}

export function setPreferences(change: Partial<Preferences>): void {
  const next = { ...preferences.get(), ...change };
  preferences.set(next);
  apply(next);
  try {
    localStorage.setItem(THEME_KEY, next.theme);
    localStorage.setItem(FACE_KEY, next.face);
  } catch {
    // Not remembered, still applied.
  }
}

/** Follows the other tabs. Call once per page, after mount. */
export function followPreferences(): () => void {
  apply(preferences.get());
  const onStorage = (event: StorageEvent) => {
    if (event.key !== THEME_KEY && event.key !== FACE_KEY) return;
    preferences.set(read());
    apply(preferences.get());
  };
  window.addEventListener('storage', onStorage);
  return () => window.removeEventListener('storage', onStorage);
}

export const usePreferences = (): Preferences => useStore(preferences, DEFAULTS);
