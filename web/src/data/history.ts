// The history of a document for the page that shows it: the slider's state, named versions, differences, restoring.
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { Version } from '@concord/client/rest';
import { type DiffPart, diffParts } from '@/lib/history/diff';
import type { Run } from '@/lib/history/runs';
import { api } from './api';
import { type Frames, HistoryModel, type HistoryReader } from './history/model';
import { codeOf } from './history/texts';

export type { HistoryAuthor, Version } from '@concord/client/rest';
export type { HistoryView } from './history/model';
export type { ShownText } from './history/texts';
export { codeOf } from './history/texts';

const frames: Frames = {
  request: (draw) => requestAnimationFrame(draw),
  cancel: (handle) => cancelAnimationFrame(handle),
};

/** Answers for one text's attribution before the rest stays plain. */
const ATTRIBUTION_ANSWERS_MAX = 64;

/** One document's history over REST. */
export function readerOf(id: string): HistoryReader {
  return {
    summary: (buckets, signal) => api.history.summary(id, buckets, signal),
    text: (revision, signal) => api.history.text(id, { revision, signal }),
    page: (after, limit, signal) => api.history.page(id, { after, limit, signal }),
    runs: async (revision, signal) => {
      const runs: Run[] = [];
      const authors = [];
      let from: number | undefined = 0;
      for (let answers = 0; from !== undefined && answers < ATTRIBUTION_ANSWERS_MAX; answers += 1) {
        const part = await api.history.attribution(id, { revision, from, signal });
        authors.push(...part.authors);
        for (const run of part.runs) runs.push({ len: run.len, author: run.author, revision: run.revision, timeMs: run.time_ms });
        from = part.next;
      }
      return { runs, authors };
    },
  };
}

/** The history of `id`; `start` is the revision to begin with, the last one when it is absent. */
export function useHistory(id: string, start: number | undefined) {
  const [model] = useState(() => new HistoryModel(readerOf(id), frames, start));
  const view = useSyncExternalStore(model.subscribe, model.snapshot, model.snapshot);
  return { model, view };
}

export interface VersionsView {
  /** By revision; null until they are known. */
  versions: readonly Version[] | null;
  /** Why they are not known. */
  code: string | null;
  reload(): void;
  create(name: string, revision: number): Promise<void>;
  rename(version: Version, name: string): Promise<void>;
  remove(version: Version): Promise<void>;
}

const byRevision = (a: Version, b: Version) => a.revision - b.revision || a.time_ms - b.time_ms;

/** The named versions of a document. A change is shown when the server has it. */
export function useVersions(id: string): VersionsView {
  const [versions, setVersions] = useState<readonly Version[] | null>(null);
  const [code, setCode] = useState<string | null>(null);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    api.history.versions(id, abort.signal).then(
      (list) => {
        setVersions([...list.versions].sort(byRevision));
        setCode(null);
      },
      (error: unknown) => {
        if (!abort.signal.aborted) setCode(codeOf(error));
      },
    );
    return () => abort.abort();
  }, [id, asked]);
  const change = useCallback((edit: (known: readonly Version[]) => Version[]) => setVersions((known) => edit(known ?? []).sort(byRevision)), []);
  return useMemo(
    () => ({
      versions,
      code,
      reload: () => setAsked((n) => n + 1),
      create: async (name, revision) => {
        const made = await api.history.createVersion(id, { name, revision });
        change((known) => [...known.filter((one) => one.id !== made.id), made]);
      },
      rename: async (version, name) => {
        const renamed = await api.history.renameVersion(id, version.id, name);
        change((known) => known.map((one) => (one.id === renamed.id ? renamed : one)));
      },
      remove: async (version) => {
        await api.history.deleteVersion(id, version.id);
        change((known) => known.filter((one) => one.id !== version.id));
      },
    }),
    [id, versions, code, change],
  );
}

/** A difference that is being fetched, or was. */
export interface DiffView {
  from: number;
  to: number;
  /** The difference; of an earlier pair while this one is on its way, null before any. */
  parts: readonly DiffPart[] | null;
  waiting: boolean;
  code: string | null;
  retry(): void;
}

/** The hand rests this long before a difference is asked for. */
const DIFF_PAUSE_MS = 120;

async function readDiff(id: string, model: HistoryModel, from: number, to: number, signal: AbortSignal): Promise<DiffPart[]> {
  if (from === to) return [{ kind: 'keep', text: await model.textAt(from, signal) }];
  const [{ op }, text] = await Promise.all([api.history.diff(id, from, to, signal), model.textAt(from, signal)]);
  return diffParts(text, op);
}

/** What leads from one revision to a later one. Nothing is asked while `wanted` is false. */
export function useDiff(id: string, model: HistoryModel, from: number, to: number, wanted: boolean): DiffView {
  const [known, setKnown] = useState<{ from: number; to: number; parts: readonly DiffPart[] | null; code: string | null } | null>(null);
  const there = known?.from === from && known.to === to;
  useEffect(() => {
    if (!wanted || there || from > to) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      readDiff(id, model, from, to, abort.signal).then(
        (parts) => {
          if (!abort.signal.aborted) setKnown({ from, to, parts, code: null });
        },
        (error: unknown) => {
          if (!abort.signal.aborted) setKnown((before) => ({ from, to, parts: before?.parts ?? null, code: codeOf(error) }));
        },
      );
    }, known ? DIFF_PAUSE_MS : 0);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [id, model, from, to, wanted, there, known]);
  // What is known is of no pair then, and so is asked for again.
  const retry = useCallback(() => setKnown((before) => before && { ...before, from: -1 }), []);
  return { from, to, parts: known?.parts ?? null, waiting: wanted && !there, code: there ? (known?.code ?? null) : null, retry };
}

/** Makes the text what it was; answers the revision that this became. */
export const restoreRevision = async (id: string, revision: number): Promise<number> => (await api.history.restore(id, revision)).revision;
