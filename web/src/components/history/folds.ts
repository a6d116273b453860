import { useCallback, useMemo, useState } from 'react';
import { type Line, foldedLines } from '@/lib/history/lines';

/** Lines with their unchanged stretches folded, until they are opened one by one. */
export function useFolds(lines: readonly Line[]) {
  const [open, setOpen] = useState<ReadonlySet<number>>(() => new Set());
  const folded = useMemo(() => foldedLines(lines, open), [lines, open]);
  const unfold = useCallback((index: number) => setOpen((before) => new Set(before).add(index)), []);
  return { folded, unfold };
}
