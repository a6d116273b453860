import type { Metadata } from 'next';
import { Message } from '@/components/Message';

export const metadata: Metadata = { title: 'Not found' };

export default function NotFound() {
  return (
    <main className="flex min-h-dvh items-center">
      <Message heading="h1" title="There is nothing at this address" detail="The link may be incomplete. Your documents are where they were.">
        <a
          href="/"
          className="inline-flex h-9 items-center rounded-control bg-accent px-4 font-medium text-on-accent hover:bg-accent-strong touch:h-11"
        >
          My documents
        </a>
      </Message>
    </main>
  );
}
