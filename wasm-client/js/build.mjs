// Builds the package: `node build.mjs` fills dist/ and prints sizes, `--compile` does only the first, `--size` only the
// second; `--test [file…]` runs the tests, `--test-browser [file…]` those that need a browser. The wasm engine is
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
 * What engine, client, textarea binding and the three hooks may weigh together, in bytes after gzip: all that a page loads
 * before its writer can type. Undo, splitting and storage are in it.
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

/** What is loaded when it is needed is no part of a bundle here: it has a line of its own. */
const later = {
  name: 'later',
  setup: (build) => build.onResolve({ filter: /./ }, ({ kind }) => (kind === 'dynamic-import' ? { external: true } : null)),
};

/** Bytes after minify and gzip of one bundle of these entry files, without React and the wasm. */
async function weigh(files) {
  const contents = files.map((file) => `export * from ${JSON.stringify(join(root, 'src', file))};`).join('\n');
  const result = await build({
    stdin: { contents, resolveDir: root },
    bundle: true, minify: true, write: false, format: 'esm', target: 'es2022', jsx: 'automatic',
    external: ['react', 'react/jsx-runtime', 'react-dom'], plugins: [later], logLevel: 'warning',
  });
  return gzipSync(result.outputFiles[0].contents, { level: 9 }).length;
}

async function report(enforce) {
  const line = (name, bytes) => console.log(`${name.padEnd(52)} ${(bytes / 1024).toFixed(1).padStart(6)} KB gzip`);
  const wasm = existsSync(WASM) ? gzipSync(readFileSync(WASM), { level: 9 }).length : 0;
  if (wasm === 0) console.error('no wasm engine in wasm/: run `cargo xtask wasm` first; sizes are without it');
  line('engine (wasm)', wasm);
  for (const entry of ['index.ts', 'react.tsx', 'rest.ts', 'service-worker.ts']) line(`entry ${entry}`, await weigh([entry]));
  const total = wasm + (await weigh(['index.ts', 'react.tsx']));
  // A bundle of its own: what it shares with the others is counted twice.
  const others = await weigh(['overlay.ts']);
  line('engine + client + textarea + hooks', total);
  line("others' carets (loaded with the first other person)", others);
  line('both', total + others);
  if (total <= BUDGET_BYTES) return;
  console.error(`the client weighs ${total} bytes after gzip, its budget is ${BUDGET_BYTES}`);
  if (enforce) process.exitCode = 1;
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
else if (mode === '--size') await report(true);
else {
  await compile();
  await report(false);
}
