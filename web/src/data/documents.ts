// My documents as a list: loaded, searched, paged, refreshed while I look, changed at once and put right when the
// server disagrees; the last known list is kept for when there is no network.
import { useCallback, useEffect, useReducer, useRef } from 'react';
import { type DocumentInfo, type DocumentList, RestError, api, isUnreachable } from './api';
import { readStored, writeStored } from './store';

/** `stale`: the last known list, because the server did not answer. */
export type ListPhase = 'loading' | 'ready' | 'stale' | 'error';

export interface DocumentsState {
  phase: ListPhase;
  documents: DocumentInfo[];
  cursor?: string | undefined;
  /** What the list answers to; while a new search runs, still the old one. */
  query: string;
  searching: boolean;
  error?: { code: string; message: string } | undefined;
}

type Event =
  | { type: 'asked'; again: boolean }
  | { type: 'loaded'; page: DocumentList; query: string }
  | { type: 'more'; page: DocumentList }
  | { type: 'failed'; error: unknown; kept: DocumentInfo[] | null; query: string }
  | { type: 'changed'; id: string; change: Partial<DocumentInfo> }
  | { type: 'removed'; id: string }
  | { type: 'returned'; document: DocumentInfo };

export const EMPTY: DocumentsState = { phase: 'loading', documents: [], query: '', searching: false };

const matches = (document: DocumentInfo, query: string) =>
  document.title.toLocaleLowerCase().includes(query.toLocaleLowerCase());

function failed(state: DocumentsState, event: Extract<Event, { type: 'failed' }>): DocumentsState {
  const { error, kept, query } = event;
  if (isUnreachable(error)) {
    // What is on the screen is as good as what is stored, and already filtered.
    const documents = state.phase === 'ready' && state.query === query ? state.documents : (kept ?? []).filter((d) => matches(d, query));
    if (kept || state.phase === 'ready') return { phase: 'stale', documents, query, searching: false };
    return { ...state, phase: 'error', searching: false, error: { code: 'unreachable', message: 'The server does not answer.' } };
  }
  const code = error instanceof RestError ? error.code : 'internal';
  return { ...state, phase: 'error', searching: false, error: { code, message: error instanceof Error ? error.message : '' } };
}

/** Every way the list changes. */
export function reduce(state: DocumentsState, event: Event): DocumentsState {
  switch (event.type) {
    case 'asked':
      return event.again && state.phase === 'error' ? { ...state, phase: 'loading', error: undefined } : { ...state, searching: true };
    case 'loaded':
      return { phase: 'ready', documents: event.page.documents, cursor: event.page.cursor, query: event.query, searching: false };
    case 'more': {
      const known = new Set(state.documents.map((document) => document.id));
      const fresh = event.page.documents.filter((document) => !known.has(document.id));
      return { ...state, documents: [...state.documents, ...fresh], cursor: event.page.cursor };
    }
    case 'failed':
      return failed(state, event);
    case 'changed':
      return { ...state, documents: state.documents.map((d) => (d.id === event.id ? { ...d, ...event.change } : d)) };
    case 'removed':
      return { ...state, documents: state.documents.filter((d) => d.id !== event.id) };
    case 'returned':
      return state.documents.some((d) => d.id === event.document.id)
        ? state
        : { ...state, documents: [event.document, ...state.documents] };
  }
}

const KEPT_KEY = 'concord.documents';
const KEPT_MAX = 200;
const PAGE_LEN = 50;
const REFRESH_MS = 15_000;
const SEARCH_PAUSE_MS = 150;

const isDocuments = (value: unknown): value is DocumentInfo[] =>
  Array.isArray(value) && value.every((d) => typeof (d as DocumentInfo)?.id === 'string' && typeof (d as DocumentInfo)?.title === 'string');

