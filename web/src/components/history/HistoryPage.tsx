'use client';

import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { toast } from 'sonner';
import { correct, go } from '@/data/address';
import { useOverdue } from '@/data/clock';
import { type HistoryView, type Version, codeOf, restoreRevision, useDiff, useHistory, useVersions } from '@/data/history';
import type { HistoryModel } from '@/data/history/model';
import { useDocument } from '@/data/live';
import { useMedia } from '@/data/media';
import { useOnline } from '@/data/online';
import { attributedLines, diffLines } from '@/lib/history/lines';
import { type HistoryPlace, historySearch } from '@/lib/history/place';
import { stripes, neighbourMark } from '@/lib/history/timeline';
import { moment, namesOf, placeWords, troubleWords } from '@/lib/history/words';
import { useApp } from '../AppFrame';
import { Sheet } from '../Sheet';
import { AuthorLegend, type LegendEntry } from './AuthorLegend';
import { HistoryBar } from './HistoryBar';
import { HistoryBody } from './HistoryBody';
import { HistoryDock } from './HistoryDock';
import { HistoryProblem } from './HistoryProblem';
import { RestorePreview } from './RestorePreview';
import { VersionList, type VersionRow } from './VersionList';
import { useHistoryKeys } from './keys';

const WRITERS = ['owner', 'editor'];
const SKELETON_AFTER_MS = 300;
const ADDRESS_PAUSE_MS = 400;

const back = () => go('');
const goHome = () => window.location.assign('/');

