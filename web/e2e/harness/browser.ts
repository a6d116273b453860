// A real Chromium, and the few things every browser test does with it.
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, type BrowserContextOptions, type Page, chromium } from 'playwright-core';

const EXECUTABLE = process.env.CONCORD_CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
];

export async function launchBrowser(): Promise<Browser> {
  if (!existsSync(EXECUTABLE)) {
    throw new Error(`no browser at ${EXECUTABLE}: run "apt-get install -y --no-install-recommends chromium", or set CONCORD_CHROMIUM`);
  }
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}

/** Where a tab remembers what works in its network (`wasm-client/js/src/fallback.ts`). */
const MEMORY = 'concord-transport';
/** Whether a window of this file has found out what works in the network of CONCORD_TRANSPORT. */
let isNetworkKnown = false;

/** A window of its own: own cookies, own storage, so an own person. */
export async function openWindow(browser: Browser, options: BrowserContextOptions = {}): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  const way = process.env.CONCORD_TRANSPORT;
  // That takes seconds. All windows but the first are spared it, until they lose what they begin with.
  if (way && isNetworkKnown) {
    await context.addInitScript(([key, value]) => sessionStorage.getItem(key) ?? sessionStorage.setItem(key, value), [MEMORY, way] as const);
  }
  isNetworkKnown = true;
  const page = await context.newPage();
  return { context, page };
}

/**
 * Reloads a window that was cut off, and tells its new page so: a browser may keep what it was told of the network to the
 * page before, so that nothing arrives while the page believes to be online. To be taken back before the network is.
 */
export async function reloadOffline({ context, page }: { context: BrowserContext; page: Page }): Promise<() => Promise<void>> {
  await page.reload();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  return () => session.detach();
}

/** Collects what must never happen: uncaught errors and violated content security policies. */
export function watchFaults(page: Page): string[] {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(text)) faults.push(`console: ${text}`);
  });
  return faults;
}

/** Polls until `fact` is true; the last value and `what` tell when it never becomes so. */
export async function until(what: string, fact: () => Promise<boolean> | boolean, withinMs = 15_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    if (await fact()) return;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
