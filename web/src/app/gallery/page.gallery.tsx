import type { Metadata } from 'next';
import { Gallery } from '@/components/gallery/Gallery';

export const metadata: Metadata = { title: 'State gallery' };

export default function Page() {
  return <Gallery />;
}
