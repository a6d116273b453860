'use client';

import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { go } from '@/data/address';
import { useOverdue } from '@/data/clock';
import { useDiff } from '@/data/history';
import { useMedia } from '@/data/media';
import type { HistoryPlace } from '@/lib/history/place';
import { neighbourMark, stripes } from '@/lib/history/timeline';
import { placeWords, troubleWords } from '@/lib/history/words';
import { Sheet } from '../Sheet';
import { AuthorLegend } from './AuthorLegend';
import { HistoryBar } from './HistoryBar';
import { HistoryBody } from './HistoryBody';
import { HistoryDock } from './HistoryDock';
import { HistoryProblem } from './HistoryProblem';
import { RestorePreview } from './RestorePreview';
import { Versions } from './Versions';
import { useHistoryKeys } from './keys';
import { useLegend, useLines, usePast, useRestore, whoWhen } from './past';

const SKELETON_AFTER_MS = 300;

const back = () => go('');
const goHome = () => window.location.assign('/');

/** `/d/<id>?history`: the same page, at any moment of its past. */
export function HistoryPage({ id, place }: { id: string; place: HistoryPlace }) {
  const past = usePast(id, place);
  const { model, view, versions, mode, nowMs } = past;
  const [panel, setPanel] = useState<'versions' | 'authors' | 'restore' | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const slider = useRef<HTMLInputElement>(null);
  const wide = useMedia('(width >= 64rem)');
  const overdue = useOverdue(view.phase === 'loading', SKELETON_AFTER_MS);
  const legend = useLegend(past);
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
  const { who, when, timeMs } = whoWhen(past, view.revision);
  const here = marks.filter((mark) => mark.revision === view.revision).map((mark) => mark.name);
  const words = (revision: number) => {
    const at = whoWhen(past, revision);
    return placeWords({ revision, head: view.head, author: at.who, timeMs: at.timeMs }, nowMs);
  };
  const valueText = placeWords({ revision: view.revision, head: view.head, author: who, timeMs, versions: here }, nowMs);

  const versionList = <Versions past={past} onJump={jump} />;
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
