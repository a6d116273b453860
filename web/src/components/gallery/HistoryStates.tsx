'use client';

import { diffParts } from '@/lib/history/diff';
import { attributedLines, diffLines } from '@/lib/history/lines';
import { placeWords } from '@/lib/history/words';
import { AuthorLegend } from '../history/AuthorLegend';
import { HistoryBar } from '../history/HistoryBar';
import { HistoryBody, type HistoryBodyProps } from '../history/HistoryBody';
import { HistoryDock } from '../history/HistoryDock';
import { HistoryProblem } from '../history/HistoryProblem';
import { RestoreBody } from '../history/RestorePreview';
import { SinceLine } from '../history/SinceLine';
import { VersionList, type VersionListProps } from '../history/VersionList';
import { State } from './State';
import { LONG_NAME, NOW_MS } from './samples';
import { DIFF_OPERATION, EARLIER_TEXT, LATER_RUNS, LATER_TEXT, MARKS, VERSIONS, colourOf, legend, sampleStripes } from './history-samples';

const nothing = () => {};
const never = () => Promise.resolve();

interface DockProps {
  name: string;
  head: number;
  revision: number;
  marks?: number;
  authors?: number;
  who?: string;
  playing?: boolean;
  waiting?: boolean;
  disabled?: boolean;
  narrow?: boolean;
  direction?: 'rtl';
}

function Dock({ name, head, revision, marks = 0, authors = 3, who = 'Ada Lovelace', playing = false, waiting = false, disabled = false, narrow = false, direction }: DockProps) {
  return (
    <State name={name}>
      <div dir={direction} className="rounded-panel border border-line">
        <HistoryDock
          slider={{
            head, revision, disabled, colourOf, stripes: sampleStripes(authors), onSeek: nothing, wordsAt: (at) => placeWords({ revision: at, head }, NOW_MS),
            valueText: placeWords({ revision, head, author: who, timeMs: NOW_MS }, NOW_MS),
            marks: MARKS.slice(0, marks).map(({ share, name: mark }) => ({ revision: Math.round(share * head), name: mark })),
          }}
          play={{ playing, speed: 4, disabled, onPlay: nothing, onPause: nothing, onSpeed: nothing }}
          who={who}
          when={disabled ? '' : '3 May 14:02'}
          waiting={waiting}
          onVersions={narrow ? nothing : undefined}
          onAuthors={narrow ? nothing : undefined}
        />
      </div>
    </State>
  );
}

const parts = diffParts(EARLIER_TEXT, DIFF_OPERATION);

function Body({ name, tall = true, ...change }: { name: string; tall?: boolean } & Partial<HistoryBodyProps>) {
  return (
    <State name={name}>
      {/* A page has one main part; here there are many. */}
      <div className={`flex ${tall ? 'h-80' : 'h-44'} overflow-hidden rounded-panel border border-line`}>
        <HistoryBody
          element="div"
          state="ready"
          overdue
          lines={attributedLines(LATER_TEXT, LATER_RUNS, colourOf)}
          label={`Text, ${name}`}
          diff={null}
          follow={false}
          chosen={null}
          onRetry={nothing}
          {...change}
        />
      </div>
    </State>
  );
}

function Versions({ name, ...change }: { name: string } & Partial<VersionListProps>) {
  return (
    <State name={name}>
      <div className="w-72 max-w-full">
        <VersionList
          versions={VERSIONS}
          revision={1204}
          canEdit
          onJump={nothing}
          onCreate={never}
          onRename={never}
          onDelete={nothing}
          onRetry={nothing}
          {...change}
        />
      </div>
    </State>
  );
}

/** The history view in every state it has. */
export function HistoryStates() {
  return (
    <>
      <State name="bar">
        <div className="rounded-panel border border-line">
          <HistoryBar title="Meeting notes" mode="authors" ready canEdit isNow={false} onBack={nothing} onMode={nothing} onRestore={nothing} />
        </div>
      </State>
      <State name="bar, comparing, long title, now">
        <div className="rounded-panel border border-line">
          <HistoryBar title={`${LONG_NAME}: collected letters`} mode="changes" ready canEdit isNow onBack={nothing} onMode={nothing} onRestore={nothing} />
        </div>
      </State>
      <State name="bar, loading">
        <div className="rounded-panel border border-line">
          <HistoryBar title="" mode="authors" ready={false} canEdit={false} isNow onBack={nothing} onMode={nothing} onRestore={nothing} />
        </div>
      </State>
      <Dock name="slider at the end" head={157} revision={157} authors={2} marks={1} />
      <Dock name="a quarter of a million revisions, forty versions, playing" head={250_000} revision={120_400} authors={12} marks={40} playing narrow />
      <Dock name="on its way, long name" head={5_000} revision={1_204} waiting who={LONG_NAME} narrow />
      <Dock name="loading" head={0} revision={0} authors={0} disabled who=" " />
      <Dock name="right to left" head={5_000} revision={1_204} marks={4} direction="rtl" who="مريم" />
      <Body name="authors" />
      <Body name="one author alone" chosen="g_1" tall={false} />
      <Body name="loading" state="loading" tall={false} lines={[]} />
      <Body name="empty" tall={false} lines={attributedLines('', [], colourOf)} />
      <Body name="a moment that cannot be had" trouble="unreachable" />
      <Body name="comparing with now" lines={diffLines(parts)} diff={{ parts, waiting: false }} />
      <Body name="a difference on its way" state="comparing" tall={false} lines={[]} diff={{ parts: null, waiting: true }} />
      <div className="grid gap-x-6 sm:grid-cols-2">
        <Versions name="versions" />
        <Versions name="no versions" versions={[]} />
        <Versions name="no versions, read only" versions={[]} canEdit={false} />
        <Versions name="versions loading" versions={null} />
        <Versions name="versions not to be had" versions={null} trouble="The server cannot be reached." />
        <State name="authors">
          <div className="w-72 max-w-full">
            <AuthorLegend authors={legend(9)} chosen="g_1" onChoose={nothing} />
          </div>
        </State>
        <State name="no authors">
          <AuthorLegend authors={[]} chosen={null} onChoose={nothing} />
        </State>
      </div>
      <div className="grid gap-6 sm:grid-cols-2">
        <State name="preview of restoring">
          <RestoreBody parts={parts} restoring={false} onRestore={nothing} onRetry={nothing} onCancel={nothing} />
        </State>
        <State name="preview, working it out">
          <RestoreBody parts={null} restoring={false} onRestore={nothing} onRetry={nothing} onCancel={nothing} />
        </State>
        <State name="preview, nothing to restore">
          <RestoreBody parts={[{ kind: 'keep', text: EARLIER_TEXT }]} restoring={false} onRestore={nothing} onRetry={nothing} onCancel={nothing} />
        </State>
        <State name="preview, no connection">
          <RestoreBody parts={null} trouble="The server cannot be reached." restoring={false} onRestore={nothing} onRetry={nothing} onCancel={nothing} />
        </State>
      </div>
      <State name="since I last looked">
        <SinceLine words="12 changes by Ada and Ben since Tuesday" onShow={nothing} onDismiss={nothing} />
      </State>
      <div className="grid sm:grid-cols-2">
        {['unreachable', 'overloaded', 'not_found', 'unheard_of'].map((code) => (
          <State key={code} name={code}>
            <HistoryProblem code={code} onRetry={nothing} onBack={nothing} onHome={nothing} />
          </State>
        ))}
      </div>
    </>
  );
}
