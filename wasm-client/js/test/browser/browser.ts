/** A real Chromium on a page that a local server bundles; one page per test. */
import { build } from 'esbuild';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium, type Browser, type BrowserContextOptions, type CDPSession, type Page } from 'playwright-core';

export const CHROMIUM = process.env['CONCORD_CHROMIUM'] ?? '/usr/bin/chromium';
export const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--no-first-run', '--disable-quic',
];
const HTML = '<!doctype html><meta charset="utf-8"><title>stage</title><body><script type="module" src="/stage.js"></script>';
/** As strict as a careful application's. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'";

export class Theatre {
  #server: Server | undefined;
  #browser: Browser | undefined;
  #address = '';

  /** `page` is the script that the page runs; with `wasm`, the engine is there too, and clocks are as fine as they can be. */
  async open({ scrollBars = false, page = 'stage', wasm }: { scrollBars?: boolean; page?: 'stage' | 'speed'; wasm?: Buffer } = {}): Promise<void> {
    const bundle = await build({
      entryPoints: [`test/browser/${page}.ts`],
      bundle: true, write: false, format: 'esm', target: 'es2022', logLevel: 'warning',
    });
    const script = bundle.outputFiles[0]?.text ?? '';
    this.#server = createServer((request, response) => {
      const isScript = request.url === '/stage.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.setHeader('content-security-policy', wasm ? POLICY.replace("script-src 'self'", "$& 'wasm-unsafe-eval'") : POLICY);
      if (wasm) {
        response.setHeader('cross-origin-opener-policy', 'same-origin');
        response.setHeader('cross-origin-embedder-policy', 'require-corp');
        if (request.url === '/engine.wasm') {
          response.setHeader('content-type', 'application/wasm');
          response.end(wasm);
          return;
        }
      }
      response.end(isScript ? script : HTML);
    }).listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#address = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
    this.#browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: FLAGS,
      ...(scrollBars ? { ignoreDefaultArgs: ['--hide-scrollbars'] } : {}),
    });
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  /** A fresh page; an error in it fails the test. */
  async play(run: (page: Page, devtools: CDPSession) => Promise<void>, options: BrowserContextOptions = {}): Promise<void> {
    if (!this.#browser) throw new Error('open() first');
    const context = await this.#browser.newContext({ viewport: { width: 900, height: 700 }, ...options });
    const page = await context.newPage();
    const errors: unknown[] = [];
    page.on('pageerror', (error) => errors.push(error));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('favicon')) errors.push(message.text());
    });
    try {
      await page.goto(this.#address);
      await page.waitForFunction(() => 'stage' in window || 'speed' in window);
      await run(page, await context.newCDPSession(page));
      if (errors.length > 0) throw new AggregateError(errors, `the page reported: ${errors.join('; ')}`);
    } finally {
      await context.close();
    }
  }
}
