// The count of words and characters, some time after the last change and never during a keystroke.
import { useEffect, useState } from 'react';
import { type TextCount, countInSlices } from '@/lib/count';

interface Source {
  text(): string;
  subscribe(fn: () => void): () => void;
}

/** Pause between a change and the count: longer for long texts, so that counting never takes a tenth of the time. */
const pauseMs = (characters: number) => 250 + characters / 2000;
/** Work done in one go before the page gets its turn again. */
const TURN_MS = 6;

const whenIdle = (fn: () => void): (() => void) => {
  if (typeof requestIdleCallback === 'function') {
    const handle = requestIdleCallback(fn, { timeout: 1000 });
    return () => cancelIdleCallback(handle);
  }
  const timer = setTimeout(fn, 1);
  return () => clearTimeout(timer);
};

/** Counts `text` in idle moments, then calls `done`. Returns how to stop. */
export function countWhenIdle(text: string, done: (count: TextCount) => void): () => void {
  const slices = countInSlices(text);
  let last: TextCount = { words: 0, characters: 0 };
  let stop = () => {};
  const turn = () => {
    const until = performance.now() + TURN_MS;
    for (;;) {
      const { value, done: finished } = slices.next();
      if (finished) return done(last);
      last = value;
      if (performance.now() > until) break;
    }
    stop = whenIdle(turn);
  };
  stop = whenIdle(turn);
  return () => stop();
}

/** The count of what `source` holds; `null` until it is known. */
export function useTextCount(source: Source | null, ready: boolean): TextCount | null {
  const [count, setCount] = useState<TextCount | null>(null);
  useEffect(() => {
    if (!source || !ready) return;
    let stopCounting = () => {};
    let timer: ReturnType<typeof setTimeout> | undefined;
    let length = 0;
    const recount = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        stopCounting();
        const text = source.text();
        length = text.length;
        stopCounting = countWhenIdle(text, setCount);
      }, pauseMs(length));
    };
    recount();
    const unsubscribe = source.subscribe(recount);
    return () => {
      unsubscribe();
      clearTimeout(timer);
      stopCounting();
    };
  }, [source, ready]);
  return count;
}
