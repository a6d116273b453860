import path from 'node:path';
import type { NextConfig } from 'next';
import { PHASE_DEVELOPMENT_SERVER } from 'next/constants';

/** Where `next dev` finds the API, its WebSocket included. */
const serverUrl = process.env.CONCORD_SERVER_URL ?? 'http://127.0.0.1:8080';

/** The state gallery is a page of development builds, or of exports that ask for it. */
const galleryWanted = (phase: string) =>
  phase === PHASE_DEVELOPMENT_SERVER || process.env.CONCORD_GALLERY === '1';

export default function config(phase: string): NextConfig {
  const shared: NextConfig = {
    reactStrictMode: true,
    poweredByHeader: false,
    devIndicators: false,
    pageExtensions: ['tsx', 'ts', ...(galleryWanted(phase) ? ['gallery.tsx'] : [])],
    images: { unoptimized: true },
    transpilePackages: ['@concord/client'],
    // The package lies beside this folder, so module resolution must start above it.
    turbopack: { root: path.join(import.meta.dirname, '..') },
  };
  if (phase !== PHASE_DEVELOPMENT_SERVER) {
    return { ...shared, output: 'export' };
  }
  return {
    ...shared,
    rewrites: async () => [
      { source: '/api/:path*', destination: `${serverUrl}/api/:path*` },
      { source: '/d/:id', destination: '/d' },
    ],
  };
}
