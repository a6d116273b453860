// What the history view knows of a document's past, and does to it.
import { useCallback, useEffect, useMemo, useState } from 'react';
import { toast } from 'sonner';
import { correct, visit } from '@/data/address';
import { type Version, codeOf, restoreRevision, useHistory, useVersions } from '@/data/history';
import type { HistoryModel } from '@/data/history/model';
import { useDocument } from '@/data/live';
import { useOnline } from '@/data/online';
import { type Line, attributedLines, diffLines } from '@/lib/history/lines';
import type { DiffPart } from '@/lib/history/diff';
import { type HistoryPlace, historySearch } from '@/lib/history/place';
import { moment, namesOf, troubleWords } from '@/lib/history/words';
import { useApp } from '../AppFrame';
import type { LegendEntry } from './AuthorLegend';

const ADDRESS_PAUSE_MS = 400;

/** Everything the page shows of one document's past. */
export function usePast(id: string, place: HistoryPlace) {
  const { title, role, session, status } = useDocument(id);
  const { me } = useApp();
  const { model, view } = useHistory(id, place.revision);
  const versions = useVersions(id);
  const online = useOnline();
  const [mode, setMode] = useState(place.mode);
  useEffect(() => {
    if (!session) return;
    const tell = () => model.told(session.revision);
    tell();
    return session.subscribe(tell);
  }, [session, model]);
  // Back on the network, what failed is tried again by itself.
  useEffect(() => {
    const { phase, trouble } = model.snapshot();
    if (online && (phase === 'error' || trouble !== undefined)) model.retry();
  }, [online, model]);
  useEffect(() => {
    if (view.phase !== 'ready' || view.playing) return;
    const revision = view.revision === view.head ? {} : { revision: view.revision };
    const here = visit();
    const timer = setTimeout(() => correct(here, historySearch({ ...revision, mode })), ADDRESS_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [view.phase, view.playing, view.revision, view.head, mode]);
  useEffect(() => {
    document.title = `History of ${title || 'Untitled'} · Concord`;
  }, [title]);
  const names = useMemo(() => {
    const nameOf = (user: string) => (user === me?.id ? `${view.authors.get(user)?.name ?? me.name} (you)` : view.authors.get(user)?.name);
    const colourOf = (user: string) => view.authors.get(user)?.color;
    return { nameOf, colourOf };
  }, [view.authors, me]);
  const canEdit = !status.readOnly;
  const canChange = useCallback((version: Version) => canEdit && (role === 'owner' || version.author === me?.id), [canEdit, role, me]);
  // Words such as "3 May" need no better clock than that of the moment the page was opened.
  const [nowMs] = useState(() => Date.now());
  return { title, canEdit, canChange, model, view, versions, mode, setMode, nowMs, ...names };
}

export type Past = ReturnType<typeof usePast>;

/** Who wrote the revision the slider stands at, and when: exactly where that is known here, else by the summary. */
export function whoWhen({ view, nameOf, nowMs }: Pick<Past, 'view' | 'nameOf' | 'nowMs'>, revision: number) {
  if (revision === 0) return { who: 'The beginning', when: '' };
  const exact = view.shown?.revision === revision ? view.shown : undefined;
  const stretch = view.timeline.stretchOf(revision);
  const users = exact?.author ? [exact.author] : (stretch?.authors ?? []);
  const timeMs = exact?.timeMs ?? view.timeline.timeMs(revision);
  return {
    who: namesOf(users.map((user) => nameOf(user) ?? 'Somebody')),
    when: timeMs === undefined ? '' : moment(timeMs, nowMs),
    timeMs,
  };
}

/** How much of the shown text is whose, most first. */
export function useLegend({ view, nameOf }: Past): LegendEntry[] {
  const { shown, authors } = view;
  return useMemo(() => {
    const chars = new Map<string, number>();
    let all = 0;
    for (const { author, len } of shown?.runs ?? []) {
      all += len;
      if (author !== null) chars.set(author, (chars.get(author) ?? 0) + len);
    }
    return [...chars]
      .map(([user, len]) => ({ user, name: nameOf(user) ?? 'Somebody', color: authors.get(user)?.color ?? 0, share: all > 0 ? len / all : 0 }))
      .sort((a, b) => b.share - a.share);
  }, [shown, authors, nameOf]);
}

/** Restoring, with a way back as long as nobody has written since. */
export function useRestore(id: string, model: HistoryModel, onPreview: (revision: number) => void) {
  const [restoring, setRestoring] = useState(false);
  const restore = useCallback(
    async (revision: number) => {
      const before = model.snapshot().head;
      setRestoring(true);
      try {
        const restored = await restoreRevision(id, revision);
        model.told(restored);
        const undo = () => {
          // Somebody wrote meanwhile: then only looking first keeps their words.
          if (model.snapshot().head > restored) onPreview(before);
          else void restoreRevision(id, before).then((head) => model.told(head), failed);
        };
        toast(`Revision ${revision.toLocaleString()} is restored`, { action: { label: 'Undo', onClick: undo }, duration: 12_000 });
        return true;
      } catch (error) {
        failed(error);
        return false;
      } finally {
        setRestoring(false);
      }
    },
    [id, model, onPreview],
  );
  return { restoring, restore };
}

/** Tells why something was not done. */
export const failed = (error: unknown) => void toast.error(troubleWords(codeOf(error)));

/** What the page shows: the coloured text of the moment, or its difference from now. */
export function useLines({ view, mode, colourOf }: Pick<Past, 'view' | 'mode' | 'colourOf'>, parts: readonly DiffPart[] | null): readonly Line[] {
  const { shown } = view;
  const authored = useMemo(() => (mode === 'authors' && shown ? attributedLines(shown.text, shown.runs, colourOf) : null), [mode, shown, colourOf]);
  const differing = useMemo(() => (mode === 'changes' && parts ? diffLines(parts) : null), [mode, parts]);
  return authored ?? differing ?? NO_LINES;
}

const NO_LINES: readonly Line[] = [];
