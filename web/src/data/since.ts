// What has changed in a document since I last looked, on any device; and telling the server how far I have looked.
import { useCallback, useEffect, useRef, useState } from 'react';
import { countPlaces } from '@/lib/history/diff';
import { sinceWords } from '@/lib/history/words';
import { api } from './api';

/** What I have not seen yet. */
export interface News {
  /** The revision I last looked at. */
  revision: number;
  /** "12 changes by Ada and Ben since Tuesday". */
  words: string;
}

/** Operations whose authors are looked at; of more, the latest people are not named. */
const ENTRIES_MAX = 1_000;
/** News in sight for this long have been seen. */
const READ_MS = 10_000;
/** While I look on, the mark follows at least this often. */
const MARK_EVERY_MS = 60_000;

/** What others have changed since my mark; null when there is nothing to tell. */
async function readNews(id: string, me: string, signal: AbortSignal): Promise<News | null> {
  const seen = await api.history.seen(id, signal);
  if (seen.time_ms === undefined || seen.head <= seen.revision) return null;
  const page = await api.history.page(id, { after: seen.revision, limit: ENTRIES_MAX, signal });
  const names = page.authors.filter(({ user }) => user !== me).map(({ name }) => name);
  if (names.length === 0) return null;
  const { op } = await api.history.diff(id, seen.revision, seen.head, signal);
  const places = countPlaces(op);
  return places === 0 ? null : { revision: seen.revision, words: sinceWords(places, names, seen.time_ms, Date.now()) };
}

export interface Since {
  news: News | null;
  /** I have seen them. */
  dismiss(): void;
}

/**
 * The news of a document that is open: asked for once, when it comes on the screen. `revision` says how far the text
 * there is; `me` is who looks, absent while that is not the server's latest text.
 */
export function useSince(id: string, me: string | undefined, revision: () => number): Since {
  const [news, setNews] = useState<News | null>(null);
  const current = useRef(revision);
  /** How far the server has been told; undefined until it has said how far it knew. */
  const told = useRef<number | undefined>(undefined);
  useEffect(() => {
    current.current = revision;
  });

  const mark = useCallback(() => {
    const reached = current.current();
    if (told.current === undefined || reached <= told.current) return;
    told.current = reached;
    api.history.markSeen(id, reached).catch(() => {
      // Told again with the next mark.
      told.current = -1;
    });
  }, [id]);
  /** What came in while nobody looked was not seen. */
  const markVisible = useCallback(() => {
    if (document.visibilityState === 'visible') mark();
  }, [mark]);

  useEffect(() => {
    if (me === undefined || told.current !== undefined) return;
    const abort = new AbortController();
    readNews(id, me, abort.signal).then(
      (found) => {
        if (abort.signal.aborted) return;
        told.current = -1;
        setNews(found);
        if (!found) markVisible();
      },
      () => {
        // Offline, or a server without history: then there is nothing to tell, and nothing is marked.
      },
    );
    return () => abort.abort();
  }, [id, me, markVisible]);

  useEffect(() => {
    if (me === undefined) return;
    const reading = setTimeout(markVisible, READ_MS);
    const timer = setInterval(markVisible, MARK_EVERY_MS);
    // Until this moment it was in sight.
    const onHide = () => {
      if (document.visibilityState === 'hidden') mark();
    };
    document.addEventListener('visibilitychange', onHide);
    window.addEventListener('pagehide', markVisible);
    return () => {
      clearTimeout(reading);
      clearInterval(timer);
      document.removeEventListener('visibilitychange', onHide);
      window.removeEventListener('pagehide', markVisible);
      markVisible();
    };
  }, [me, mark, markVisible]);

  const dismiss = useCallback(() => {
    setNews(null);
    mark();
  }, [mark]);
  return { news, dismiss };
}
