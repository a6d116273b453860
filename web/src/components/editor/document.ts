// What the editor page shows and does of one document: the package's hooks, and what the app adds to them.
import { useEffect, useMemo, useRef, useState } from 'react';
import { toast } from 'sonner';
import { api } from '@/data/api';
import { useElapsedMs } from '@/data/elapsed';
import { type DocumentStatus, useConnection, useDocument, usePresence } from '@/data/live';
import { useSignedOut } from '@/data/signed-in';
import { useSharing } from '@/data/sharing';
import { useTextCount } from '@/data/text-count';
import { fileName } from '@/lib/file-name';
import { canWrite, roleNews, roleWords } from '@/lib/role';
import { saveFile } from '@/lib/save-file';
import { saveLine } from '@/lib/save-state';
import { isCombo } from '@/lib/shortcuts';
import { useAppleKeys } from '../Keys';

export const downloadText = (title: string, text: string): void => saveFile(fileName(title, 'txt'), text, 'text/plain');

/** Everything the page shows of one document, from the package's hooks. */
export function useEditor(id: string) {
  const live = useDocument(id);
  const presence = usePresence(id);
  const connection = useConnection();
  const signedOut = useSignedOut();
  const { status, role } = live;
  const waiting = status.unsavedEdits > 0;
  const ageMs = useElapsedMs(status, waiting);
  const sinceRetryMs = useElapsedMs(connection, connection.state === 'reconnecting');
  const line = saveLine(
    { ...status, oldestUnsavedMs: waiting ? (status.oldestUnsavedMs ?? 0) + ageMs : undefined },
    { ...connection, retryInMs: connection.retryInMs === undefined ? undefined : connection.retryInMs - sinceRetryMs },
    { role, isSignedOut: signedOut !== null && connection.state !== 'connected' },
  );
  const count = useTextCount(live.session, status.phase !== 'loading');
  // Others first, me last; I am here before the server has said so.
  const people = presence.me ? [...presence.people, presence.me] : presence.people;
  return { ...live, people, me: presence.me, scrollTo: presence.scrollTo, connection, signedOut, line, count };
}

/** Renames at once on the screen; the server's word replaces it as soon as it comes. */
export function useRename(id: string, title: string) {
  const [draft, setDraft] = useState<{ title: string; from: string } | null>(null);
  const shown = draft?.from === title ? draft.title : title;
  const rename = (next: string) => {
    setDraft({ title: next, from: title });
    api.rename(id, next).catch(() => {
      setDraft(null);
      toast.error('The new title was not saved. Try again when you are online.');
    });
  };
  return { shown, rename };
}

export function useDeletion(id: string) {
  const [deleted, setDeleted] = useState(false);
  const remove = () => {
    setDeleted(true);
    api.delete(id).catch(() => {
      setDeleted(false);
      toast.error('The document was not deleted. Try again when you are online.');
    });
  };
  const restore = () => {
    api.restore(id).then(
      () => window.location.reload(),
      () => toast.error('The document could not be restored. Try again when you are online.'),
    );
  };
  return { deleted, remove, restore };
}

/** Codes behind which a document of mine may wait that can come back. */
const MAY_BE_MINE = ['not_found', 'document_deleted'];

/** What is wrong, and whether it is a deleted document of my own: only its owner can restore it. */
export function useProblem(id: string, code: string | undefined): { code: string | undefined; canRestore: boolean } {
  const [mine, setMine] = useState(false);
  const ask = code !== undefined && MAY_BE_MINE.includes(code);
  useEffect(() => {
    if (!ask) return;
    let current = true;
    api.get(id).then(
      (document) => current && setMine(document.deleted_ms !== undefined),
      () => {
        // Missing, forbidden and somebody else's: nothing I could restore.
      },
    );
    return () => {
      current = false;
    };
  }, [id, ask]);
  return ask && mine ? { code: 'document_deleted', canRestore: true } : { code, canRestore: false };
}

/** The keys of this page. */
export function useEditorKeys(keys: Record<string, () => void>): void {
  const apple = useAppleKeys();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const combo = Object.keys(keys).find((candidate) => isCombo(event, candidate, apple));
      if (!combo || event.isComposing) return;
      event.preventDefault();
      keys[combo]?.();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [keys, apple]);
}

/** A connection that does not come about may be one the server refuses: a request tells, a socket does not. */
export function useWhoAmI(state: string): () => void {
  const ask = () =>
    void api.me().catch(() => {
      // The answer was heard on its way; without one there is nothing to know.
    });
  useEffect(() => {
    if (state === 'reconnecting' || state === 'closed') ask();
  }, [state]);
  return ask;
}

/** Whom the server knows again, whatever request has told, goes on at once: the connection may have given up. */
export function useKnownAgain(signedOut: boolean, goOn: () => void): void {
  const was = useRef(signedOut);
  useEffect(() => {
    if (was.current && !signedOut) goOn();
    was.current = signedOut;
  }, [signedOut, goOn]);
}

/** Who was signed out, or lost the document, mostly comes back from where that was mended. */
export function useReturning(waits: boolean, look: () => void): void {
  const latest = useRef(look);
  useEffect(() => {
    latest.current = look;
  });
  useEffect(() => {
    if (!waits) return;
    const onReturn = () => {
      if (document.visibilityState === 'visible') latest.current();
    };
    window.addEventListener('focus', onReturn);
    document.addEventListener('visibilitychange', onReturn);
    return () => {
      window.removeEventListener('focus', onReturn);
      document.removeEventListener('visibilitychange', onReturn);
    };
  }, [waits]);
}

/** Tells a person whose rights change while they look. */
export function useRoleNews(role: string): void {
  const before = useRef('');
  useEffect(() => {
    const news = roleNews(before.current, role);
    if (role) before.current = role;
    if (news) toast(news);
  }, [role]);
}

/** What of mine is not in a document that is closed to me. It does not change any more. */
export function useUnsent(session: { unsavedText(): string } | null, phase: DocumentStatus['phase'], unsavedEdits: number): string {
  return useMemo(() => (session && phase === 'revoked' && unsavedEdits > 0 ? session.unsavedText() : ''), [session, phase, unsavedEdits]);
}

/** Who of the people here only reads or comments, in words; asked for while somebody looks. */
export function useReaders(id: string, looks: boolean): (user: string) => string | undefined {
  const { sharing } = useSharing(id, looks);
  return (user) => {
    const role = sharing?.people.find((person) => person.user === user)?.role;
    return role && role !== 'none' && !canWrite(role) ? roleWords(role).toLowerCase() : undefined;
  };
}
