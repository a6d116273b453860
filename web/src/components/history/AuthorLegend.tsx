import { cx } from '@/lib/cx';
import { personColour } from '@/lib/person';

export interface LegendEntry {
  user: string;
  name: string;
  color: number;
  /** Part of the shown text that is theirs, 0 to 1. */
  share: number;
}

export interface AuthorLegendProps {
  authors: readonly LegendEntry[];
  /** Whose text alone stands out. */
  chosen: string | null;
  onChoose(user: string | null): void;
}

const percent = (share: number) => (share > 0 && share < 0.01 ? '<1 %' : `${Math.round(share * 100)} %`);

/** Whose colour is whose, and how much of the text they wrote. A click lets one person's text stand out. */
export function AuthorLegend({ authors, chosen, onChoose }: AuthorLegendProps) {
  if (authors.length === 0) return <p className="px-2 text-sm text-muted">Nobody has written yet.</p>;
  return (
    <ul aria-label="Authors" className="flex flex-col">
      {authors.map(({ user, name, color, share }) => (
        <li key={user}>
          <button
            type="button"
            aria-pressed={chosen === user}
            onClick={() => onChoose(chosen === user ? null : user)}
            className={cx('flex min-h-8 w-full items-center gap-2 rounded-control px-2 py-1 text-start text-sm hover:bg-wash touch:min-h-11', chosen === user && 'bg-wash font-medium')}
          >
            <span aria-hidden className="size-3 shrink-0 rounded-full" style={{ background: personColour(color) }} />
            <span className="min-w-0 flex-1 truncate"><bdi>{name}</bdi></span>
            <span className="shrink-0 text-xs text-muted tabular-nums">{percent(share)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
