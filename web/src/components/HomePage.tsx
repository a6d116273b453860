'use client';

import { ArrowLeft, CloudOff, Plus, RefreshCw, Trash2 } from 'lucide-react';
import { useDeferredValue, useState, useSyncExternalStore } from 'react';
import { toast } from 'sonner';
import type { DocumentInfo } from '@/data/api';
import { useNow, useOverdue } from '@/data/clock';
import { type DocumentsView, useDocuments } from '@/data/documents';
import { useOnline } from '@/data/online';
import { useSignedOut } from '@/data/signed-in';
import { documentPath } from '@/lib/document-id';
import { useApp } from './AppFrame';
import { Bell } from './bell/LazyBell';
import { Button } from './Button';
import { DeletedList, DocumentList, DocumentListSkeleton } from './DocumentList';
import { HomeHeader } from './HomeHeader';
import { Message } from './Message';
import { SignInPage } from './SignIn';

const SKELETON_AFTER_MS = 300;

/** `/?deleted` shows what can be restored. Read after mount: the exported page knows no address. */
const useDeletedView = (): boolean =>
  useSyncExternalStore(
    () => () => {},
    () => new URLSearchParams(window.location.search).has('deleted'),
    () => false,
  );

export async function copyText(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch {
    toast.error('The browser did not allow copying.');
  }
}

function useDocumentActions(list: DocumentsView) {
  const failed = (what: string) => () => void toast.error(`${what} Try again when you are online.`);
  const restore = (document: DocumentInfo) =>
    list.restore(document).catch(failed(`“${document.title || 'Untitled'}” could not be restored.`));
  return {
    onRename: (document: DocumentInfo, title: string) => void list.rename(document.id, title).catch(failed('The new title was not saved.')),
    onDelete: (document: DocumentInfo) => {
      const title = document.title || 'Untitled';
      void list.remove(document).then(
        () => toast(`“${title}” was deleted`, { duration: 10_000, action: { label: 'Undo', onClick: () => void restore(document) } }),
        failed(`“${title}” was not deleted.`),
      );
    },
    onCopyLink: (document: DocumentInfo) => void copyText(new URL(documentPath(document.id), window.location.href).href, 'Link copied'),
    onRestore: (document: DocumentInfo) => {
      void restore(document).then(() => toast(`“${document.title || 'Untitled'}” is back`));
    },
  };
}

/** My documents, or with `/?deleted` those that can come back. */
export function HomePage() {
  const deleted = useDeletedView();
  const [search, setSearch] = useState('');
  const query = useDeferredValue(search.trim());
  const list = useDocuments({ query, deleted });
  const { me, openMe } = useApp();
  const signedOut = useSignedOut();
  if (signedOut) {
    return (
      <main className="flex min-h-dvh items-center">
        <SignInPage signedOut={signedOut} onRetry={list.reload} />
      </main>
    );
  }
  return (
    <>
      <HomeHeader bell={<Bell />} me={me} onMe={openMe} search={{ value: search, onChange: setSearch }} />
      <main className="mx-auto max-w-3xl px-4 pt-6 pb-12 sm:px-6">
        {deleted ? <DeletedHead /> : <HomeHead phase={list.phase} empty={list.documents.length === 0 && !query} />}
        <HomeBody list={list} query={query} deleted={deleted} />
      </main>
    </>
  );
}

function HomeHead({ phase, empty }: { phase: DocumentsView['phase']; empty: boolean }) {
  const { create, creating } = useApp();
  // The empty page has its own, single button.
  const hidden = empty && phase === 'ready';
  return (
    <div className="mb-6 flex h-9 items-center justify-between gap-4 touch:h-11">
      <h1 className="text-lg font-bold tracking-[-0.01em]">Documents</h1>
      {!hidden && (
        <Button look="primary" onClick={create} disabled={creating}>
          <Plus size={16} aria-hidden /> New document
        </Button>
      )}
    </div>
  );
}

