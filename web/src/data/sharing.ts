// With whom a document is shared, while somebody looks: loaded, refreshed, changed at once on the screen and put right
// when the server disagrees.
import { useCallback, useEffect, useReducer, useRef } from 'react';
import { isChanging, NOT_LOADED, reduceSharing, type SharingState, shownSharing, withLink, withoutPerson, withRole } from '@/lib/sharing';
import { api, type GivenRole, type LinkAccess, RestError, type Sharing } from './api';

/** People come by the link while one looks. */
const REFRESH_MS = 10_000;

export interface SharingView {
  phase: SharingState['phase'];
  sharing: Sharing | null;
  trouble: string | null;
  isChanging(of: string): boolean;
  setLink(link: LinkAccess): void;
  setRole(user: string, role: GivenRole): void;
  /** Resolves to whether it was done. */
  remove(user: string): Promise<boolean>;
  reload(): void;
}

const codeOf = (error: unknown): string => (error instanceof RestError ? error.code : 'internal');

/** Loads while `wanted`. */
export function useSharing(id: string, wanted: boolean): SharingView {
  const [state, dispatch] = useReducer(reduceSharing, NOT_LOADED);
  /** Counts changes: an answer that was asked for before the latest one is old. */
  const changes = useRef(0);

  const load = useCallback(async () => {
    const before = changes.current;
    try {
      const sharing = await api.sharing.get(id);
      if (before === changes.current) dispatch({ type: 'loaded', sharing });
    } catch (error) {
      dispatch({ type: 'unavailable', code: codeOf(error) });
    }
  }, [id]);

  useEffect(() => {
    if (!wanted) return;
    const refresh = () => {
      if (document.visibilityState === 'visible') void load();
    };
    refresh();
    const timer = setInterval(refresh, REFRESH_MS);
    document.addEventListener('visibilitychange', refresh);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', refresh);
    };
  }, [wanted, load]);

  const attempt = useCallback(async (of: string, apply: (sharing: Sharing) => Sharing, request: () => Promise<Sharing | void>): Promise<boolean> => {
    const change = ++changes.current;
    dispatch({ type: 'changed', change: { id: change, of, apply } });
    try {
      dispatch({ type: 'done', id: change, sharing: (await request()) ?? null });
      return true;
    } catch (error) {
      dispatch({ type: 'refused', id: change, code: codeOf(error) });
      return false;
    } finally {
      changes.current += 1;
    }
  }, []);

  return {
    phase: state.phase,
    sharing: shownSharing(state),
    trouble: state.trouble,
    isChanging: (of) => isChanging(state, of),
    setLink: (link) => void attempt('link', (sharing) => withLink(sharing, link), () => api.sharing.setLink(id, link)),
    setRole: (user, role) => void attempt(user, (sharing) => withRole(sharing, user, role), () => api.sharing.setRole(id, user, role)),
    remove: async (user) => {
      const done = await attempt(user, (sharing) => withoutPerson(sharing, user), () => api.sharing.remove(id, user));
      // Who was removed may still come by the link.
      if (done) void load();
      return done;
    },
    reload: () => void load(),
  };
}
