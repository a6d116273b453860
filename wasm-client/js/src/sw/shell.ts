/**
 * The service worker itself: keeps one build of an app in a cache so that a reload works without network.
 *
 * `buildServiceWorker` writes this class as text into `sw.js`, so it may use nothing from outside itself.
 */

/** What a build consists of; written by `buildServiceWorker`. */
export interface Manifest {
  /** Names this build; another content has another one. */
  build: string;
  /** Every file by the address it is fetched from, with a hash of its content. */
  files: Record<string, string>;
  /** Files that are stored when first used: alphabets of fonts that most people never see. */
  lazy: string[];
  /** The page that answers addresses which begin like this, as `['/d/', '/d']` for `/d/<id>`. */
  shells: [prefix: string, page: string][];
  /** What a page without network and cache entry gets, if anything. */
  fallback: string | null;
  /** Addresses that begin like this always go to the network. */
  network: string[];
}

/** The part of the worker's surroundings that is used. */
export interface WorkerScope {
  readonly location: { readonly origin: string; readonly href: string };
  readonly registration: { readonly installing: object | null; readonly waiting: object | null };
  readonly caches: CacheStorage;
  readonly clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: true }): Promise<readonly { readonly id: string }[]>;
    claim(): Promise<void>;
  };
  fetch(request: Request | string, init?: RequestInit): Promise<Response>;
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', run: (event: Extendable) => void): void;
  addEventListener(type: 'fetch', run: (event: FetchLike) => void): void;
}

export interface Extendable {
  waitUntil(work: Promise<unknown>): void;
}

export interface FetchLike extends Extendable {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

export class Shell {
  /** A slow network is given this long before the cached page is shown. */
  static PAGE_TIMEOUT_MS = 4_000;
  static PARALLEL = 6;
  static PREFIX = 'concord-shell-';
  /** Where the cache keeps the ids of the windows that were open when its build took over. */
  static TENANTS = '/.concord-tenants';

  constructor(
    readonly scope: WorkerScope,
    readonly manifest: Manifest,
  ) {}

  start(): this {
    this.scope.addEventListener('install', (event) => event.waitUntil(this.install()));
    this.scope.addEventListener('activate', (event) => event.waitUntil(this.activate()));
    this.scope.addEventListener('fetch', (event) => this.answer(event));
    return this;
  }

  get name(): string {
    return Shell.PREFIX + this.manifest.build;
  }

