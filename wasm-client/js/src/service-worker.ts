/** The page's half of the service worker: registers it and hears of new builds. */

export interface RegistrationOptions {
  /** Address of the worker; `/sw.js` by default. */
  url?: string;
  /** The addresses it speaks for; everything below its own by default. */
  scope?: string;
  /** A newer build has taken over; this page still runs the one it was loaded with, until it is reloaded. */
  onUpdate?: () => void;
}

/** How often a page that stays open asks for a new build. */
const CHECK_EVERY_MS = 60 * 60_000;

/**
 * Registers the service worker once the page has loaded. Resolves to `null` where there can be none: on the server, on
 * an insecure origin, in a browser without them, or when its file is missing. Never rejects: the app works without.
 *
 * ```ts
 * void registerServiceWorker({ onUpdate: () => toast('A new version is ready: reload when it suits you.') });
 * ```
 */
export async function registerServiceWorker(options: RegistrationOptions = {}): Promise<ServiceWorkerRegistration | null> {
  const container = serviceWorkers();
  if (!container) return null;
  const { url = '/sw.js', scope, onUpdate } = options;
  await loaded();
  try {
    const registration = await container.register(url, { updateViaCache: 'none', ...(scope ? { scope } : {}) });
    let controlled = container.controller !== null;
    container.addEventListener('controllerchange', () => {
      // The first worker of a page takes over too, and is no update.
      if (controlled) onUpdate?.();
      controlled = true;
    });
    keepFresh(registration);
    return registration;
  } catch (error) {
    console.warn('concord: no service worker, so the app needs the network to load', error);
    return null;
  }
}

/** Takes the worker and its caches away, for an app that no longer wants one. */
export async function unregisterServiceWorker(): Promise<void> {
  const registrations = (await serviceWorkers()?.getRegistrations()) ?? [];
  await Promise.all(registrations.map((registration) => registration.unregister()));
  const names = typeof caches === 'undefined' ? [] : await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith('concord-shell-')).map((name) => caches.delete(name)));
}

function serviceWorkers(): ServiceWorkerContainer | undefined {
  return typeof navigator !== 'undefined' && 'serviceWorker' in navigator ? navigator.serviceWorker : undefined;
}

function loaded(): Promise<void> {
  if (document.readyState === 'complete') return Promise.resolve();
  return new Promise((done) => window.addEventListener('load', () => done(), { once: true }));
}

function keepFresh(registration: ServiceWorkerRegistration): void {
  let checked = Date.now();
  const check = (): void => {
    if (document.visibilityState !== 'visible' || Date.now() - checked < CHECK_EVERY_MS) return;
    checked = Date.now();
    registration.update().catch(() => undefined);
  };
  setInterval(check, CHECK_EVERY_MS / 4);
  document.addEventListener('visibilitychange', check);
}