/** The list as the server last gave it to this browser. */
export const keptDocuments = (): DocumentInfo[] | null => readStored(KEPT_KEY, isDocuments);
const keep = (documents: DocumentInfo[]) => writeStored(KEPT_KEY, documents.slice(0, KEPT_MAX));

/** When something last happened to a document, by anybody or by me. */
export const activityMs = (document: DocumentInfo): number => Math.max(document.updated_ms, document.opened_ms ?? 0);

export interface DocumentsView extends DocumentsState {
  reload(): void;
  loadMore(): Promise<void>;
  rename(id: string, title: string): Promise<void>;
  /** Takes it off this list; resolves when the server has done so too. */
  remove(document: DocumentInfo): Promise<void>;
  restore(document: DocumentInfo): Promise<void>;
}

/** One list on the screen: the living documents, or (`deleted`) those that can be restored. */
export function useDocuments({ query, deleted }: { query: string; deleted: boolean }): DocumentsView {
  const [state, dispatch] = useReducer(reduce, EMPTY);
  // A refresh that was asked for before a change must not bring the old state back.
  const generation = useRef(0);

  const load = useCallback(
    async (signal: AbortSignal, again = false) => {
      const mine = ++generation.current;
      dispatch({ type: 'asked', again });
      try {
        const page = await api.list({ q: query, deleted, limit: PAGE_LEN, signal });
        if (mine !== generation.current) return;
        dispatch({ type: 'loaded', page, query });
        if (!query && !deleted) keep(page.documents);
      } catch (error) {
        if (signal.aborted || mine !== generation.current) return;
        dispatch({ type: 'failed', error, kept: deleted ? null : keptDocuments(), query });
      }
    },
    [query, deleted],
  );

  useEffect(() => {
    const abort = new AbortController();
    const first = setTimeout(() => void load(abort.signal), query ? SEARCH_PAUSE_MS : 0);
    const refresh = () => {
      if (document.visibilityState === 'visible') void load(abort.signal);
    };
    const timer = setInterval(refresh, REFRESH_MS);
    document.addEventListener('visibilitychange', refresh);
    window.addEventListener('online', refresh);
    return () => {
      abort.abort();
      clearTimeout(first);
      clearInterval(timer);
      document.removeEventListener('visibilitychange', refresh);
      window.removeEventListener('online', refresh);
    };
  }, [load, query]);

  const reload = useCallback(() => void load(new AbortController().signal, true), [load]);

  const loadMore = useCallback(async () => {
    if (!state.cursor) return;
    dispatch({ type: 'more', page: await api.list({ q: query, deleted, limit: PAGE_LEN, cursor: state.cursor }) });
  }, [query, deleted, state.cursor]);

  /** Shows a change at once; `undo` puts it back when the server refuses. */
  const attempt = useCallback(async (change: Event, undo: Event, request: () => Promise<unknown>) => {
    generation.current += 1;
    dispatch(change);
    try {
      await request();
    } catch (error) {
      dispatch(undo);
      throw error;
    } finally {
      generation.current += 1;
    }
  }, []);

  const rename = useCallback(
    (id: string, title: string) => {
      const before = state.documents.find((d) => d.id === id)?.title ?? '';
      return attempt({ type: 'changed', id, change: { title } }, { type: 'changed', id, change: { title: before } }, () => api.rename(id, title));
    },
    [attempt, state.documents],
  );
  const remove = useCallback(
    (document: DocumentInfo) => attempt({ type: 'removed', id: document.id }, { type: 'returned', document }, () => api.delete(document.id)),
    [attempt],
  );
  const restore = useCallback(
    (document: DocumentInfo) =>
      deleted
        ? attempt({ type: 'removed', id: document.id }, { type: 'returned', document }, () => api.restore(document.id))
        : attempt({ type: 'returned', document }, { type: 'removed', id: document.id }, () => api.restore(document.id)),
    [attempt, deleted],
  );

  return { ...state, reload, loadMore, rename, remove, restore };
}
