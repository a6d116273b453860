import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import vm from 'node:vm';
import { addressOf, buildServiceWorker } from '../src/sw.js';

type Files = Record<string, string>;

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function exported(files: Files): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'concord-sw-'));
  folders.push(folder);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

const APP: Files = {
  'index.html': 'home', 'd.html': 'editor', '404.html': 'lost', '_next/static/a.js': 'a1', 'icon.svg': 'icon',
  '_next/static/greek.woff2': 'letters', 'csp.json': '{}', '_next/static/a.js.map': 'map',
};

/** Runs generated workers against one browser's caches and one server's files. */
class Browser {
  files: Files;
  online = true;
  status = 200;
  fetched: string[] = [];
  windows: string[] = [];
  caches = new Map<string, Map<string, Response>>();
  /** The worker file that the server has now. */
  published = '';
  installing: object | null = null;
  onFetch: (path: string) => Promise<void> = async () => {};

  constructor(files: Files) {
    this.files = files;
  }

  readonly #serve = async (request: Request | string): Promise<Response> => {
    const path = typeof request === 'string' ? request : new URL(request.url).pathname;
    if (path === 'https://app.test/sw.js') return new Response(this.published);
    this.fetched.push(path);
    await this.onFetch(path);
    if (!this.online) throw new TypeError('no network');
    if (this.status !== 200) return new Response('trouble', { status: this.status });
    const name = path === '/' ? 'index.html' : path.startsWith('/d/') ? 'd.html' : path.slice(1);
    const content = this.files[name] ?? this.files[`${name}.html`];
    return content === undefined ? new Response('none', { status: 404 }) : new Response(content);
  };

  #cache(name: string): unknown {
    const entries = this.caches.get(name) ?? new Map<string, Response>();
    this.caches.set(name, entries);
    return {
      match: async (path: string) => entries.get(path)?.clone(),
      put: async (path: string, response: Response) => void entries.set(path, response),
    };
  }

  /** Installs and activates the worker of a build; the answer sends requests through it. */
  async start(folder: string): Promise<Worker> {
    await buildServiceWorker(folder);
    const code = await readFile(join(folder, 'sw.js'), 'utf8');
    this.published ||= code;
    const listeners: Record<string, (event: unknown) => void> = {};
    const registration = Object.defineProperty({}, 'installing', { get: () => this.installing });
    const scope = {
      registration,
      location: { origin: 'https://app.test', href: 'https://app.test/sw.js' },
      caches: {
        open: async (name: string) => this.#cache(name),
        keys: async () => [...this.caches.keys()],
        delete: async (name: string) => this.caches.delete(name),
      },
      clients: { matchAll: async () => this.windows.map((id) => ({ id })), claim: async () => {} },
      fetch: this.#serve,
      skipWaiting: async () => {},
      addEventListener: (type: string, run: (event: unknown) => void) => (listeners[type] = run),
    };
    vm.runInNewContext(code, { self: scope, Response, URL, setTimeout, clearTimeout });
    const worker = new Worker(listeners);
    await worker.tell('install');
    await worker.tell('activate');
    return worker;
  }
}

class Worker {
  constructor(readonly listeners: Record<string, (event: unknown) => void>) {}

  async tell(type: string): Promise<void> {
    const work: Promise<unknown>[] = [];
    this.listeners[type]?.({ waitUntil: (one: Promise<unknown>) => work.push(one) });
    await Promise.all(work);
  }

  /** The body, `null` when the worker leaves the request to the browser. */
  async ask(path: string, { navigate = false, ...init }: RequestInit & { navigate?: boolean } = {}): Promise<string | null> {
    const request = new Request(new URL(path, 'https://app.test'), init);
    if (navigate) Object.defineProperty(request, 'mode', { value: 'navigate' });
    let answer: Promise<Response> | undefined;
    const work: Promise<unknown>[] = [];
    this.listeners['fetch']?.({
      request,
      respondWith: (one: Promise<Response>) => (answer = one),
      waitUntil: (one: Promise<unknown>) => work.push(one),
    });
    const response = await answer;
    await Promise.all(work);
    return response ? response.text() : null;
  }

  page(path: string): Promise<string | null> {
    return this.ask(path, { navigate: true });
  }
}

describe('the list of files', () => {
  it('names pages as the server serves them', () => {
    const table = { 'index.html': '/', 'd.html': '/d', 'd/index.html': '/d', 'a/b c.js': '/a/b%20c.js', 'index.txt': '/index.txt' };
    for (const [path, address] of Object.entries(table)) assert.equal(addressOf(path), address);
  });

  it('changes with any content and with nothing else', async () => {
    const first = await buildServiceWorker(await exported(APP));
    const same = await buildServiceWorker(await exported({ ...APP, 'csp.json': '{"other":1}' }));
    const other = await buildServiceWorker(await exported({ ...APP, 'icon.svg': 'new' }));
    assert.equal(first.build, same.build);
    assert.notEqual(first.build, other.build);
    assert.equal(first.files, 6);
  });

  it('wants the pages that its shells name', async () => {
    await assert.rejects(buildServiceWorker(await exported({ 'index.html': 'home' })), /no page \/d /);
  });
});