function DeletedHead() {
  return (
    <div className="mb-6">
      <a href="/" className="inline-flex items-center gap-2 rounded-control text-sm text-muted hover:text-ink touch:min-h-11">
        <ArrowLeft size={16} aria-hidden className="rtl:-scale-x-100" /> Documents
      </a>
      <h1 className="mt-2 text-lg font-bold tracking-[-0.01em]">Recently deleted</h1>
    </div>
  );
}

export interface HomeBodyProps {
  list: DocumentsView;
  query: string;
  deleted: boolean;
}

/** The list in whatever state it is. */
export function HomeBody({ list, query, deleted }: HomeBodyProps) {
  const nowMs = useNow(20_000);
  const actions = useDocumentActions(list);
  const overdue = useOverdue(list.phase === 'loading', SKELETON_AFTER_MS);
  if (list.phase === 'loading') return overdue ? <DocumentListSkeleton /> : null;
  if (list.phase === 'error') return <ListError code={list.error?.code ?? 'internal'} onRetry={list.reload} />;
  return (
    <>
      {list.phase === 'stale' && <StaleNote onRetry={list.reload} />}
      {list.documents.length === 0 ? (
        <NothingHere query={query} deleted={deleted} stale={list.phase === 'stale'} />
      ) : deleted ? (
        <DeletedList documents={list.documents} nowMs={nowMs} onRestore={actions.onRestore} />
      ) : (
        <DocumentList documents={list.documents} nowMs={nowMs} {...actions} />
      )}
      {list.cursor && (
        <div className="flex justify-center py-4">
          <Button look="outline" onClick={() => void list.loadMore().catch(() => toast.error('The rest did not load. Try again.'))}>
            Show more
          </Button>
        </div>
      )}
      {!deleted && (
        <footer className="mt-6">
          <a href="/?deleted" className="inline-flex items-center gap-2 rounded-control text-xs text-muted hover:text-ink touch:min-h-11">
            <Trash2 size={14} aria-hidden /> Recently deleted
          </a>
        </footer>
      )}
    </>
  );
}

function NothingHere({ query, deleted, stale }: { query: string; deleted: boolean; stale: boolean }) {
  const { create, creating } = useApp();
  if (query) {
    return <Message title={`Nothing is called “${query}”`} detail={stale ? 'Only the documents known to this browser were searched.' : 'Search looks at titles.'} />;
  }
  if (deleted) return <Message title="Nothing to restore" detail="Documents you delete wait here." />;
  if (stale) return <Message title="No documents are known to this browser yet" />;
  return (
    <Message mark title="Write something, alone or together.">
      <Button look="primary" onClick={create} disabled={creating}>
        <Plus size={16} aria-hidden /> New document
      </Button>
    </Message>
  );
}

function StaleNote({ onRetry }: { onRetry(): void }) {
  const online = useOnline();
  return (
    <div role="status" className="mb-6 flex min-h-9 items-center gap-3 rounded-control bg-warn-tint ps-3 pe-1 text-sm text-warn">
      <CloudOff size={16} aria-hidden className="shrink-0" />
      <p className="min-w-0 flex-1 py-2">
        {online ? 'The server does not answer. ' : 'You are offline. '}
        This is the list as last known.
      </p>
      <Button onClick={onRetry} className="text-warn">
        Try now
      </Button>
    </div>
  );
}

const ERRORS: Record<string, { title: string; detail: string }> = {
  unreachable: { title: 'The server does not answer', detail: 'Your documents are safe there. Check the connection, or try again in a moment.' },
  storage_unavailable: { title: 'The server cannot reach its storage', detail: 'Nothing was lost. Try again in a moment.' },
};

function ListError({ code, onRetry }: { code: string; onRetry(): void }) {
  const { title, detail } = ERRORS[code] ?? { title: 'Your documents could not be loaded', detail: 'Nothing was lost. Try again; if it stays so, tell whoever runs this server.' };
  return (
    <Message tone="bad" title={title} detail={detail}>
      <Button look="outline" onClick={onRetry}>
        <RefreshCw size={16} aria-hidden /> Try again
      </Button>
    </Message>
  );
}
