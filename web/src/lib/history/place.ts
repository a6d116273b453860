// Where in a document's history one is, as the address says it: `?history`, `?history=1204`, `?history=1204&changes`.

export type HistoryMode = 'authors' | 'changes';

export interface HistoryPlace {
  /** Absent: the last revision. */
  revision?: number;
  mode: HistoryMode;
}

/** The place an address names; null when it does not name the history. */
export function historyPlace(search: string): HistoryPlace | null {
  const parameters = new URLSearchParams(search);
  const value = parameters.get('history');
  if (value === null) return null;
  const mode = parameters.has('changes') ? 'changes' : 'authors';
  return /^\d{1,15}$/.test(value) ? { revision: Number(value), mode } : { mode };
}

/** The address of a place, after "?". */
export const historySearch = ({ revision, mode }: HistoryPlace): string =>
  `history${revision === undefined ? '' : `=${revision}`}${mode === 'changes' ? '&changes' : ''}`;
