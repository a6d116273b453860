'use client';

import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import { useScheme } from '@/data/scheme';
import type { Column } from '@/lib/dashboard/series';
import { extent } from '@/lib/dashboard/series';
import type { Unit } from '@/lib/dashboard/units';
import { clockTime } from '@/lib/time';

/** One line of a chart. Lines are told apart by their stroke too, not by colour alone. */
export interface Line {
  name: string;
  values: Column;
  /** A colour of the app's tokens. */
  color: 'accent' | 'ok' | 'warn';
  look?: 'filled' | 'plain' | 'dashed';
}

export interface ChartProps {
  title: string;
  /** In seconds since 1970, ascending. */
  times: number[];
  lines: Line[];
  unit: Unit;
}

const HEIGHT_PX = 168;
const AXIS_PX = 60;
const TICK_S = 5 * 60;
const REACH_S = 15 * 60;
const FONT = '12px "Inter Variable", sans-serif';

/** A token's colour as the page has it now, for a canvas, which knows no custom properties. */
function painted(within: Element, token: string, alpha = 1): string {
  const probe = document.createElement('span');
  probe.style.color = alpha === 1 ? `var(--${token})` : `color-mix(in oklab, var(--${token}) ${alpha * 100}%, transparent)`;
  within.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function options(within: HTMLElement, lines: Line[], unit: Unit, onPoint: (index: number | null) => void): uPlot.Options {
  const axis = { stroke: painted(within, 'ink-muted'), font: FONT, ticks: { show: false } };
  const grid = { stroke: painted(within, 'line'), width: 1 };
  return {
    width: within.clientWidth,
    height: HEIGHT_PX,
    padding: [6, 8, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'dashboard' }, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: true, range: (_, __, latest) => [latest - REACH_S, latest] },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.05 : 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, incrs: [TICK_S], values: (_, splits) => splits.map((split) => clockTime(split * 1_000)), size: 24 },
      { ...axis, grid, size: AXIS_PX, space: 44, values: (_, splits) => splits.map((split) => unit(split)) },
    ],
    series: [
      {},
      ...lines.map(({ name, color, look = 'plain' }) => ({
        label: name,
        stroke: painted(within, color),
        width: 1.5,
        ...(look === 'filled' && { fill: painted(within, color, 0.12) }),
        ...(look === 'dashed' && { dash: [5, 4] }),
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  };
}

/** What a reader who does not see the chart is told of it. */
function inWords(lines: Line[], unit: Unit): string {
  const parts = lines.map(({ name, values }) => {
    const { last, least, most } = extent(values);
    return last === null ? `${name}: nothing measured` : `${name}: now ${unit(last)}, between ${unit(least)} and ${unit(most)} in 15 minutes`;
  });
  return parts.join('; ');
}

/** Lines over the last 15 minutes. What the pointer is on is written above; all charts of the page point at one time. */
export function Chart({ title, times, lines, unit }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [point, setPoint] = useState<number | null>(null);
  const scheme = useScheme();
  const latest = useRef({ times, lines, unit });
  useEffect(() => {
    latest.current = { times, lines, unit };
    plot.current?.setData([times, ...lines.map((line) => line.values)]);
  }, [times, lines, unit]);

  const looks = lines.map(({ name, color, look }) => `${name} ${color} ${look}`).join();
  useEffect(() => {
    const within = place.current;
    if (!within) return;
    const now = latest.current;
    const made = new uPlot(options(within, now.lines, now.unit, setPoint), [now.times, ...now.lines.map((line) => line.values)], within);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: within.clientWidth, height: HEIGHT_PX }));
    resized.observe(within);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [looks, scheme]);

  const index = point !== null && point < times.length ? point : null;
  const shown = (values: Column) => (index === null ? extent(values).last : (values[index] ?? null));
  return (
    <figure className="flex min-w-0 flex-col justify-between rounded-panel border border-line bg-raised p-4">
      <figcaption className="mb-3 flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <span className="text-sm font-medium">{title}</span>
        <span className="flex min-h-5 flex-wrap items-center gap-x-4 gap-y-1 text-xs text-muted tabular-nums" aria-hidden>
          {index !== null && <span>{clockTime((times[index] ?? 0) * 1_000)}</span>}
          {lines.map(({ name, values, color, look = 'plain' }) => (
            <span key={name} className="inline-flex items-center gap-1.5">
              <svg width="14" height="4" aria-hidden className="shrink-0">
                <line x1="0" x2="14" y1="2" y2="2" stroke={`var(--${color})`} strokeWidth="2" strokeDasharray={look === 'dashed' ? '4 3' : undefined} />
              </svg>
              {name} <b className="font-medium text-ink">{unit(shown(values))}</b>
            </span>
          ))}
        </span>
      </figcaption>
      {/* The time goes from left to right, whatever the page's language does. */}
      <div ref={place} dir="ltr" role="img" aria-label={`${title}. ${inWords(lines, unit)}`} style={{ height: HEIGHT_PX }} />
    </figure>
  );
}
