import type { Metadata } from 'next';
import { EditorPage } from '@/components/EditorPage';

export const metadata: Metadata = { title: 'Document' };

export default function Page() {
  return <EditorPage />;
}
