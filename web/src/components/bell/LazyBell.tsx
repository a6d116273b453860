'use client';

import { Bell as BellIcon } from 'lucide-react';
import dynamic from 'next/dynamic';

/** The bell comes behind what a page is for; its place is kept. */
export const Bell = dynamic(() => import('./Bell').then((module) => module.Bell), {
  ssr: false,
  loading: () => (
    <span aria-hidden className="inline-flex size-8 shrink-0 items-center justify-center text-muted touch:size-11">
      <BellIcon size={16} />
    </span>
  ),
});
