// One ticking clock for everything that says "2 min ago".
import { useEffect, useState } from 'react';

/** The time, renewed every `everyMs` while the page is visible; `null` until mounted, so that an export has no date in it. */
export function useNow(everyMs: number): number | null {
  const [now, setNow] = useState<number | null>(null);
  useEffect(() => {
    const tick = () => {
      if (document.visibilityState === 'visible') setNow(Date.now());
    };
    // After the first paint, outside of the effect's own turn.
    const first = requestAnimationFrame(tick);
    const timer = setInterval(tick, everyMs);
    document.addEventListener('visibilitychange', tick);
    return () => {
      cancelAnimationFrame(first);
      clearInterval(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }, [everyMs]);
  return now;
}

/** True once `waiting` has lasted `afterMs`: a skeleton that would only flash is never shown. */
export function useOverdue(waiting: boolean, afterMs: number): boolean {
  const [overdue, setOverdue] = useState(false);
  useEffect(() => {
    if (!waiting) return;
    const timer = setTimeout(() => setOverdue(true), afterMs);
    return () => {
      clearTimeout(timer);
      setOverdue(false);
    };
  }, [waiting, afterMs]);
  return waiting && overdue;
}
