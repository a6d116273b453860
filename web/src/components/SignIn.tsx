'use client';

import { LogIn } from 'lucide-react';
import type { SignedOut } from '@/data/signed-in';
import { Button } from './Button';
import { Message } from './Message';

interface SignInProps {
  signedOut: SignedOut;
  onRetry(): void;
}

const NO_PLACE = 'Open the page that you came from and sign in there, then come back.';

/** Instead of a page whose content is only for people the server knows. */
export function SignInPage({ signedOut, onRetry, heading = 'h1' }: SignInProps & { heading?: 'h1' | 'h2' }) {
  return (
    <Message mark heading={heading} title="Sign in to go on" detail={signedOut.url ? 'Only people who are signed in can see this page.' : `Only people who are signed in can see this page. ${NO_PLACE}`}>
      <Actions signedOut={signedOut} onRetry={onRetry} />
    </Message>
  );
}

/** Above a text that is still here, and can be written on with: what is written is kept until it can be sent. */
export function SignInStrip({ signedOut, onRetry }: SignInProps) {
  return (
    <section role="alert" aria-label="You are signed out" className="shrink-0 animate-fade border-b border-line bg-warn-tint">
      <div className="mx-auto flex max-w-2xl flex-wrap items-center gap-3 px-6 py-3">
        <p className="min-w-64 flex-1 text-sm">
          <strong className="font-medium text-warn">You are signed out.</strong> What you write stays on this device and is sent as soon as you have signed in. {!signedOut.url && NO_PLACE}
        </p>
        <div className="flex flex-wrap gap-2">
          <Actions signedOut={signedOut} onRetry={onRetry} />
        </div>
      </div>
    </section>
  );
}

function Actions({ signedOut, onRetry }: SignInProps) {
  return (
    <>
      {signedOut.url && (
        <a
          href={signedOut.url}
          className="inline-flex h-9 items-center gap-2 rounded-control bg-accent px-4 font-medium text-on-accent hover:bg-accent-strong touch:min-h-11"
        >
          <LogIn size={16} aria-hidden className="rtl:-scale-x-100" /> Sign in
        </a>
      )}
      <Button look="outline" onClick={onRetry}>
        Try again
      </Button>
    </>
  );
}
