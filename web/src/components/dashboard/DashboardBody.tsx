'use client';

import { useMemo } from 'react';
import type { FiguresView } from '@/data/live';
import { cx } from '@/lib/cx';
import { columns, minutes, rejectsByCode } from '@/lib/dashboard/series';
import { perSecond, plain, size, sizePerSecond, time } from '@/lib/dashboard/units';
import { problemWords } from '@/lib/dashboard/words';
import { Message } from '../Message';
import { Chart, type Line } from './Chart';
import { DocumentTable, MinuteTable } from './Tables';
import { Tile } from './Tile';

const HEADING = 'mb-3 scroll-mt-20 text-md font-bold tracking-[-0.01em]';

export interface DashboardBodyProps {
  view: FiguresView;
  titles: ReadonlyMap<string, string>;
}

/** The figures in whatever state they are. */
export function DashboardBody({ view, titles }: DashboardBodyProps) {
  const { seconds, documents } = view;
  const all = useMemo(() => columns(seconds), [seconds]);
  const isServer = view.of === 'server';
  const lines = useMemo((): Record<'operations' | 'people' | 'latency' | 'traffic' | 'memory' | 'rejects', Line[]> => ({
    operations: [{ name: 'Operations', values: all.operations, color: 'accent', look: 'filled' }],
    people: [
      { name: 'People', values: all.people, color: 'accent' },
      { name: 'Documents', values: all.documents, color: 'ok', look: 'dashed' },
    ],
    latency: [
      { name: 'Append p50', values: all.appendP50, color: 'ok', look: 'dashed' },
      { name: 'Append p99', values: all.appendP99, color: 'accent' },
      { name: 'Fan-out p99', values: all.fanoutP99, color: 'warn' },
    ],
    traffic: [
      { name: 'Sent', values: all.sent, color: 'accent' },
      { name: 'Received', values: all.received, color: 'ok', look: 'dashed' },
    ],
    memory: [{ name: 'Memory', values: all.memory, color: 'accent', look: 'filled' }],
    rejects: [{ name: 'Rejects', values: all.rejects, color: 'warn', look: 'filled' }],
  }), [all]);
  const rejects = useMemo(() => rejectsByCode(seconds), [seconds]);
  const rows = useMemo(() => minutes(all), [all]);

  if (view.state === 'refused') {
    const { title, detail } = problemWords(view.code);
    return <Message tone="bad" title={title} detail={detail} />;
  }
  if (view.of === undefined) return null;
  const rejected = rejects.reduce((sum, { count }) => sum + count, 0);
  return (
    <>
      <dl className={cx('mb-6 grid grid-cols-2 gap-3', isServer ? 'sm:grid-cols-4' : 'max-sm:[&>:last-child]:col-span-2 sm:grid-cols-3')}>
        <Tile name="People online" values={all.people} unit={plain} />
        <Tile name="Documents open" values={all.documents} unit={plain} />
        <Tile name="Operations" values={all.operations} unit={perSecond} />
        {isServer && (
          <>
            <Tile name="Append, 99 in 100" values={all.appendP99} unit={time} />
            <Tile name="Saving, 99 in 100" values={all.answerP99} unit={time} />
            <Tile name="Sent" values={all.sent} unit={sizePerSecond} />
            <Tile name="Memory" values={all.memory} unit={size} />
            <Tile name="Rejects, 15 min" values={all.rejects} unit={plain} value={rejected} />
          </>
        )}
      </dl>
      <div className="mb-12 grid gap-3 lg:grid-cols-2">
        <Chart title="Operations a second" times={all.times} lines={lines.operations} unit={perSecond} />
        {isServer && <Chart title="Latency" times={all.times} lines={lines.latency} unit={time} />}
        <Chart title="People and documents" times={all.times} lines={lines.people} unit={plain} />
        {isServer && (
          <>
            <Chart title="Traffic" times={all.times} lines={lines.traffic} unit={sizePerSecond} />
            <Chart title="Memory" times={all.times} lines={lines.memory} unit={size} />
            <Chart title="Rejects a second" times={all.times} lines={lines.rejects} unit={perSecond} />
          </>
        )}
      </div>
      <div className={cx('grid gap-12', isServer && 'lg:grid-cols-[2fr_1fr]')}>
        <section aria-labelledby="busiest">
          <h2 id="busiest" className={HEADING}>Busiest documents</h2>
          <DocumentTable documents={documents} titles={titles} />
        </section>
        {isServer && (
          <section aria-labelledby="rejects">
            <h2 id="rejects" className={HEADING}>Rejects by code</h2>
            {rejects.length === 0 ? (
              <p className="text-sm text-muted">None in the last 15 minutes.</p>
            ) : (
              <dl className="text-sm">
                {rejects.map(({ code, count }) => (
                  <div key={code} className="flex justify-between gap-4 border-b border-line py-2 last:border-0">
                    <dt className="truncate font-mono text-xs leading-5">{code}</dt>
                    <dd className="tabular-nums">{plain(count)}</dd>
                  </div>
                ))}
              </dl>
            )}
          </section>
        )}
      </div>
      <details className="mt-12">
        <summary className="w-fit rounded-control text-sm text-muted hover:text-ink touch:py-3">The charts as a table</summary>
        <div className="mt-3">
          <MinuteTable rows={rows} isServer={isServer} />
        </div>
      </details>
    </>
  );
}
