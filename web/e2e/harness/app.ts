// The exported app over HTTP without a server behind it, for pages whose data a test makes up: it maps addresses as
// collab-server does and sends the same content security policy.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

export const OUT = process.env.CONCORD_WEB_DIR ?? path.resolve(import.meta.dirname, '../../out');

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
};

/** The hashes of all inline scripts of the export. */
function scriptHashes(): string[] {
  const hashes = new Set<string>();
  for (const name of readdirSync(OUT).filter((file) => file.endsWith('.html'))) {
    const html = readFileSync(path.join(OUT, name), 'utf8');
    for (const [, attributes = '', body = ''] of html.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)) {
      if (!/\ssrc=/.test(attributes)) hashes.add(`'sha256-${createHash('sha256').update(body).digest('base64')}'`);
    }
  }
  return [...hashes];
}

function policy(): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'wasm-unsafe-eval' ${scriptHashes().join(' ')}`,
    "style-src 'self' 'unsafe-inline'",
    "font-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function fileFor(address: string): { file: string; status: number } {
  if (/^\/d\/[^/]+\/?$/.test(address)) return { file: path.join(OUT, 'd.html'), status: 200 };
  const wanted = path.join(OUT, path.normalize(address));
  for (const file of [wanted, `${wanted}.html`, path.join(wanted, 'index.html')]) {
    if (file.startsWith(OUT) && existsSync(file) && statSync(file).isFile()) return { file, status: 200 };
  }
  return { file: path.join(OUT, '404.html'), status: 404 };
}

/** Serves `web/out`. The API answers 502 unless a test routes it. */
export async function serveApp(): Promise<{ url: string; close(): void }> {
  if (!existsSync(path.join(OUT, 'index.html'))) throw new Error('web/out is missing: run "npm run build" in web/ first');
  const csp = policy();
  const server = createServer((request, response) => {
    const address = decodeURIComponent(new URL(request.url ?? '/', 'http://app').pathname);
    if (address.startsWith('/api/')) return void response.writeHead(502).end();
    const { file, status } = fileFor(address);
    response.writeHead(status, {
      'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
      'content-security-policy': csp,
    });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
