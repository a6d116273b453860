/**
 * Writes the service worker of an exported app: `buildServiceWorker('out')` after the build, or `npx concord-sw out`.
 * For Node; the page's half is `@concord/client/service-worker`.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, Shell } from './sw/shell.js';

export interface ServiceWorkerOptions {
  /** File name in the folder; `sw.js` by default. A worker speaks for the addresses beside and below it. */
  file?: string;
  /** Which page answers addresses that begin with a prefix; `{ '/d/': '/d' }` by default. */
  shells?: Record<string, string>;
  /** Addresses that are never answered from the cache; `['/api/', '/health/', '/metrics']` by default. */
  network?: string[];
  /** Files to store only when first used, by their path in the folder; fonts by default. */
  lazy?: (path: string) => boolean;
  /** Files to leave out, by their path in the folder. */
  ignore?: (path: string) => boolean;
}

/** What was written. */
export interface ServiceWorkerBuild {
  file: string;
  build: string;
  files: number;
  bytes: number;
}

const IGNORED = /(^|\/)\.|\.map$|^csp\.json$|^_headers$|^_redirects$/;
const hashOf = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex').slice(0, 16);

/** Where a server that serves exported pages without their extension offers a file. */
export function addressOf(path: string): string {
  const address = `/${path.split('/').map(encodeURIComponent).join('/')}`;
  if (address === '/index.html') return '/';
  return address.replace(/(\/index)?\.html$/, '');
}

/**
 * Lists every file of an exported app with its hash and writes a service worker that keeps them.
 *
 * The worker answers pages from the network first and from its cache when that fails, everything else of the build
 * from its cache. A new build replaces an old one once no window of the old one is left.
 */
export async function buildServiceWorker(outDir: string, options: ServiceWorkerOptions = {}): Promise<ServiceWorkerBuild> {
  const { file = 'sw.js', shells = { '/d/': '/d' }, network = ['/api/', '/health/', '/metrics'] } = options;
  const { lazy = (path: string): boolean => /\.(woff2?|ttf|otf)$/.test(path), ignore } = options;
  const paths: string[] = [];
  for (const name of await readdir(outDir, { recursive: true })) {
    const path = name.replaceAll('\\', '/');
    if (path === file || IGNORED.test(path) || ignore?.(path)) continue;
    if ((await stat(join(outDir, name))).isFile()) paths.push(path);
  }
  paths.sort();
  const files: Record<string, string> = {};
  let bytes = 0;
  for (const path of paths) {
    const content = await readFile(join(outDir, path));
    files[addressOf(path)] = hashOf(content);
    bytes += content.length;
  }
  for (const page of Object.values(shells)) {
    if (!(page in files)) throw new Error(`no page ${page} in ${outDir}: build the app first, or name other shells`);
  }
  const fallback = '/404' in files ? '/404' : null;
  const rest = { files, lazy: paths.filter(lazy).map(addressOf), shells: Object.entries(shells), fallback, network: [...network, `/${file}`] };
  const manifest: Manifest = { build: hashOf(JSON.stringify(rest)), ...rest };
  const code = `// The app's files, kept for use without network. Generated.\n'use strict';\nnew (${Shell.toString()})(self, ${JSON.stringify(manifest)}).start();\n`;
  await writeFile(join(outDir, file), code);
  return { file: join(outDir, file), build: manifest.build, files: paths.length, bytes };
}
