// Builds the package: `node build.mjs` fills dist/ and prints sizes, `--compile` does only the first, `--size` only the
// second and holds the client to its budget (`--size prebuilt` tells only by how much it is over); `--test [file…]` runs the tests, `--test-browser [file…]` those that need a browser, `--bench-browser` what it takes there. The wasm engine is
// expected in wasm/ (`cargo xtask wasm`).
import { build } from 'esbuild';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = dirname(fileURLToPath(import.meta.url));
const WASM = join(root, 'wasm', 'wasm_client_bg.wasm');
/**
 * What engine, client, textarea binding with others' carets, and the three hooks may weigh together, in bytes after gzip:
 * all that a writer's page ever loads of them. Undo, splitting and storage are in it.
 */
const BUDGET_BYTES = 40 * 1024;

const sources = (folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .map((name) => join(root, folder, String(name)))
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts'));

// File by file: module names, "use client" and tree shaking stay as written.
const transpile = (files, outdir, outbase) =>
  build({ entryPoints: files, outdir, outbase, format: 'esm', target: 'es2022', jsx: 'automatic', sourcemap: 'linked', logLevel: 'warning' });

async function compile() {
  const dist = join(root, 'dist');
  rmSync(dist, { recursive: true, force: true });
  await transpile(sources('src'), dist, join(root, 'src'));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json'], { cwd: root, stdio: 'inherit' });
}

/** What a page loads only where its network wants it; it has a line of its own. */
const ON_DEMAND = ['./fallback.js'];

/**
 * Bytes after minify and gzip of one bundle of these entry files, without React, the wasm and what is loaded on demand.
 */
async function weigh(files) {
  const contents = files.map((file) => `export * from ${JSON.stringify(join(root, 'src', file))};`).join('\n');
  const result = await build({
    stdin: { contents, resolveDir: root },
    bundle: true, splitting: true, outdir: 'out', minify: true, write: false, format: 'esm', target: 'es2022', jsx: 'automatic',
    external: ['react', 'react/jsx-runtime', 'react-dom', ...ON_DEMAND], logLevel: 'warning',
  });
  return result.outputFiles.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0);
}

/** Prints all sizes. `enforce`: a client over its budget is a failure. */
async function report({ enforce = false, prebuilt = false } = {}) {
  const line = (name, bytes) => console.log(`${name.padEnd(52)} ${(bytes / 1024).toFixed(1).padStart(6)} KB gzip`);
  const wasm = existsSync(WASM) ? gzipSync(readFileSync(WASM), { level: 9 }).length : 0;
  if (wasm === 0) console.error('no wasm engine in wasm/: run `cargo xtask wasm` first; sizes are without it');
  line('engine (wasm)', wasm);
  for (const entry of ['index.ts', 'react.tsx', 'chat.ts', 'chat-react.tsx', 'notifications.ts', 'notifications-react.tsx', 'report.ts', 'rest.ts', 'topics.ts', 'topics-react.tsx', 'figures.ts', 'figures-react.tsx', 'server.ts', 'service-worker.ts', 'fallback.ts']) line(`entry ${entry}`, await weigh([entry]));
  const total = wasm + (await weigh(['index.ts', 'react.tsx']));
  line("engine + client + textarea, others' carets + hooks", total);
  const over = total - BUDGET_BYTES;
  console.log(`budget ${BUDGET_BYTES} bytes, ${Math.abs(over)} ${over > 0 ? 'over' : 'left'}`);
  if (over <= 0) return;
  console.error(`the client weighs ${total} bytes after gzip, its budget is ${BUDGET_BYTES}`);
  if (prebuilt) console.error('the budget is for an engine built with the standard library from source: rustup component add rust-src');
  else if (enforce) process.exitCode = 1;
}

async function test(names, { out = join(root, '.test'), suffix = '.test.js', jobs = [] } = {}) {
  rmSync(out, { recursive: true, force: true });
  await transpile([...sources('src'), ...sources('test')], out, root);
  const tests = readdirSync(join(out, 'test'), { recursive: true })
    .map((name) => join(out, 'test', String(name)))
    .filter((name) => name.endsWith(suffix) && (names.length === 0 || names.some((part) => name.includes(part))));
  // src/engine imports ../wasm; the compiled copy sits one folder deeper.
  const { symlinkSync } = await import('node:fs');
  if (existsSync(join(root, 'wasm'))) symlinkSync(join(root, 'wasm'), join(out, 'wasm'), 'dir');
  const run = spawnSync(process.execPath, ['--enable-source-maps', '--test', '--test-reporter=spec', ...jobs, ...tests], { cwd: root, stdio: 'inherit' });
  process.exitCode = run.status ?? 1;
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === '--test') await test(rest);
// In a real browser, one suite after the other: `test/browser/*.spec.ts`.
else if (mode === '--test-browser') {
  await test(rest, { out: join(root, '.test-browser'), suffix: '.spec.js', jobs: ['--test-concurrency=1'] });
}
// Figures of a real browser: `test/browser/*.bench.ts`.
else if (mode === '--bench-browser') {
  await test(rest, { out: join(root, '.test-browser'), suffix: '.bench.js', jobs: ['--test-concurrency=1'] });
}
else if (mode === '--size') await report({ enforce: true, prebuilt: rest[0] === 'prebuilt' });
else {
  await compile();
  await report();
}