  /** Stores the whole build or fails: half a build is never used. Unchanged files are taken from an older one. */
  async install(): Promise<void> {
    const cache = await this.scope.caches.open(this.name);
    const older = await this.olderFiles();
    const waiting = Object.entries(this.manifest.files);
    const work = async (): Promise<void> => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        const [path, hash] = next;
        const kept = await older.get(`${path} ${hash}`)?.match(path);
        if (kept || !this.manifest.lazy.includes(path)) await cache.put(path, kept ?? (await this.download(path)));
      }
    };
    await Promise.all(Array.from({ length: Shell.PARALLEL }, work));
    // A build published while this one was loading may have answered some of it; its own worker comes next.
    const published = await this.scope.fetch(this.scope.location.href, { cache: 'no-store' });
    if (!(await published.text()).includes(this.manifest.build)) throw new Error('another build was published meanwhile');
    await cache.put(`${Shell.TENANTS}.files`, Response.json(this.manifest.files));
    await this.scope.skipWaiting();
  }

  async download(path: string): Promise<Response> {
    const response = await this.scope.fetch(path, { cache: 'no-cache', credentials: 'same-origin' });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    // A redirected response may not answer a navigation.
    return response.redirected ? new Response(response.body, { headers: response.headers }) : response;
  }

  /** Files of earlier builds by address and hash. */
  async olderFiles(): Promise<Map<string, Cache>> {
    const found = new Map<string, Cache>();
    for (const name of await this.olderNames()) {
      const cache = await this.scope.caches.open(name);
      const list = await cache.match(`${Shell.TENANTS}.files`);
      if (!list) continue;
      for (const [path, hash] of Object.entries((await list.json()) as Record<string, string>)) {
        found.set(`${path} ${hash}`, cache);
      }
    }
    return found;
  }

  async olderNames(): Promise<string[]> {
    const names = await this.scope.caches.keys();
    return names.filter((name) => name.startsWith(Shell.PREFIX) && name !== this.name);
  }

  async windows(): Promise<string[]> {
    const open = await this.scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
    return open.map(({ id }) => id);
  }

  /** Windows of earlier builds stay open and may still load their own parts: their ids are noted. */
  async activate(): Promise<void> {
    const cache = await this.scope.caches.open(this.name);
    await cache.put(Shell.TENANTS, Response.json(await this.windows()));
    await this.scope.clients.claim();
    await this.prune();
  }

  /** Drops earlier builds once every window that was open when this one took over is gone. */
  async prune(): Promise<void> {
    const older = await this.olderNames();
    // One of them may be the next build, half stored.
    const { installing, waiting } = this.scope.registration;
    if (older.length === 0 || installing || waiting) return;
    const cache = await this.scope.caches.open(this.name);
    const noted = await cache.match(Shell.TENANTS);
    const tenants = noted ? ((await noted.json()) as string[]) : [];
    const open = await this.windows();
    if (tenants.some((id) => open.includes(id))) return;
    await Promise.all(older.map((name) => this.scope.caches.delete(name)));
  }

  answer(event: FetchLike): void {
    const { request } = event;
    const { origin, pathname } = new URL(request.url);
    const foreign = origin !== this.scope.location.origin;
    if (foreign || request.method !== 'GET' || request.headers.has('range')) return;
    if (this.manifest.network.some((prefix) => pathname.startsWith(prefix))) return;
    if (request.mode === 'navigate') {
      event.respondWith(this.page(request, pathname));
      event.waitUntil(this.prune());
    } else {
      event.respondWith(this.part(request, pathname));
    }
  }

  /** Network first, so that people get the newest build; a server that is down or slow does not matter. */
  async page(request: Request, pathname: string): Promise<Response> {
    const stored = this.stored(this.pageOf(pathname));
    const network = this.scope.fetch(request).then(
      (response) => (response.status >= 500 ? null : response),
      () => null,
    );
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((done) => {
      timer = setTimeout(() => done(null), Shell.PAGE_TIMEOUT_MS);
    });
    const fresh = await Promise.race([network, late]);
    clearTimeout(timer);
    return fresh ?? (await stored) ?? (await network) ?? (await this.lost());
  }

  /** The stored address that answers a page's address. */
  pageOf(pathname: string): string {
    const plain = pathname.length > 1 ? pathname.replace(/\/$/, '') : pathname;
    if (plain in this.manifest.files) return plain;
    const shell = this.manifest.shells.find(([prefix]) => plain.startsWith(prefix));
    return shell ? shell[1] : plain;
  }

  async lost(): Promise<Response> {
    const page = this.manifest.fallback === null ? undefined : await this.stored(this.manifest.fallback);
    return page ? new Response(page.body, { status: 404, headers: page.headers }) : Response.error();
  }

  /** Scripts, styles, fonts: their names carry their content, so the cache is right and earlier builds answer too. */
  async part(request: Request, pathname: string): Promise<Response> {
    const stored = await this.stored(pathname);
    if (stored) return stored;
    const response = await this.scope.fetch(request);
    if (response.ok && pathname in this.manifest.files) {
      const cache = await this.scope.caches.open(this.name);
      // Without room on the device the file is simply not kept.
      await cache.put(pathname, response.clone()).catch(() => undefined);
    }
    return response;
  }

  async stored(path: string): Promise<Response | undefined> {
    const options = { ignoreVary: true };
    const own = await this.scope.caches.open(this.name);
    const found = await own.match(path, options);
    if (found) return found;
    for (const name of (await this.olderNames()).reverse()) {
      const older = await (await this.scope.caches.open(name)).match(path, options);
      if (older) return older;
    }
    return undefined;
  }
}
