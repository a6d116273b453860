'use client';

import { registerServiceWorker } from '@concord/client/service-worker';
import { useEffect } from 'react';
import { toast } from 'sonner';

/** Keeps the app for use without network. A new build is told once and loads when the person wants it. */
export function ServiceWorker() {
  useEffect(() => {
    // `next dev` has no worker file and serves another build every second.
    if (process.env.NODE_ENV !== 'production') return;
    void registerServiceWorker({
      onUpdate: () =>
        toast('A new version is ready.', {
          duration: 30_000,
          action: { label: 'Reload', onClick: () => window.location.reload() },
        }),
    });
  }, []);
  return null;
}
