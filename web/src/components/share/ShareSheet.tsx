'use client';

import { Link2, LogOut } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { SharingPerson } from '@/data/api';
import { type SharingView, useSharing } from '@/data/sharing';
import { Button } from '../Button';
import { Sheet } from '../Sheet';
import { AddPerson } from './AddPerson';
import { HandOver } from './HandOver';
import { LinkChoice } from './LinkChoice';
import { PersonRow } from './PersonRow';

export interface ShareSheetProps {
  id: string;
  open: boolean;
  onOpenChange(open: boolean): void;
  /** My own id, once known. */
  me: string | undefined;
  onCopyLink(): void;
  /** I have given up what I was given here. */
  onLeft(): void;
}

/** Who may open this document, and what they may do with it. */
export function ShareSheet({ id, open, onOpenChange, ...rest }: ShareSheetProps) {
  const view = useSharing(id, open);
  return (
    <Sheet open={open} onOpenChange={onOpenChange} title="Share" description="Who can open this document, and what they can do." wide>
      <ShareBody view={view} {...rest} />
    </Sheet>
  );
}

export interface ShareBodyProps extends Pick<ShareSheetProps, 'me' | 'onCopyLink' | 'onLeft'> {
  view: SharingView;
}

/** The dialog's content in whatever state it is. */
export function ShareBody({ view, me, onCopyLink, onLeft }: ShareBodyProps) {
  const [handOver, setHandOver] = useState<SharingPerson | null>(null);
  const { sharing } = view;
  const body = useRef<HTMLDivElement>(null);
  useFocusOn(body, sharing !== null);
  if (!sharing) return view.phase === 'error' ? <Unavailable words={view.trouble} onRetry={view.reload} /> : <Loading />;
  const owns = sharing.role === 'owner';
  const myself = sharing.people.find((person) => person.user === me);
  return (
    <div ref={body} className="flex flex-col gap-6">
      <section aria-labelledby="share-link">
        <h3 id="share-link" className="mb-2 text-xs font-medium text-muted">
          Link
        </h3>
        <LinkChoice link={sharing.link} canChange={owns} changing={view.isChanging('link')} onChange={view.setLink} />
        <Button look="outline" onClick={onCopyLink} className="mt-3 max-sm:w-full">
          <Link2 size={16} aria-hidden /> Copy link
        </Button>
      </section>
      <section aria-labelledby="share-people">
        <h3 id="share-people" className="mb-1 text-xs font-medium text-muted">
          People
        </h3>
        {owns && me !== undefined && !isGuest(me) && (
          <AddPerson known={sharing.people.map((person) => person.user)} onAdd={view.setRole} />
        )}
        <ul className="-mx-2">
          {sharing.people.map((person) => (
            <PersonRow
              key={person.user}
              person={person}
              isMe={person.user === me}
              link={sharing.link}
              canChange={owns && person.by !== 'owner'}
              changing={view.isChanging(person.user)}
              onRole={(role) => (role === 'owner' ? setHandOver(person) : view.setRole(person.user, role))}
              onRemove={() => void view.remove(person.user)}
            />
          ))}
        </ul>
        {owns && sharing.people.length === 1 && (
          <p className="mt-1 text-sm text-pretty text-muted">
            {sharing.link === 'off' ? (me && !isGuest(me) ? 'Nobody else can open it.' : 'Nobody else can open it. Let the link open it, then send the link.') : 'Whoever opens the link is listed here, and you can give them another role.'}
          </p>
        )}
      </section>
      {handOver && (
        <HandOver
          name={handOver.name}
          onCancel={() => setHandOver(null)}
          onConfirm={() => {
            view.setRole(handOver.user, 'owner');
            setHandOver(null);
          }}
        />
      )}
      {!owns && me !== undefined && myself && (
        <div>
          <Button look="outline" onClick={() => void view.remove(me).then((done) => done && onLeft())} disabled={view.isChanging(me)}>
            <LogOut size={16} aria-hidden className="rtl:-scale-x-100" /> Leave this document
          </Button>
        </div>
      )}
      <p role="alert" className="text-sm text-bad empty:hidden">
        {view.trouble}
      </p>
    </div>
  );
}

/** Guests cannot tell each other their ids; the link is their way. */
const isGuest = (user: string): boolean => user.startsWith('g_');

/** The dialog opens before it has anything to press but Close; once it has, the focus begins there. */
function useFocusOn(body: { current: HTMLElement | null }, isThere: boolean): void {
  useEffect(() => {
    const dialog = body.current?.closest('[role=dialog]');
    const focused = document.activeElement;
    if (!isThere || !dialog || (focused !== dialog && focused?.getAttribute('aria-label') !== 'Close')) return;
    const first = body.current?.querySelector<HTMLElement>('[role=radio][aria-checked=true]') ?? body.current?.querySelector('button');
    first?.focus();
  }, [body, isThere]);
}

function Unavailable({ words, onRetry }: { words: string | null; onRetry(): void }) {
  return (
    <div role="alert" className="flex flex-col items-start gap-3">
      <p className="text-sm text-muted">{words?.replace(' Nothing was changed.', '') ?? ''}</p>
      <Button look="outline" onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}

/** As high as what comes, so that nothing jumps. */
function Loading() {
  return (
    <div role="status" aria-label="Loading who this is shared with" className="flex flex-col gap-4">
      {['w-2/3', 'w-1/2', 'w-3/5', 'w-1/3', 'w-1/2'].map((width, index) => (
        <div key={`${width}${String(index)}`} className={`h-4 animate-breathe rounded-control bg-wash ${width}`} />
      ))}
    </div>
  );
}
