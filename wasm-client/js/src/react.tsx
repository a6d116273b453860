'use client';
/**
 * `@concord/client/react`: hooks for a shared text. They render on the server (state `loading`, no window needed) and
 * connect after mounting; a document stays open while any mounted component uses it.
 *
 * ```tsx
 * function Editor({ id }: { id: string }) {
 *   const { ref, status } = useDocument(id);
 *   return <><textarea ref={ref} aria-busy={status.phase === 'loading'} /><p role="status">{status.save}</p></>;
 * }
 *
 * export default function Page() {
 *   return <ConcordProvider url="https://docs.example.com"><Editor id="…32 hex digits…" /></ConcordProvider>;
 * }
 * ```
 */
import {
  useContext, useEffect, useMemo, useRef, useSyncExternalStore, type ReactElement, type ReactNode,
} from 'react';
import { createClient, type ClientOptions, type ConcordClient } from './client.js';
import { Context } from './react/context.js';
import { ClientHolder } from './react/holder.js';
import { DocumentStore, PresenceStore, type DocumentView, type PresenceView } from './react/stores.js';
import type { BindingOptions } from './textarea.js';
import type { ConnectionState } from './types.js';

export type { DocumentView, PresenceView } from './react/stores.js';

export interface ConcordProviderProps extends ClientOptions {
  /** A client made elsewhere, used as it is and left open; the other options are then not read. */
  client?: ConcordClient;
  children?: ReactNode;
}

/**
 * Gives one client to everything inside. Only needed when the server is another one than the page's, or wants a token:
 *
 * ```tsx
 * <ConcordProvider url="https://docs.example.com" token={() => fetch('/token').then((answer) => answer.text())}>
 * ```
 *
 * `token` and `onError` may be new functions in every render; another `url`, `storage` or `wasm` makes a new client.
 */
export function ConcordProvider({ client, children, ...options }: ConcordProviderProps): ReactElement {
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  const { url, storage, wasm } = options;
  const asks = options.token !== undefined;
  const holder = useMemo(() => {
    if (client) return new ClientHolder(() => client, false);
    const make = (): ConcordClient => {
      const token = (): Promise<string> =>
        latest.current.token?.() ?? Promise.reject(new Error('the token function is gone'));
      const onError: ClientOptions['onError'] = (error) => latest.current.onError?.(error);
      const given = { ...(url !== undefined && { url }), ...(storage && { storage }), ...(wasm !== undefined && { wasm }) };
      return createClient({ ...latest.current, ...given, ...(asks && { token }), onError });
    };
    return new ClientHolder(make, true);
  }, [client, url, storage, wasm, asks]);
  useEffect(() => holder.retain(), [holder]);
  return <Context.Provider value={holder}>{children}</Context.Provider>;
}

/** The client of the nearest provider, for what the hooks do not cover. Use it in effects and event handlers. */
export function useConcord(): ConcordClient {
  return useContext(Context).client;
}

/**
 * Opens a document while the component is mounted. Put `ref` on a `<textarea>` that has neither `value` nor
 * `defaultValue`: the text, other people's carets and undo are handled there.
 *
 * Without an id (not known before mounting, say) it stays `loading`.
 *
 * ```tsx
 * const { ref, status, title, undo, canUndo } = useDocument(id);
 * ```
 */
export function useDocument(id: string | null | undefined, options?: BindingOptions): DocumentView {
  const holder = useContext(Context);
  const people = options?.people;
  const parent = people === false ? false : people?.parent;
  const store = useMemo(() => {
    const drawn = parent === false ? { people: false as const } : parent ? { people: { parent } } : {};
    return new DocumentStore(holder, id ?? null, drawn);
  }, [holder, id, parent]);
  return useSyncExternalStore(store.subscribe, store.snapshot, store.serverSnapshot);
}

/**
 * Who else is in a document. It opens the document too, so it may be used anywhere, also without `useDocument`.
 *
 * ```tsx
 * const { people, scrollTo } = usePresence(id);
 * return people.map((person) => <button key={person.session} onClick={() => scrollTo(person)}>{person.name}</button>);
 * ```
 */
export function usePresence(id: string | null | undefined): PresenceView {
  const holder = useContext(Context);
  const store = useMemo(() => new PresenceStore(holder, id ?? null), [holder, id]);
  return useSyncExternalStore(store.subscribe, store.snapshot, store.serverSnapshot);
}

/** The socket's state and a way to try again at once. */
export interface ConnectionView extends ConnectionState {
  retryNow: () => void;
}

/**
 * How the connection is doing: `connected`, `reconnecting` with the time to the next attempt, `offline`, …
 *
 * ```tsx
 * const { state, retryInMs, retryNow } = useConnection();
 * ```
 */
export function useConnection(): ConnectionView {
  const holder = useContext(Context);
  const [subscribe, snapshot, serverSnapshot] = useMemo(() => connectionOf(holder), [holder]);
  return useSyncExternalStore(subscribe, snapshot, serverSnapshot);
}

type Source<T> = [subscribe: (fn: () => void) => () => void, snapshot: () => T, serverSnapshot: () => T];

function connectionOf(holder: ClientHolder): Source<ConnectionView> {
  const retryNow = (): void => holder.client.retryNow();
  const initial: ConnectionView = { state: 'connecting', retryNow };
  let client: ConcordClient | undefined;
  let known: ConnectionState | undefined;
  let view = initial;
  const snapshot = (): ConnectionView => {
    const state = client?.connection;
    if (state && state !== known) {
      known = state;
      view = { ...state, retryNow };
    }
    return view;
  };
  const subscribe = (fn: () => void): (() => void) => {
    client = holder.client;
    return client.subscribe(fn);
  };
  return [subscribe, snapshot, () => initial];
}
