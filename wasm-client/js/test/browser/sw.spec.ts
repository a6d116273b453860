/** The service worker in a real browser: the server stops, the app still opens. */
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { chromium, type Browser } from 'playwright-core';
import { buildServiceWorker } from '../../src/sw.js';
import { CHROMIUM, FLAGS } from './browser.js';

let browser: Browser;
let folder: string;
let server: Server;
let port = 0;

/** As the product's server maps addresses. */
async function answer(path: string): Promise<Buffer | null> {
  const name = path === '/' ? 'index.html' : path.startsWith('/d/') ? 'd.html' : path.slice(1);
  for (const file of [name, `${name}.html`]) {
    const content = await readFile(join(folder, file)).catch(() => null);
    if (content) return content;
  }
  return null;
}

async function listen(): Promise<void> {
  server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    void answer(path).then((content) => {
      response.statusCode = content ? 200 : 404;
      response.setHeader('cache-control', 'no-store');
      response.setHeader('content-type', path.endsWith('.js') ? 'text/javascript' : 'text/html');
      response.end(content ?? 'none');
    });
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
}

async function stop(): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

async function publish(name: string): Promise<void> {
  const page = `<!doctype html><title>${name}</title><script type="module" src="/app.js"></script>`;
  for (const file of ['index.html', 'd.html', '404.html']) await writeFile(join(folder, file), page);
  await writeFile(join(folder, `part-${name}.js`), `export const part = '${name}';`);
  await buildServiceWorker(folder);
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'concord-app-'));
  const script = await build({
    stdin: { contents: "import { registerServiceWorker } from './src/service-worker.ts'; window.ready = registerServiceWorker({ onUpdate: () => (window.updated = true) });", resolveDir: '.' },
    bundle: true, format: 'esm', outfile: join(folder, 'app.js'), logLevel: 'warning',
  });
  assert.equal(script.errors.length, 0);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
});

after(async () => {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
});

it('a document opens while the server is gone, and a new build replaces the old one behind open tabs', async () => {
  await publish('one');
  await listen();
  const context = await browser.newContext();
  const page = await context.newPage();
  const address = `http://127.0.0.1:${port}/d/0123456789abcdef`;
  await page.goto(address);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);

  await stop();
  await page.reload();
  assert.equal(await page.title(), 'one');

  await listen();
  await publish('two');
  await rm(join(folder, 'part-one.js'));
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update().then(() => null));
  await page.waitForFunction(() => 'updated' in window);
  await stop();
  const part = await page.evaluate(async (path) => ((await import(path)) as { part: string }).part, '/part-one.js');
  assert.equal(part, 'one', 'the open tab still loads parts of its own build');
  await page.reload();
  assert.equal(await page.title(), 'two');
  await page.waitForFunction(async () => (await caches.keys()).length === 1);
  await context.close();
});