describe('the worker', () => {
  it('answers every page without network, documents from their shell', async () => {
    const browser = new Browser(APP);
    const worker = await browser.start(await exported(APP));
    browser.online = false;
    assert.equal(await worker.page('/'), 'home');
    assert.equal(await worker.page('/d/0123abcd'), 'editor');
    assert.equal(await worker.page('/d/0123abcd?from=mail'), 'editor');
    assert.equal(await worker.page('/elsewhere'), 'lost');
    assert.equal(await worker.ask('/_next/static/a.js'), 'a1');
  });

  it('prefers the network for pages', async () => {
    const browser = new Browser(APP);
    const worker = await browser.start(await exported(APP));
    browser.files = { ...APP, 'd.html': 'newer editor' };
    assert.equal(await worker.page('/d/0123abcd'), 'newer editor');
  });

  it('shows the stored page while the server is in trouble', async () => {
    const browser = new Browser(APP);
    const worker = await browser.start(await exported(APP));
    browser.status = 503;
    assert.equal(await worker.page('/d/0123abcd'), 'editor');
  });

  it('leaves the API, other methods, other origins and ranges alone', async () => {
    const worker = await new Browser(APP).start(await exported(APP));
    assert.equal(await worker.ask('/api/documents'), null);
    assert.equal(await worker.page('/api/documents'), null);
    assert.equal(await worker.ask('/sw.js'), null);
    assert.equal(await worker.ask('/', { method: 'POST' }), null);
    assert.equal(await worker.ask('https://elsewhere.test/a.js'), null);
    assert.equal(await worker.ask('/icon.svg', { headers: { range: 'bytes=0-1' } }), null);
  });

  it('stores fonts when they are first used', async () => {
    const browser = new Browser(APP);
    const worker = await browser.start(await exported(APP));
    assert.ok(!browser.fetched.includes('/_next/static/greek.woff2'));
    await worker.ask('/_next/static/greek.woff2');
    browser.online = false;
    assert.equal(await worker.ask('/_next/static/greek.woff2'), 'letters');
  });

  it('is not installed by half', async () => {
    const browser = new Browser({ ...APP });
    const folder = await exported(APP);
    delete browser.files['_next/static/a.js'];
    await assert.rejects(browser.start(folder), /a\.js answered 404/);
  });

  it('is not installed from two builds, when another one is published while it loads', async () => {
    const browser = new Browser({ ...APP, 'd.html': 'editor of the next build' });
    browser.published = 'the worker of the next build';
    await assert.rejects(browser.start(await exported(APP)), /another build/);
  });

  it('takes what has not changed from the build before', async () => {
    const browser = new Browser(APP);
    await browser.start(await exported(APP));
    browser.fetched = [];
    const next = { ...APP, 'd.html': 'editor 2', '_next/static/b.js': 'b' };
    browser.files = next;
    browser.published = '';
    await browser.start(await exported(next));
    assert.deepEqual(browser.fetched.sort(), ['/_next/static/b.js', '/d']);
  });

  it('a page opened while the next build is being stored takes nothing of it away', async () => {
    const browser = new Browser(APP);
    const worker = await browser.start(await exported(APP));
    browser.files = { ...APP, 'd.html': 'editor 2' };
    browser.published = '';
    browser.onFetch = async (path) => {
      if (path === '/d') await worker.page('/');
    };
    browser.installing = {};
    const next = await browser.start(await exported(browser.files));
    browser.installing = null;
    browser.online = false;
    assert.equal(await next.page('/d/1'), 'editor 2');
    assert.equal(await next.ask('/_next/static/a.js'), 'a1');
  });

  it('keeps an older build until its last window is gone', async () => {
    const browser = new Browser(APP);
    await browser.start(await exported(APP));
    browser.windows = ['old tab'];
    const next: Files = { 'index.html': 'home 2', 'd.html': 'editor 2', '404.html': 'lost', '_next/static/b.js': 'b' };
    browser.files = next;
    browser.published = '';
    const worker = await browser.start(await exported(next));
    assert.equal(await worker.ask('/_next/static/a.js'), 'a1', 'the old tab still loads its parts');
    browser.windows = ['old tab', 'new tab'];
    await worker.page('/');
    assert.equal(browser.caches.size, 2);
    browser.windows = ['new tab'];
    await worker.page('/');
    assert.equal(browser.caches.size, 1);
    browser.online = false;
    assert.equal(await worker.page('/d/1'), 'editor 2');
  });
});
