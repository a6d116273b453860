import type { Column } from '@/lib/dashboard/series';
import { extent } from '@/lib/dashboard/series';
import type { Unit } from '@/lib/dashboard/units';

export interface TileProps {
  name: string;
  values: Column;
  unit: Unit;
  /** Shown in place of the latest value. */
  value?: number | null;
}

const WIDTH = 96;
const HEIGHT = 24;
/** The sparkline shows so many of the latest values: two minutes. */
const SHOWN = 120;

/** Points of a line through the values, from bottom to top of the box. */
function path(values: Column): string {
  const shown = values.slice(-SHOWN);
  const most = extent(shown).most ?? 0;
  let pen = 'M';
  return shown
    .map((value, index) => {
      if (value === null) {
        pen = 'M';
        return '';
      }
      const x = (WIDTH * (index + SHOWN - shown.length)) / (SHOWN - 1);
      const y = HEIGHT - 1 - (most > 0 ? ((HEIGHT - 2) * value) / most : 0);
      const step = `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = 'L';
      return step;
    })
    .join('');
}

/** One number, and how it came to be in the last two minutes. */
export function Tile({ name, values, unit, value = extent(values).last }: TileProps) {
  return (
    <div className="flex min-w-0 flex-col gap-1 rounded-panel border border-line bg-raised px-4 py-3">
      <dt className="truncate text-xs text-muted">{name}</dt>
      <dd className="text-lg font-bold tracking-[-0.01em] whitespace-nowrap tabular-nums">{unit(value)}</dd>
      <dd aria-hidden dir="ltr">
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className="block h-6 w-full text-accent">
          <path d={path(values)} fill="none" stroke="currentColor" strokeWidth="1.5" vectorEffect="non-scaling-stroke" strokeLinejoin="round" />
        </svg>
      </dd>
    </div>
  );
}
