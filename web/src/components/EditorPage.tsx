'use client';

import { ConcordProvider } from '@concord/client/react';
import dynamic from 'next/dynamic';
import { Activity, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { toast } from 'sonner';
import { go, useSearch } from '@/data/address';
import { useOverdue } from '@/data/clock';
import { type Person, useChat, useDocument } from '@/data/live';
import { useMedia } from '@/data/media';
import { RECORDED, useReport } from '@/data/report';
import { type SignedOut, useSignedOut } from '@/data/signed-in';
import { useSince } from '@/data/since';
import { useWindowHeight } from '@/data/window-height';
import { documentIdFromPath } from '@/lib/document-id';
import { historyPlace, historySearch } from '@/lib/history/place';
import { repairedFor } from '@/lib/problem';
import { canWrite } from '@/lib/role';
import { useApp } from './AppFrame';
import { Button } from './Button';
import { Bell } from './bell/LazyBell';
import { ChatButton } from './chat/ChatButton';
import { useChatOpen, usePresenceNotes } from './chat/notes';
import { DocumentProblem } from './DocumentProblem';
import { downloadText, useDeletion, useEditor, useEditorKeys, useKnownAgain, useProblem, useReaders, useRename, useReturning, useRoleNews, useUnsent, useWhoAmI } from './editor/document';
import { EditorBar } from './EditorBar';
import { EditorMenu } from './EditorMenu';
import { SinceLine } from './history/SinceLine';
import { copyText } from './HomePage';
import { KeptText } from './KeptText';
import { RejectedEdits } from './RejectedEdits';
import { ReportSheet } from './ReportSheet';
import { ShareSheet } from './share/ShareSheet';
import { SignInPage, SignInStrip } from './SignIn';
import { TextFooter } from './TextFooter';
import { TEXT_ID, TextSheet } from './TextSheet';
import type { TitleFieldHandle } from './TitleField';

const SKELETON_AFTER_MS = 300;
/** A text that is kept on this device is on the screen before this. */
const SIGN_IN_AFTER_MS = 1_500;

/** Loaded when somebody opens the chat. */
const ChatPanel = dynamic(() => import('./chat/ChatPanel').then((module) => module.ChatPanel), { ssr: false });

/** Loaded when somebody looks at a history: who writes does not wait for it. */
const HistoryPage = dynamic(() => import('./history/HistoryPage').then((module) => module.HistoryPage), { ssr: false });

/**
 * `/d/<id>`: one exported page for all documents; the id is read from the address after mount.
 *
 * The socket's address carries the beginning of the id, by which a proxy brings the people of a document to one server.
 */
export function EditorPage() {
  const id = useSyncExternalStore(
    () => () => {},
    () => documentIdFromPath(window.location.pathname),
    () => undefined,
  );
  useWindowHeight();
  if (id === undefined) return <div className="h-(--window-height)" />;
  if (id === null) return <NoDocument />;
  return (
    <ConcordProvider url={`/?r=${id.slice(0, 4)}`} {...RECORDED}>
      <OpenDocument id={id} />
    </ConcordProvider>
  );
}

/** The document as it is now, or with `?history` as it was. It stays open, and its editor stays in place, while one changes between the two. */
function OpenDocument({ id }: { id: string }) {
  const place = historyPlace(useSearch());
  useReturn(place === null);
  const signedOut = useSignedOut();
  // Kept open here. Who is signed out and has no text on this device is asked to sign in, and no connection is tried.
  const [shut, setShut] = useState(false);
  const { status } = useDocument(shut ? null : id);
  const hopeless = useOverdue(signedOut !== null && status.phase === 'loading', SIGN_IN_AFTER_MS);
  if (shut !== (signedOut !== null && (shut || hopeless))) setShut(!shut);
  if (signedOut && shut) return <SignedOutPage signedOut={signedOut} />;
  return (
    <>
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

function SignedOutPage({ signedOut }: { signedOut: SignedOut }) {
  const ask = useWhoAmI('closed');
  useReturning(true, ask);
  return (
    <main className="flex min-h-dvh items-center">
      <SignInPage signedOut={signedOut} onRetry={ask} />
    </main>
  );
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
const copyLink = () => void copyText(window.location.origin + window.location.pathname, 'Link copied');

function Editor({ id }: { id: string }) {
  const editor = useEditor(id);
  const { status, session, people, line } = editor;
  const app = useApp();
  const { shown: title, rename } = useRename(id, editor.title);
  const deletion = useDeletion(id);
  const titleField = useRef<TitleFieldHandle>(null);
  const lastVisited = useRef(-1);
  const overdue = useOverdue(status.phase === 'loading', SKELETON_AFTER_MS);
  const problem = useProblem(id, status.phase === 'revoked' ? 'access_revoked' : status.phase === 'error' ? (status.error?.code ?? 'internal') : undefined);
  const code = deletion.deleted ? 'document_deleted' : problem.code;
  const canRestore = deletion.deleted || problem.canRestore;
  const text = () => session?.text() ?? '';
  // Only what came from the server has been seen: without it there is nothing to compare with.
  const present = status.phase === 'ready' && editor.connection.state === 'connected';
  const others = people.filter((person) => !person.self);
  const report = useReport(id);
  const [sharing, setSharing] = useState(false);
  useRoleNews(editor.role);
  const chat = useChat(id);
  const wide = useMedia('(width >= 64rem)');
  const [chatting, setChatting] = useChatOpen(wide);
  const notes = usePresenceNotes(people, editor.connection.state === 'connected' && status.phase === 'ready' && editor.me !== undefined);
  const closeChat = () => {
    setChatting(false);
    focusText();
  };
  const [looking, setLooking] = useState(false);
  const roleOf = useReaders(id, looking && others.length > 0);
  const unsent = useUnsent(session, status.phase, status.unsavedEdits);
  const signedOut = editor.connection.state === 'connected' ? null : editor.signedOut;
  const whoAmI = useWhoAmI(editor.connection.state);
  const signInAgain = () => {
    whoAmI();
    editor.connection.retryNow();
  };
  useReturning(signedOut !== null, signInAgain);
  useKnownAgain(editor.signedOut !== null, editor.connection.retryNow);
  useReturning(status.phase === 'revoked', () => session?.retry());
  const since = useSince(id, present ? session?.me?.user : undefined, () => session?.revision ?? 0);
  // What is only kept on this device is not shown as a document that may be there: it looks as if it never was.
  const hasText = code !== undefined && code !== 'not_found' && !deletion.deleted && text() !== '';
  // Nothing of the document is on the screen: then the bar only leads back.
  const absent = code !== undefined && !hasText;
  const trouble = status.phase === 'ready' ? repairedFor(status.error?.code) : null;

  useEffect(() => {
    document.title = absent ? 'Concord' : `${title || 'Untitled'} · Concord`;
  }, [title, absent]);

  const goToNext = () => {
    const next = others.find((person) => person.session > lastVisited.current) ?? others[0];
    if (!next) return void toast('Nobody else is here at the moment');
    lastVisited.current = next.session;
    editor.scrollTo(next);
  };
  const goTo = (person: Person) => (person.self ? app.openMe() : editor.scrollTo(person));
  const latest = { line, goToNext, toggleChat: () => (chatting ? closeChat() : setChatting(true)) };
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
      'alt+shift+s': () => setSharing(true),
      'alt+shift+c': () => current.current.toggleChat(),
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
        roleOf={roleOf}
        onLookAtPeople={setLooking}
        onShare={code === undefined ? () => setSharing(true) : undefined}
        chat={code === undefined || chatting ? <ChatButton unread={chat.unread} open={chatting} onToggle={latest.toggleChat} /> : undefined}
        bell={<Bell />}
        menu={
          <EditorMenu
            canWrite={canWrite(editor.role)}
            canUndo={editor.canUndo}
            canRedo={editor.canRedo}
            canDelete={session?.role === 'owner' && code === undefined}
            onUndo={editor.undo}
            onRedo={editor.redo}
            onShare={() => setSharing(true)}
            onCopyLink={copyLink}
            onHistory={goToHistory}
            onDownload={download}
            onReport={report.open}
            onHelp={app.openHelp}
            onMe={app.openMe}
            onDelete={deletion.remove}
          />
        }
      />
      <RejectedEdits edits={status.rejected ?? []} onCopy={(rejected) => void copyText(rejected, 'Text copied')} onDismiss={() => session?.dismissRejected()} />
      {signedOut && status.phase === 'ready' && <SignInStrip signedOut={signedOut} onRetry={signInAgain} />}
      {trouble && <Trouble words={trouble} onReport={report.failed ? report.open : undefined} />}
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
          can={{ home: goHome, reload: deletion.deleted ? undefined : reload, retry: () => session?.retry(), restore: canRestore ? deletion.restore : undefined, copy: copyAll, download, report: report.failed ? report.open : undefined }}
        />
      )}
      {unsent && (
        <KeptText
          label="Text that was not sent"
          tone="warn"
          title="This was not sent."
          detail="It is kept on this device, and goes on its way if you may edit the document again. Copy it if you want to use it elsewhere."
          text={unsent}
          onCopy={(kept) => void copyText(kept, 'Text copied')}
        />
      )}
      <div className="flex min-h-0 flex-1">
        <div className="flex min-w-0 flex-1 flex-col">
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
        {chatting && !absent && <ChatPanel id={id} chat={chat} session={session} people={people} notes={notes} covers={!wide} onClose={closeChat} />}
      </div>
      <ReportSheet {...report.sheet} />
      <ShareSheet id={id} open={sharing} onOpenChange={setSharing} me={editor.me?.user} onCopyLink={copyLink} onLeft={goHome} />
    </div>
  );
}

const focusText = () => document.getElementById(TEXT_ID)?.focus();
const NOT_KEPT = 'This browser keeps no edits offline';

function Trouble({ words, onReport }: { words: string; onReport?: () => void }) {
  return (
    <div className="flex shrink-0 flex-wrap items-center justify-center gap-x-4 gap-y-2 border-b border-line bg-warn-tint px-6 py-2 text-sm text-warn">
      <p role="status">{words}</p>
      {onReport && (
        <Button look="outline" onClick={onReport}>
          Copy report…
        </Button>
      )}
    </div>
  );
}
