'use client';

import { type ReactNode, useSyncExternalStore } from 'react';
import { saveLine } from '@/lib/save-state';
import { Avatar } from '../Avatar';
import { Button } from '../Button';
import { DocumentListSkeleton, DeletedList, DocumentList } from '../DocumentList';
import { DocumentProblem } from '../DocumentProblem';
import { EditorBar } from '../EditorBar';
import { EditorMenu } from '../EditorMenu';
import { HomeBody } from '../HomePage';
import { Keys } from '../Keys';
import { PeopleBar } from '../PeopleBar';
import { RejectedEdits } from '../RejectedEdits';
import { SaveState } from '../SaveState';
import { SearchField } from '../SearchField';
import { TextFooter } from '../TextFooter';
import { ThemeMenu } from '../ThemeMenu';
import { ChatStates } from './ChatStates';
import { HistoryStates } from './HistoryStates';
import { SharingStates } from './SharingStates';
import { State } from './State';
import { DELETED, DOCUMENTS, LONG_NAME, NOW_MS, SAVE_STATES, list, persons } from './samples';

const nothing = () => {};
const actions = { onRename: nothing, onDelete: nothing, onCopyLink: nothing, onRestore: nothing };
const PROBLEMS = ['not_found', 'document_deleted', 'storage_unavailable', 'client_taken', 'doc_corrupt', 'document_full', 'access_revoked', 'replaced', 'out_of_step', 'unheard_of'];

function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <section aria-label={name} className="mb-12">
      <h2 className="mb-3 border-b border-line pb-1 text-md font-bold">{name}</h2>
      {children}
    </section>
  );
}

function Bar({ name, people, title, state, direction }: { name: string; people: number; title: string; state: number; direction?: 'rtl' }) {
  const [, status, connection, circumstances] = SAVE_STATES[state] ?? SAVE_STATES[0]!;
  return (
    <State name={name}>
      <div dir={direction} className="rounded-panel border border-line">
        <EditorBar
          title={title}
          canRename={!status.readOnly}
          line={saveLine(status, connection, circumstances)}
          people={persons(people)}
          onRename={nothing}
          onDoneWithTitle={nothing}
          onRetry={nothing}
          onGoTo={nothing}
          onShare={nothing}
          menu={
            <EditorMenu canWrite canUndo canRedo={false} canDelete onUndo={nothing} onRedo={nothing} onShare={nothing} onCopyLink={nothing} onHistory={nothing} onDownload={nothing} onReport={nothing} onHelp={nothing} onMe={nothing} onDelete={nothing} />
          }
        />
      </div>
    </State>
  );
}

