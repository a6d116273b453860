// Packs the package, installs it into an ordinary Next.js application outside of this repository, and looks at what a
// user would: types, a build with Turbopack and one with webpack, a page from the server, the engine in a browser.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const run = promisify(execFile);
const CHROMIUM = process.env.CONCORD_CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--disable-quic'];
const READY_WITHIN_MS = 60_000;
const QUIET = { NEXT_TELEMETRY_DISABLED: '1', npm_config_update_notifier: 'false', npm_config_fund: 'false', npm_config_audit: 'false' };

const started = Date.now();
const say = (text) => console.log(`${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s  ${text}`);

/** Runs a program to its end; what it printed is shown only when it fails. */
async function step(text, program, args, options = {}) {
  say(text);
  try {
    return await run(program, args, { maxBuffer: 1 << 26, ...options, env: { ...process.env, ...QUIET, ...options.env } });
  } catch (error) {
    throw new Error(`${text}: ${program} ${args.join(' ')} failed\n${error.stdout ?? ''}${error.stderr ?? ''}`, { cause: error });
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Polls until the application answers. */
async function answer(address) {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const response = await fetch(address).catch(() => null);
    if (response?.ok) return response.text();
    if (Date.now() > deadline) throw new Error(`${address} did not answer within ${READY_WITHIN_MS} ms`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

function expect(holds, fact) {
  if (!holds) throw new Error(`not so: ${fact}`);
}

/** Stands in for a Concord server: takes what a back end tells, once it has failed. */
async function standIn() {
  const heard = [];
  const server = createHttpServer((request, response) => {
    heard.push(`${request.method} ${request.url} ${String(request.headers.authorization).split('.').length} parts`);
    request.resume().on('end', () => {
      const status = heard.length === 1 ? 503 : 202;
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(status === 202 ? { id: 'v' } : { error: { code: 'overloaded', message: 'Later.' } }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { heard, url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

async function tryApp(app, next, dist, browser) {
  const port = await freePort();
  const concord = await standIn();
  const server = spawn(process.execPath, [next, 'start', '-p', String(port), '-H', '127.0.0.1'], {
    cwd: app, env: { ...process.env, ...QUIET, DIST: dist, CONCORD_URL: concord.url, CONCORD_TOKEN_SECRET: 's'.repeat(32) }, stdio: ['ignore', 'inherit', 'inherit'],
  });
  const address = `http://127.0.0.1:${port}/`;
  try {
    const html = await answer(address);
    expect(/<textarea[^>]*aria-busy="true"/.test(html), 'the server renders the textarea, loading');
    expect(html.includes('loading saved connecting'), 'the server renders the hooks');
    const order = await fetch(`${address}api/orders`, { method: 'POST' });
    expect(order.ok && (await order.json()).orders === 1, 'a route handler tells the server and answers');
    const told = 'POST /api/topics/shop 3 parts';
    expect(concord.heard.join() === [told, told].join(), `it is told again until it is taken: ${concord.heard.join()}`);
    await tryPage(browser, address);
  } finally {
    concord.close();
    server.kill();
    await once(server, 'exit');
  }
}

async function tryPage(browser, address) {
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  const engine = page.waitForResponse((response) => response.url().includes('.wasm'), { timeout: READY_WITHIN_MS });
  await page.goto(address);
  expect((await engine).ok(), 'the bundler ships the engine');
  await page.waitForFunction(() => document.querySelector('textarea')?.getAttribute('autocomplete') === 'off');
  // There is no Concord server behind this page: the client says so and goes on trying.
  await page.waitForFunction(() => /reconnecting|offline/.test(document.querySelector('[role=status]')?.textContent ?? ''));
  expect(errors.length === 0, `the page runs without errors: ${errors.join('; ')}`);
  await page.close();
}

const work = await mkdtemp(join(tmpdir(), 'concord-consumer-'));
let browser;
try {
  await step('build the package', process.execPath, ['build.mjs', '--compile'], { cwd: root });
  const { stdout } = await step('npm pack', 'npm', ['pack', '--json', '--pack-destination', work], { cwd: root });
  const tarball = join(work, JSON.parse(stdout)[0].filename);
  const app = join(work, 'app');
  const listed = (source) => !/node_modules|\.next/.test(source.slice(root.length));
  await cp(join(root, 'test', 'consumer'), app, { recursive: true, filter: listed });
  await step('npm ci', 'npm', ['ci', '--prefer-offline', '--ignore-scripts'], { cwd: app });
  await step('npm install of the package', 'npm', ['install', '--no-save', '--prefer-offline', '--ignore-scripts', tarball], { cwd: app });
  const tsc = join(app, 'node_modules', 'typescript', 'bin', 'tsc');
  // The builds below check the types as bundlers resolve them, without looking into the declarations.
  const flags = ['--strict', '--noEmit', '--skipLibCheck', 'false', '--target', 'es2022', '--lib', 'es2022,dom,dom.iterable', '--types', 'node'];
  await step('types as Node resolves them', process.execPath, [tsc, ...flags, '--ignoreConfig', '--module', 'nodenext', 'entries.ts'], { cwd: app });
  await step('every entry loads in Node', process.execPath, ['--input-type=module', '-e', "for (const entry of ['', '/chat', '/chat/react', '/figures', '/figures/react', '/react', '/server', '/service-worker', '/sw', '/topics', '/topics/react']) await import('@concord/client' + entry)"], { cwd: app });
  const next = join(app, 'node_modules', 'next', 'dist', 'bin', 'next');
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  for (const bundler of ['turbopack', 'webpack']) {
    const dist = `.next-${bundler}`;
    await step(`next build with ${bundler}`, process.execPath, [next, 'build', `--${bundler}`], { cwd: app, env: { DIST: dist } });
    say(`next start of the ${bundler} build`);
    await tryApp(app, next, dist, browser);
  }
  say('the packed package works in an ordinary Next.js application');
} finally {
  await browser?.close();
  await rm(work, { recursive: true, force: true });
}