/** Everything the page shows of one document's past. */
function usePast(id: string, place: HistoryPlace) {
  const { title, role, session, status } = useDocument(id);
  const { me } = useApp();
  const { model, view } = useHistory(id, place.revision);
  const versions = useVersions(id);
  const online = useOnline();
  const [mode, setMode] = useState(place.mode);
  useEffect(() => {
    if (!session) return;
    const tell = () => model.told(session.revision);
    tell();
    return session.subscribe(tell);
  }, [session, model]);
  // Back on the network, what failed is tried again by itself.
  useEffect(() => {
    const { phase, trouble } = model.snapshot();
    if (online && (phase === 'error' || trouble !== undefined)) model.retry();
  }, [online, model]);
  useEffect(() => {
    if (view.phase !== 'ready' || view.playing) return;
    const revision = view.revision === view.head ? {} : { revision: view.revision };
    const timer = setTimeout(() => correct(historySearch({ ...revision, mode })), ADDRESS_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [view.phase, view.playing, view.revision, view.head, mode]);
  useEffect(() => {
    document.title = `History of ${title || 'Untitled'} · Concord`;
  }, [title]);
  const names = useMemo(() => {
    const nameOf = (user: string) => (user === me?.id ? `${view.authors.get(user)?.name ?? me.name} (you)` : view.authors.get(user)?.name);
    const colourOf = (user: string) => view.authors.get(user)?.color;
    return { nameOf, colourOf };
  }, [view.authors, me]);
  const canEdit = WRITERS.includes(role) && !status.readOnly;
  const canChange = (version: Version) => canEdit && (role === 'owner' || version.author === me?.id);
  return { title, canEdit, canChange, model, view, versions, mode, setMode, ...names };
}

type Past = ReturnType<typeof usePast>;

/** Who wrote the revision the slider stands at, and when: exactly where that is known here, else by the summary. */
function whoWhen({ view, nameOf }: Pick<Past, 'view' | 'nameOf'>, revision: number, nowMs: number) {
  if (revision === 0) return { who: 'The beginning', when: '' };
  const exact = view.shown?.revision === revision ? view.shown : undefined;
  const stretch = view.timeline.stretchOf(revision);
  const users = exact?.author ? [exact.author] : (stretch?.authors ?? []);
  const timeMs = exact?.timeMs ?? view.timeline.timeMs(revision);
  return {
    who: namesOf(users.map((user) => nameOf(user) ?? 'Somebody')),
    when: timeMs === undefined ? '' : moment(timeMs, nowMs),
    timeMs,
  };
}

function useLegend({ view, nameOf }: Past): LegendEntry[] {
  const { shown, authors } = view;
  return useMemo(() => {
    const chars = new Map<string, number>();
    let all = 0;
    for (const { author, len } of shown?.runs ?? []) {
      all += len;
      if (author !== null) chars.set(author, (chars.get(author) ?? 0) + len);
    }
    return [...chars]
      .map(([user, len]) => ({ user, name: nameOf(user) ?? 'Somebody', color: authors.get(user)?.color ?? 0, share: all > 0 ? len / all : 0 }))
      .sort((a, b) => b.share - a.share);
  }, [shown, authors, nameOf]);
}

/** Restoring, with a way back as long as nobody has written since. */
function useRestore(id: string, model: HistoryModel, onPreview: (revision: number) => void) {
  const [restoring, setRestoring] = useState(false);
  const restore = useCallback(
    async (revision: number) => {
      const before = model.snapshot().head;
      setRestoring(true);
      try {
        const restored = await restoreRevision(id, revision);
        model.told(restored);
        const undo = () => {
          // Somebody wrote meanwhile: then only looking first keeps their words.
          if (model.snapshot().head > restored) onPreview(before);
          else void restoreRevision(id, before).then((head) => model.told(head), failed);
        };
        toast(`Revision ${revision.toLocaleString()} is restored`, { action: { label: 'Undo', onClick: undo }, duration: 12_000 });
        return true;
      } catch (error) {
        failed(error);
        return false;
      } finally {
        setRestoring(false);
      }
    },
    [id, model, onPreview],
  );
  return { restoring, restore };
}

const failed = (error: unknown) => void toast.error(troubleWords(codeOf(error)));

/** `/d/<id>?history`: the same page, at any moment of its past. */
export function HistoryPage({ id, place }: { id: string; place: HistoryPlace }) {
  const past = usePast(id, place);
  const { model, view, versions, mode } = past;
  const [panel, setPanel] = useState<'versions' | 'authors' | 'restore' | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const slider = useRef<HTMLInputElement>(null);
  const wide = useMedia('(width >= 64rem)');
  const overdue = useOverdue(view.phase === 'loading', SKELETON_AFTER_MS);
  const legend = useLegend(past);
  const nowMs = useNowAtMount();
  const preview = useCallback(
    (revision: number) => {
      model.pause();
      model.seek(revision);
      setPanel('restore');
    },
    [model],
  );
  const { restoring, restore } = useRestore(id, model, preview);
  const diff = useDiff(id, model, view.revision, view.head, view.phase === 'ready' && !view.playing && (mode === 'changes' || panel === 'restore'));

  const ready = view.phase === 'ready';
  useEffect(() => {
    if (ready) slider.current?.focus({ preventScroll: true });
  }, [ready]);

  const marks = useMemo(() => (versions.versions ?? []).map(({ revision, name }) => ({ revision, name })), [versions.versions]);
  const jump = useCallback(
    (revision: number) => {
      model.seek(revision);
      setPanel(null);
    },
    [model],
  );
  useHistoryKeys({
    toggle: () => (view.playing ? model.pause() : model.play()),
    step: (by) => {
      model.pause();
      model.seek(model.snapshot().revision + by);
    },
    mark: (direction) => jump(neighbourMark(view.revision, marks.map((one) => one.revision), direction, view.head)),
    back,
  });

  const lines = useLines(past, diff.parts);
  const stripesOfView = useMemo(() => (view.head > 0 ? stripes(view.head, view.timeline.stretches) : []), [view.head, view.timeline]);
  const { who, when, timeMs } = whoWhen(past, view.revision, nowMs);
  const here = marks.filter((mark) => mark.revision === view.revision).map((mark) => mark.name);
  const words = (revision: number) => {
    const at = whoWhen(past, revision, nowMs);
    return placeWords({ revision, head: view.head, author: at.who, timeMs: at.timeMs }, nowMs);
  };
  const valueText = placeWords({ revision: view.revision, head: view.head, author: who, timeMs, versions: here }, nowMs);

  const versionList = (
    <VersionList
      versions={versions.versions && versions.versions.map((version): VersionRow => {
        const at = view.timeline.timeMs(version.revision) ?? version.time_ms;
        return { id: version.id, revision: version.revision, name: version.name, detail: `${moment(at, nowMs)} · revision ${version.revision.toLocaleString()}`, canChange: past.canChange(version) };
      })}
      trouble={versions.code && troubleWords(versions.code)}
      revision={view.revision}
      canEdit={past.canEdit}
      onJump={jump}
      onCreate={(name) => versions.create(name, view.revision).catch((error: unknown) => { failed(error); throw error; })}
      onRename={(versionId, name) => {
        const version = versions.versions?.find((one) => one.id === versionId);
        return version ? versions.rename(version, name).catch((error: unknown) => { failed(error); throw error; }) : Promise.resolve();
      }}
      onDelete={(versionId) => {
        const version = versions.versions?.find((one) => one.id === versionId);
        if (!version) return;
        const undo = () => void versions.create(version.name, version.revision).catch(failed);
        versions.remove(version).then(() => toast(`“${version.name}” is no longer a version`, { action: { label: 'Undo', onClick: undo } }), failed);
      }}
      onRetry={versions.reload}
    />
  );
  const authorLegend = <AuthorLegend authors={legend} chosen={chosen} onChoose={setChosen} />;

  return (
    <div className="fixed inset-x-0 top-0 flex h-(--window-height) flex-col">
      <HistoryBar
        title={past.title}
        mode={mode}
        ready={ready}
        canEdit={past.canEdit}
        isNow={view.revision >= view.head}
        onBack={back}
        onMode={past.setMode}
        onRestore={() => preview(view.revision)}
      />
      {view.phase === 'error' ? (
        <main className="flex-1 overflow-y-auto">
          <HistoryProblem code={view.code ?? 'internal'} onRetry={() => model.retry()} onBack={back} onHome={goHome} />
        </main>
      ) : (
        <>
          <div className="flex min-h-0 flex-1">
            <HistoryBody
              state={!view.shown ? 'loading' : mode === 'changes' && !diff.parts ? 'comparing' : 'ready'}
              overdue={overdue}
              lines={lines}
              label={mode === 'changes' ? 'What has changed since this revision' : `Text at revision ${view.shown?.revision.toLocaleString() ?? ''}`}
              diff={mode === 'changes' ? diff : null}
              trouble={view.trouble ?? (mode === 'changes' ? diff.code : null)}
              follow={mode === 'authors'}
              chosen={mode === 'authors' ? chosen : null}
              onRetry={() => (view.trouble !== undefined ? model.retry() : diff.retry())}
            />
            {wide && (
              <aside aria-label="Versions and authors" className="flex w-72 shrink-0 flex-col gap-6 overflow-y-auto border-s border-line px-3 py-4">
                <section aria-labelledby="versions-title">
                  <h2 id="versions-title" className="mb-2 px-2 text-xs font-medium text-muted">Versions</h2>
                  {versionList}
                </section>
                <section aria-labelledby="authors-title">
                  <h2 id="authors-title" className="mb-1 px-2 text-xs font-medium text-muted">Authors</h2>
                  {authorLegend}
                </section>
              </aside>
            )}
          </div>
          <HistoryDock
            slider={{
              head: view.head, revision: view.revision, valueText, stripes: stripesOfView, colourOf: past.colourOf, marks, wordsAt: words,
              disabled: !ready, sliderRef: slider, onSeek: (revision) => model.seek(revision),
            }}
            play={{ playing: view.playing, speed: view.speed, disabled: !ready || view.head === 0, onPlay: () => model.play(), onPause: () => model.pause(), onSpeed: (speed) => model.setSpeed(speed) }}
            who={ready ? who : ' '}
            when={ready ? when : ''}
            waiting={view.waiting}
            onVersions={wide ? undefined : () => setPanel('versions')}
            onAuthors={wide ? undefined : () => setPanel('authors')}
          />
        </>
      )}
      {!wide && (
        <>
          <Sheet open={panel === 'versions'} onOpenChange={(open) => setPanel(open ? 'versions' : null)} title="Versions">{versionList}</Sheet>
          <Sheet open={panel === 'authors'} onOpenChange={(open) => setPanel(open ? 'authors' : null)} title="Authors">{authorLegend}</Sheet>
        </>
      )}
      <RestorePreview
        open={panel === 'restore'}
        onOpenChange={(open) => setPanel(open ? 'restore' : null)}
        place={valueText}
        parts={diff.waiting ? null : diff.parts}
        trouble={diff.code && troubleWords(diff.code)}
        restoring={restoring}
        onRetry={diff.retry}
        onRestore={() => void restore(view.revision).then((done) => {
          if (!done) return;
          setPanel(null);
          past.setMode('authors');
          model.seek(model.snapshot().head);
        })}
      />
    </div>
  );
}

/** The moment the page was opened: words such as "3 May" need no better one. */
function useNowAtMount(): number {
  const [now] = useState(() => Date.now());
  return now;
}

/** What the page shows: the coloured text of the moment, or its difference from now. */
function useLines({ view, mode, colourOf }: { view: HistoryView; mode: HistoryPlace['mode']; colourOf: Past['colourOf'] }, parts: Parameters<typeof diffLines>[0] | null) {
  const { shown } = view;
  const authored = useMemo(() => (mode === 'authors' && shown ? attributedLines(shown.text, shown.runs, colourOf) : null), [mode, shown, colourOf]);
  const differing = useMemo(() => (mode === 'changes' && parts ? diffLines(parts) : null), [mode, parts]);
  return authored ?? differing ?? NO_LINES;
}

const NO_LINES: ReturnType<typeof diffLines> = [];
