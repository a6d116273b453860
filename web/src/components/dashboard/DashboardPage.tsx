'use client';

import { useState } from 'react';
import { useOverdue } from '@/data/clock';
import { type FiguresOf, useConnection, useFigures } from '@/data/live';
import { useSignedOut } from '@/data/signed-in';
import { useTitles } from '@/data/titles';
import { cx } from '@/lib/cx';
import { useApp } from '../AppFrame';
import { Avatar } from '../Avatar';
import { Logo } from '../Logo';
import { SignInPage } from '../SignIn';
import { ThemeMenu } from '../ThemeMenu';
import { DashboardBody } from './DashboardBody';

const OVERDUE_AFTER_MS = 300;

/** `/dashboard`: how much goes on, second by second. */
export function DashboardPage() {
  const [wanted, setWanted] = useState<FiguresOf | undefined>(undefined);
  const [seesServer, setSeesServer] = useState(false);
  const view = useFigures(wanted);
  // Asked for nothing in particular, the server gives the most that one may see.
  if (wanted === undefined && view.of === 'server' && !seesServer) setSeesServer(true);
  const titles = useTitles(view.documents.flatMap(({ doc }) => doc ?? []));
  const overdue = useOverdue(view.of === undefined && view.state === 'waiting', OVERDUE_AFTER_MS);
  const signedOut = useSignedOut();
  if (signedOut) {
    return (
      <main className="flex min-h-dvh items-center">
        <SignInPage signedOut={signedOut} onRetry={() => window.location.reload()} />
      </main>
    );
  }
  return (
    <>
      <DashboardHeader />
      <main className="mx-auto max-w-6xl px-4 pt-6 pb-12 sm:px-6">
        <div className="mb-6 flex flex-wrap items-center gap-x-6 gap-y-3">
          <h1 className="text-lg font-bold tracking-[-0.01em]">Dashboard</h1>
          <Live state={view.state} />
          {seesServer && <Scope of={wanted ?? 'server'} onChange={setWanted} />}
        </div>
        {overdue && <p className="text-sm text-muted" role="status">Waiting for the first figures…</p>}
        <DashboardBody view={view} titles={titles} />
      </main>
    </>
  );
}

function DashboardHeader() {
  const { me, openMe } = useApp();
  return (
    <header className="sticky top-0 z-20 bg-paper/90 backdrop-blur-sm">
      <div className="mx-auto flex h-16 max-w-6xl items-center justify-between gap-3 px-4 sm:px-6">
        <a href="/" className="flex shrink-0 items-center gap-2 rounded-control text-md font-bold tracking-[-0.01em] touch:min-h-11">
          <Logo className="size-5" />
          Concord
        </a>
        <div className="flex shrink-0 items-center gap-1">
          <ThemeMenu />
          <button
            type="button"
            onClick={openMe}
            aria-label={me ? `You: ${me.name}. Change name and colour` : 'You. Change name and colour'}
            className="inline-flex size-8 items-center justify-center rounded-full hover:opacity-90 touch:size-11"
          >
            {me ? <Avatar name={me.name} color={me.color} /> : <span className="size-7 rounded-full bg-wash" />}
          </button>
        </div>
      </div>
    </header>
  );
}

/** Whether what is shown is of now. */
function Live({ state }: { state: 'waiting' | 'live' | 'refused' }) {
  const connection = useConnection();
  const isLive = state === 'live' && connection.state === 'connected';
  const words = isLive ? 'Live, once a second' : state === 'refused' ? 'Not given' : connection.state === 'offline' ? 'Offline: as last known' : 'Connecting…';
  return (
    <p role="status" className="flex items-center gap-2 text-sm text-muted">
      <span aria-hidden className={cx('size-2 rounded-full', isLive ? 'bg-ok' : 'bg-warn')} />
      {words}
    </p>
  );
}

const SCOPES = [
  { of: 'server', name: 'This server' },
  { of: 'own', name: 'My documents' },
] as const;

function Scope({ of, onChange }: { of: FiguresOf; onChange(of: FiguresOf): void }) {
  return (
    <div role="radiogroup" aria-label="Figures of" className="flex rounded-control border border-line-strong p-0.5 sm:ms-auto">
      {SCOPES.map((scope) => (
        <label
          key={scope.of}
          className="flex h-7 items-center rounded-[4px] px-3 text-sm text-muted has-checked:bg-wash has-checked:font-medium has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent touch:h-11"
        >
          <input type="radio" name="scope" className="sr-only" checked={of === scope.of} onChange={() => onChange(scope.of)} />
          {scope.name}
        </label>
      ))}
    </div>
  );
}
