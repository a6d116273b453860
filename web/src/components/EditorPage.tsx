'use client';

import dynamic from 'next/dynamic';
import { Activity, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { toast } from 'sonner';
import { go, useSearch } from '@/data/address';
import { api } from '@/data/api';
import { useOverdue } from '@/data/clock';
import { useElapsedMs } from '@/data/elapsed';
import { type Person, useConnection, useDocument, usePresence } from '@/data/live';
import { useSince } from '@/data/since';
import { useTextCount } from '@/data/text-count';
import { useWindowHeight } from '@/data/window-height';
import { documentIdFromPath } from '@/lib/document-id';
import { fileName } from '@/lib/file-name';
import { historyPlace, historySearch } from '@/lib/history/place';
import { repairedFor } from '@/lib/problem';
import { saveLine } from '@/lib/save-state';
import { isCombo } from '@/lib/shortcuts';
import { useApp } from './AppFrame';
import { DocumentProblem } from './DocumentProblem';
import { EditorBar } from './EditorBar';
import { EditorMenu } from './EditorMenu';
import { SinceLine } from './history/SinceLine';
import { copyText } from './HomePage';
import { useAppleKeys } from './Keys';
import { RejectedEdits } from './RejectedEdits';
import { TextFooter } from './TextFooter';
import { TEXT_ID, TextSheet } from './TextSheet';
import type { TitleFieldHandle } from './TitleField';

const SKELETON_AFTER_MS = 300;

/** Loaded when somebody looks at a history: who writes does not wait for it. */
const HistoryPage = dynamic(() => import('./history/HistoryPage').then((module) => module.HistoryPage), { ssr: false });

/** `/d/<id>`: one exported page for all documents; the id is read from the address after mount. */
export function EditorPage() {
  const id = useSyncExternalStore(
    () => () => {},
    () => documentIdFromPath(window.location.pathname),
    () => undefined,
  );
  useWindowHeight();
  if (id === undefined) return <div className="h-(--window-height)" />;
  if (id === null) return <NoDocument />;
  return <OpenDocument id={id} />;
}

/** The document as it is now, or with `?history` as it was. It stays open, and its editor stays in place, while one changes between the two. */
function OpenDocument({ id }: { id: string }) {
  const place = historyPlace(useSearch());
  useReturn(place === null);
  return (
    <>
      <KeepOpen id={id} />
      {place && <HistoryPage id={id} place={place} />}
      <Activity mode={place ? 'hidden' : 'visible'}>
        <Editor id={id} />
      </Activity>
    </>
  );
}

/** Who comes back to the text writes on where they were; on a touch screen that would bring up the keyboard unasked. */
function useReturn(here: boolean): void {
  const away = useRef(!here);
  useEffect(() => {
    const returns = here && away.current;
    away.current = !here;
    if (returns && window.matchMedia('(pointer: fine)').matches) document.getElementById(TEXT_ID)?.focus({ preventScroll: true });
  }, [here]);
}

function KeepOpen({ id }: { id: string }) {
  usePresence(id);
  return null;
}

function NoDocument() {
  return (
    <main className="flex min-h-dvh items-center">
      <DocumentProblem heading="h1" code="not_found" hasText={false} can={{ home: goHome }} />
    </main>
  );
}

const goHome = () => window.location.assign('/');
const goToHistory = () => go(historySearch({ mode: 'authors' }));
const reload = () => window.location.reload();

function downloadText(title: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName(title, 'txt');
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Everything the page shows of one document, from the package's hooks. */
function useEditor(id: string) {
  const live = useDocument(id);
  const presence = usePresence(id);
  const connection = useConnection();
  const { status } = live;
  const waiting = status.unsavedEdits > 0;
  const ageMs = useElapsedMs(status, waiting);
  const sinceRetryMs = useElapsedMs(connection, connection.state === 'reconnecting');
  const line = saveLine(
    { ...status, oldestUnsavedMs: waiting ? (status.oldestUnsavedMs ?? 0) + ageMs : undefined },
    { ...connection, retryInMs: connection.retryInMs === undefined ? undefined : connection.retryInMs - sinceRetryMs },
  );
  const count = useTextCount(live.session, status.phase !== 'loading');
  // Others first, me last; I am here before the server has said so.
  const people = presence.me ? [...presence.people, presence.me] : presence.people;
  return { ...live, people, scrollTo: presence.scrollTo, connection, line, count };
}

/** Renames at once on the screen; the server's word replaces it as soon as it comes. */
function useRename(id: string, title: string) {
  const [draft, setDraft] = useState<{ title: string; from: string } | null>(null);
  const shown = draft?.from === title ? draft.title : title;
  const rename = (next: string) => {
    setDraft({ title: next, from: title });
    api.rename(id, next).catch(() => {
      setDraft(null);
      toast.error('The new title was not saved. Try again when you are online.');
    });
  };
  return { shown, rename };
}

function useDeletion(id: string) {
  const [deleted, setDeleted] = useState(false);
  const remove = () => {
    setDeleted(true);
    api.delete(id).catch(() => {
      setDeleted(false);
      toast.error('The document was not deleted. Try again when you are online.');
    });
  };
  const restore = () => {
    api.restore(id).then(
      reload,
      () => toast.error('The document could not be restored. Try again when you are online.'),
    );
  };
  return { deleted, remove, restore };
}

/** Codes behind which a document of mine may wait that can come back. */
const MAY_BE_MINE = ['not_found', 'document_deleted'];

/** What is wrong, and whether it is a deleted document of my own: only its owner can restore it. */
function useProblem(id: string, code: string | undefined): { code: string | undefined; canRestore: boolean } {
  const [mine, setMine] = useState(false);
  const ask = code !== undefined && MAY_BE_MINE.includes(code);
  useEffect(() => {
    if (!ask) return;
    let current = true;
    api.get(id).then(
      (document) => current && setMine(document.deleted_ms !== undefined),
      () => {
        // Missing, forbidden and somebody else's: nothing I could restore.
      },
    );
    return () => {
      current = false;
    };
  }, [id, ask]);
  return ask && mine ? { code: 'document_deleted', canRestore: true } : { code, canRestore: false };
}

/** The keys of this page. */
function useEditorKeys(keys: Record<string, () => void>): void {
  const apple = useAppleKeys();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const combo = Object.keys(keys).find((candidate) => isCombo(event, candidate, apple));
      if (!combo || event.isComposing) return;
      event.preventDefault();
      keys[combo]?.();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [keys, apple]);
}

function Editor({ id }: { id: string }) {
  const editor = useEditor(id);
  const { status, session, people, line } = editor;
  const app = useApp();
  const { shown: title, rename } = useRename(id, editor.title);
  const deletion = useDeletion(id);
  const titleField = useRef<TitleFieldHandle>(null);
  const lastVisited = useRef(-1);
  const overdue = useOverdue(status.phase === 'loading', SKELETON_AFTER_MS);
  const problem = useProblem(id, status.phase === 'error' ? (status.error?.code ?? 'internal') : undefined);
  const code = deletion.deleted ? 'document_deleted' : problem.code;
  const canRestore = deletion.deleted || problem.canRestore;
  const text = () => session?.text() ?? '';
  // Only what came from the server has been seen: without it there is nothing to compare with.
  const present = status.phase === 'ready' && editor.connection.state === 'connected';
  const since = useSince(id, present ? session?.me?.user : undefined, () => session?.revision ?? 0);
  const hasText = code !== undefined && !deletion.deleted && text() !== '';
  // Nothing of the document is on the screen: then the bar only leads back.
  const absent = code !== undefined && !hasText;
  const trouble = status.phase === 'ready' ? repairedFor(status.error?.code) : null;

  useEffect(() => {
    document.title = absent ? 'Concord' : `${title || 'Untitled'} · Concord`;
  }, [title, absent]);

  const others = people.filter((person) => !person.self);
  const goToNext = () => {
    const next = others.find((person) => person.session > lastVisited.current) ?? others[0];
    if (!next) return void toast('Nobody else is here at the moment');
    lastVisited.current = next.session;
    editor.scrollTo(next);
  };
  const goTo = (person: Person) => (person.self ? app.openMe() : editor.scrollTo(person));
  const latest = { line, goToNext };
  const current = useRef(latest);
  useEffect(() => {
    current.current = latest;
  });
  const keys = useMemo(
    () => ({
      F2: () => titleField.current?.edit(),
      'mod+s': () => toast(`${current.current.line.text}. Every change is saved by itself.`),
      'alt+shift+p': () => current.current.goToNext(),
      'alt+shift+h': goToHistory,
    }),
    [],
  );
  useEditorKeys(keys);

  const copyAll = () => void copyText(text(), 'Text copied');
  const download = () => downloadText(title, text());
  return (
    <div className="fixed inset-x-0 top-0 flex h-(--window-height) flex-col">
      <EditorBar
        title={title}
        titleRef={titleField}
        absent={absent}
        canRename={status.phase === 'ready' && !status.readOnly}
        line={line}
        people={people}
        onRename={rename}
        onDoneWithTitle={focusText}
        onRetry={editor.connection.retryNow}
        onGoTo={goTo}
        onCopyLink={() => void copyText(window.location.href, 'Link copied')}
        menu={
          <EditorMenu
            canUndo={editor.canUndo}
            canRedo={editor.canRedo}
            canDelete={session?.role === 'owner' && code === undefined}
            onUndo={editor.undo}
            onRedo={editor.redo}
            onCopyLink={() => void copyText(window.location.href, 'Link copied')}
            onHistory={goToHistory}
            onDownload={download}
            onHelp={app.openHelp}
            onMe={app.openMe}
            onDelete={deletion.remove}
          />
        }
      />
      <RejectedEdits edits={status.rejected ?? []} onCopy={(rejected) => void copyText(rejected, 'Text copied')} onDismiss={() => session?.dismissRejected()} />
      {trouble && <Trouble words={trouble} />}
      {since.news && code === undefined && (
        <SinceLine
          words={since.news.words}
          onShow={() => {
            const { revision } = since.news!;
            since.dismiss();
            go(historySearch({ revision, mode: 'changes' }));
          }}
          onDismiss={since.dismiss}
        />
      )}
      {code !== undefined && (
        <DocumentProblem
          code={code}
          hasText={hasText}
          can={{ home: goHome, reload: deletion.deleted ? undefined : reload, restore: canRestore ? deletion.restore : undefined, copy: copyAll, download }}
        />
      )}
      <TextSheet
        textRef={editor.ref}
        title={title}
        state={absent ? 'absent' : code !== undefined ? 'frozen' : status.phase === 'loading' ? 'loading' : 'ready'}
        readOnly={status.readOnly}
        overdue={overdue}
      />
      <TextFooter
        count={absent ? null : editor.count}
        line={absent ? undefined : line}
        note={status.phase === 'ready' && !status.storageAvailable ? NOT_KEPT : null}
        onRetry={editor.connection.retryNow}
        onHelp={app.openHelp}
      />
    </div>
  );
}

const focusText = () => document.getElementById(TEXT_ID)?.focus();
const NOT_KEPT = 'This browser keeps no edits offline';

function Trouble({ words }: { words: string }) {
  return (
    <p role="status" className="shrink-0 border-b border-line bg-warn-tint px-6 py-2 text-center text-sm text-warn">
      {words}
    </p>
  );
}
