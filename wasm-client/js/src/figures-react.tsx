'use client';
/**
 * `@concord/client/figures/react`: figures in React.
 *
 * ```tsx
 * const { seconds } = useFigures();
 * return <output>{seconds.at(-1)?.operations ?? '–'} operations a second</output>;
 * ```
 */
import { useContext, useMemo, useSyncExternalStore } from 'react';
import { type FiguresOf, type FiguresView, NO_FIGURES, type WatchedFigures, watchFigures } from './figures.js';
import { Context } from './react/context.js';
import type { ClientHolder } from './react/holder.js';

export type { DocumentFigures, FiguresOf, FiguresView, SecondFigures, ServerFigures, Spread } from './figures.js';

class FiguresStore {
  readonly #holder: ClientHolder;
  readonly #of: FiguresOf | undefined;
  readonly #listeners = new Set<() => void>();
  #watched: WatchedFigures | undefined;

  constructor(holder: ClientHolder, of: FiguresOf | undefined) {
    this.#holder = holder;
    this.#of = of;
  }

  readonly snapshot = (): FiguresView => this.#watched?.view ?? NO_FIGURES;
  readonly serverSnapshot = (): FiguresView => NO_FIGURES;

  readonly subscribe = (fn: () => void): (() => void) => {
    this.#listeners.add(fn);
    if (!this.#watched) {
      this.#watched = watchFigures(this.#holder.client, this.#of);
      this.#watched.subscribe(() => {
        for (const listener of [...this.#listeners]) listener();
      });
    }
    return () => {
      this.#listeners.delete(fn);
      if (this.#listeners.size > 0) return;
      this.#watched?.close();
      this.#watched = undefined;
    };
  };
}

/** How much goes on, once a second at most, while the component is mounted. */
export function useFigures(of?: FiguresOf): FiguresView {
  const holder = useContext(Context);
  const store = useMemo(() => new FiguresStore(holder, of), [holder, of]);
  return useSyncExternalStore(store.subscribe, store.snapshot, store.serverSnapshot);
}