/** Every part in every state it has, on one page, for eyes and for pictures. Not in ordinary builds. */
export function Gallery() {
  // Its fixed dates are written as this browser writes them.
  const mounted = useSyncExternalStore(() => nothing, () => true, () => false);
  if (!mounted) return null;
  return (
    <main className="mx-auto max-w-4xl px-4 py-12">
      <div className="mb-6 flex items-center justify-between">
        <h1 className="text-xl font-bold">State gallery</h1>
        <ThemeMenu />
      </div>
      <Part name="Save state">
        <div className="grid gap-x-6 sm:grid-cols-2">
          {SAVE_STATES.map(([name, status, connection, circumstances]) => (
            <State key={name} name={name}>
              <SaveState line={saveLine(status, connection, circumstances)} onRetry={nothing} />
            </State>
          ))}
        </div>
      </Part>
      <Part name="People">
        {[0, 1, 2, 5, 6, 40].map((count) => (
          <State key={count} name={String(count)}>
            <PeopleBar people={persons(count)} onGoTo={nothing} />
          </State>
        ))}
        <State name="colours">
          <div className="flex flex-wrap gap-2">
            {persons(12).map(({ session, name, color }) => (
              <Avatar key={session} name={name} color={color} size="large" />
            ))}
          </div>
        </State>
      </Part>
      <Part name="Editor bar">
        <Bar name="alone" people={1} title="Meeting notes" state={0} />
        <Bar name="forty people, late" people={40} title="Grant application" state={2} />
        <Bar name="long title, offline with edits" people={6} title={`${LONG_NAME}: collected letters`} state={8} />
        <Bar name="untitled, read only" people={2} title="" state={11} />
        <Bar name="right to left" people={3} title="مذكرات الاجتماع" state={0} direction="rtl" />
      </Part>
      <Part name="Refused text">
        <RejectedEdits edits={[{ text: 'A paragraph that did not fit any more.\nAnd a second line.', code: 'document_full' }]} onCopy={nothing} onDismiss={nothing} />
        <div className="mt-4">
          <RejectedEdits edits={[{ text: '', code: 'forbidden' }]} onCopy={nothing} onDismiss={nothing} />
        </div>
        <div className="mt-4">
          <RejectedEdits edits={[{ text: 'What I saw before it was fetched again.', code: 'diverged' }]} onCopy={nothing} onDismiss={nothing} />
        </div>
        <div className="mt-4">
          <RejectedEdits edits={[{ text: 'many lines\n'.repeat(60), code: 'text_too_large' }]} onCopy={nothing} onDismiss={nothing} />
        </div>
      </Part>
      <Part name="Chat">
        <ChatStates />
      </Part>
      <Part name="Rights">
        <SharingStates />
      </Part>
      <Part name="Problems">
        <div className="grid sm:grid-cols-2">
          {PROBLEMS.map((code) => (
            <State key={code} name={code}>
              <DocumentProblem code={code} hasText={false} can={{ home: nothing, reload: nothing, restore: nothing }} />
            </State>
          ))}
        </div>
        <State name="with text still on the screen">
          <DocumentProblem code="document_deleted" hasText can={{ home: nothing, reload: nothing, restore: nothing, copy: nothing }} />
        </State>
      </Part>
      <Part name="History">
        <HistoryStates />
      </Part>
      <Part name="Documents">
        <State name="full">
          <DocumentList documents={DOCUMENTS} nowMs={NOW_MS} {...actions} />
        </State>
        <State name="right to left">
          <div dir="rtl">
            <DocumentList documents={DOCUMENTS.slice(2, 4)} nowMs={NOW_MS} {...actions} />
          </div>
        </State>
        <State name="deleted">
          <DeletedList documents={DELETED} nowMs={NOW_MS} onRestore={nothing} />
        </State>
        <State name="loading">
          <DocumentListSkeleton />
        </State>
        <State name="empty">
          <HomeBody list={list({ phase: 'ready' })} query="" deleted={false} />
        </State>
        <State name="nothing found">
          <HomeBody list={list({ phase: 'ready', query: 'zebra' })} query="zebra" deleted={false} />
        </State>
        <State name="last known">
          <HomeBody list={list({ phase: 'stale', documents: DOCUMENTS.slice(0, 1) })} query="" deleted={false} />
        </State>
        <State name="error">
          <HomeBody list={list({ phase: 'error', error: { code: 'unreachable', message: '' } })} query="" deleted={false} />
        </State>
      </Part>
      <Part name="Controls">
        <div className="flex flex-wrap items-center gap-3">
          <Button look="primary">Primary</Button>
          <Button look="outline">Outline</Button>
          <Button>Quiet</Button>
          <Button look="bad">Dangerous</Button>
          <Button look="primary" disabled>
            Disabled
          </Button>
          <Keys combo="mod+shift+z" />
        </div>
        <div className="mt-4 grid gap-4 sm:grid-cols-2">
          <SearchField value="" onChange={nothing} />
          <SearchField value="words" onChange={nothing} />
        </div>
        <TextFooter count={{ words: 1204, characters: 6912 }} onHelp={nothing} />
        <TextFooter count={{ words: 1, characters: 1 }} line={saveLine(SAVE_STATES[8]![1], SAVE_STATES[8]![2])} onRetry={nothing} onHelp={nothing} />
        <TextFooter count={null} note="This browser keeps no edits offline" onHelp={nothing} />
      </Part>
    </main>
  );
}
