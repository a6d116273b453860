/**
 * What this person has read on this device and the server does not know yet. It survives a reload where the browser keeps
 * anything, and is told with the next connection; told twice, it is the same.
 */

/** Where marks are kept, by whose they are; every method may fail, which costs only what a reload would lose. */
export interface MarkStore {
  /** Notifications that were read one by one, and the number up to which everything was; 0 for none. */
  list(whose: string): { ids: string[]; to: number };
  put(whose: string, mark: string | number): void;
  delete(whose: string, mark: string | number): void;
}

const PREFIX = 'concord-read';
/** Marks that are kept at most: more are told while the page lives. */
const MARKS_MAX = 500;

/** One entry of `localStorage` for each, so that tabs do not overwrite each other's. */
export function deviceMarks(): MarkStore {
  const kindOf = (mark: string | number) => (typeof mark === 'number' ? 'to' : 'id');
  const keyOf = (whose: string, mark: string | number) => `${PREFIX}/${whose}/${kindOf(mark)}/${mark}`;
  const attempt = <T>(fn: () => T): T | undefined => {
    try {
      return fn();
    } catch {
      return undefined; // blocked, full, or not there
    }
  };
  const marksOf = (whose: string, kind: string) => {
    const prefix = `${PREFIX}/${whose}/${kind}/`;
    const keys = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? '');
    return keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  };
  return {
    list: (whose) => ({
      ids: attempt(() => marksOf(whose, 'id')) ?? [],
      to: Math.max(0, ...(attempt(() => marksOf(whose, 'to')) ?? []).map(Number)),
    }),
    put: (whose, mark) =>
      attempt(() => {
        if (marksOf(whose, kindOf(mark)).length < MARKS_MAX) localStorage.setItem(keyOf(whose, mark), '');
      }),
    delete: (whose, mark) => attempt(() => localStorage.removeItem(keyOf(whose, mark))),
  };
}
