// New notifications outside of the page: by the browser, where the person has asked for it on this device. The browser is
// asked once, from the person's own click, and never again, whatever came of it.
import type { Notification as Told } from '@concord/client/notifications';
import { useEffect } from 'react';
import { notificationWords } from '@/lib/notification';
import { createStore, readStored, useStore, writeStored } from './store';

/** What the person wants on this device, and whether the browser was asked. */
interface Wish {
  asked: boolean;
  wanted: boolean;
}

/**
 * `ask`: the browser may be asked; `on`, `off`: it allows it, and the person wants it or not; `blocked`: it does not;
 * `none`: it cannot, or was asked and did not answer.
 */
export type Announcing = 'ask' | 'on' | 'off' | 'blocked' | 'none';

const KEY = 'concord-announce';
/** More than so many at once are announced as a number. */
const SINGLE_MAX = 3;

const isWish = (value: unknown): value is Wish =>
  typeof value === 'object' && value !== null && typeof (value as Wish).asked === 'boolean' && typeof (value as Wish).wanted === 'boolean';
const wish = (): Wish => readStored(KEY, isWish) ?? { asked: false, wanted: false };
const state = createStore<Announcing>('none');

function look(): void {
  const { asked, wanted } = wish();
  const permission = typeof Notification === 'undefined' || !window.isSecureContext ? null : Notification.permission;
  state.set(
    permission === 'granted' ? (wanted ? 'on' : 'off') : permission === 'denied' ? (asked ? 'blocked' : 'none') : permission === 'default' && !asked ? 'ask' : 'none',
  );
}

/** How it stands on this device, in step over its tabs. */
export function useAnnouncing(): Announcing {
  useEffect(() => {
    look();
    window.addEventListener('storage', look);
    window.addEventListener('focus', look);
    return () => {
      window.removeEventListener('storage', look);
      window.removeEventListener('focus', look);
    };
  }, []);
  return useStore(state, 'none');
}

/** The person wants to be told on this device, or not any more. Asks the browser at most once; to be called by a click. */
export async function announceHere(wanted: boolean): Promise<void> {
  const ask = wanted && state.get() === 'ask';
  writeStored(KEY, { asked: ask || wish().asked, wanted });
  look();
  if (ask) await Notification.requestPermission();
  look();
}

/** Announces what is new, where it is wanted and nobody looks at the page. */
export function announce(news: readonly Told[], open: (told: Told) => void): void {
  look();
  if (state.get() !== 'on' || (document.visibilityState === 'visible' && document.hasFocus())) return;
  if (news.length > SINGLE_MAX) return show(`${news.length.toLocaleString()} new notifications`, '', 'concord', () => undefined);
  for (const told of news) {
    const { title, detail } = notificationWords(told);
    // The same in several tabs is one.
    show(title, detail, told.id, () => open(told));
  }
}

function show(title: string, body: string, tag: string, open: () => void): void {
  try {
    const shown = new Notification(title, { body, tag, icon: '/icon.svg' });
    shown.onclick = () => {
      window.focus();
      shown.close();
      open();
    };
  } catch {
    // Some phones leave it to the service worker, which brings the page to the front and no further.
    void navigator.serviceWorker?.getRegistration().then((registration) => registration?.showNotification(title, { body, tag }));
  }
}
