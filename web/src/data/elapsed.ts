// Time that has gone by since a value was new.
import { useEffect, useState } from 'react';

/** Milliseconds since `value` last changed its identity, renewed every second while `active`. */
export function useElapsedMs(value: unknown, active: boolean): number {
  const [mark, setMark] = useState(() => ({ value, elapsedMs: 0 }));
  if (mark.value !== value) setMark({ value, elapsedMs: 0 });
  useEffect(() => {
    if (!active) return;
    const since = performance.now();
    const timer = setInterval(() => setMark({ value, elapsedMs: performance.now() - since }), 1000);
    return () => clearInterval(timer);
  }, [value, active]);
  return mark.value === value ? mark.elapsedMs : 0;
}
