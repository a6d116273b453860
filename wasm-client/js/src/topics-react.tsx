'use client';
/**
 * `@concord/client/topics/react`: topics in React.
 *
 * ```tsx
 * const { last, state, tell } = useTopic<{ cpu: number }>('load');
 * return <output>{last ? `${Math.round(last.data.cpu * 100)} %` : state}</output>;
 * ```
 */
import { useContext, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { Context } from './react/context.js';
import type { ClientHolder } from './react/holder.js';
import { onEvent, TellError, topic, type Topic, type TopicEvent, type TopicState } from './topics.js';

export type { TopicEvent, TopicState } from './topics.js';

/** What `useTopic` answers; a new object when `last`, `state` or `missed` has changed. */
export interface TopicView<Data> {
  /** The latest event. */
  last: TopicEvent<Data> | undefined;
  state: TopicState;
  /** How many events were lost because this page took them too slowly. */
  missed: number;
  /** Tells everybody who watches; fails with a `TellError`. */
  tell: (data: Data, name?: string) => Promise<void>;
}

class TopicStore<Data> {
  readonly #holder: ClientHolder;
  readonly #name: string | null;
  readonly #listeners = new Set<() => void>();
  #topic: Topic<Data> | undefined;
  readonly initial: TopicView<Data> = {
    last: undefined,
    state: 'waiting',
    missed: 0,
    tell: (data, name) => this.#topic?.tell(data, name) ?? Promise.reject(new TellError('closed')),
  };
  #view = this.initial;
  heard: (event: TopicEvent<Data>) => void = () => undefined;

  constructor(holder: ClientHolder, name: string | null) {
    this.#holder = holder;
    this.#name = name;
  }

  readonly snapshot = (): TopicView<Data> => this.#view;
  readonly serverSnapshot = (): TopicView<Data> => this.initial;

  readonly subscribe = (fn: () => void): (() => void) => {
    this.#listeners.add(fn);
    if (this.#listeners.size === 1) this.#open();
    return () => {
      this.#listeners.delete(fn);
      if (this.#listeners.size > 0) return;
      this.#topic?.close();
      this.#topic = undefined;
    };
  };

  #open(): void {
    if (this.#name === null) return;
    const opened = (this.#topic = topic<Data>(this.#holder.client, this.#name));
    opened.subscribe((last) => {
      this.#change({ last });
      this.heard(last);
    });
    opened.onState(() => this.#change({ state: opened.state }));
    opened.onMissed((events) => this.#change({ missed: this.#view.missed + events }));
    this.#change({ state: opened.state });
  }

  #change(fields: Partial<TopicView<Data>>): void {
    this.#view = { ...this.#view, ...fields };
    for (const fn of [...this.#listeners]) fn();
  }
}

/**
 * Watches a topic while the component is mounted; without a name it waits. `last` is the latest event; give `heard` to
 * see every one of them, also where several come between two renders.
 */
export function useTopic<Data = unknown>(
  name: string | null | undefined,
  heard?: (event: TopicEvent<Data>) => void,
): TopicView<Data> {
  const holder = useContext(Context);
  const store = useMemo(() => new TopicStore<Data>(holder, name ?? null), [holder, name]);
  useEffect(() => {
    store.heard = heard ?? (() => undefined);
  });
  return useSyncExternalStore(store.subscribe, store.snapshot, store.serverSnapshot);
}

/** Hears what back ends tell this person and their tenant, while the component is mounted. */
export function useEvents<Data = unknown>(heard: (event: TopicEvent<Data>) => void): void {
  const holder = useContext(Context);
  const latest = useRef(heard);
  useEffect(() => {
    latest.current = heard;
  });
  useEffect(() => onEvent<Data>(holder.client, (event) => latest.current(event)), [holder]);
}
