/**
 * How long to wait before the next attempt: exponential with full jitter.
 *
 * The first window is already 2.5 s wide, because a restarted server meets all its clients at once: 1,000 of them
 * then arrive with about 40 per 100 ms. A server that sends its clients to another one spreads them itself, so there the
 * first windows are shorter: attempts from `MOVED_ATTEMPT` on.
 */

export const DELAY_MIN_MS = 500;
export const DELAY_MAX_MS = 30_000;
const FIRST_WINDOW_MS = 3_000;
/** The first attempt after a close with 1012: within 375 ms, then 750 ms, then 1.5 s. */
export const MOVED_ATTEMPT = -3;

/** Delay in milliseconds before attempt number `attempt` (0 is the first retry); `random` is in [0, 1). */
export function backoffMs(attempt: number, random: number): number {
  const window = Math.min(DELAY_MAX_MS, FIRST_WINDOW_MS * 2 ** Math.min(attempt, 10));
  const least = Math.min(DELAY_MIN_MS, window / 6);
  return Math.round(least + random * (window - least));
}
