/* eslint-disable */
// A stand-in for the package while it is being written: no network, one textarea.
import { type RefCallback, useCallback, useMemo, useState, useSyncExternalStore } from 'react';

export interface Selection16 { anchor: number; head: number }

export interface Person {
  /** The number of the session in this document; the key for lists. */
  session: number;
  /** The stable id of the person. */
  user: string;
  name: string;
  /** Index 0 to 11 into the twelve people's colours. */
  color: number;
  /** Present when the application's own palette resolved the index. */
  colorHex?: string;
  selection?: Selection16;
  /** This very session. */
  self?: boolean;
}

/** What a remote person has selected, in the text the editor shows. */
export interface ConnectionState {
  state: 'connecting' | 'connected' | 'reconnecting' | 'offline' | 'closed';
  /** Time until the next attempt; only while `reconnecting`. */
  retryInMs?: number;
  /** Latest measured round trip; only while `connected`. */
  latencyMs?: number;
  /** Why the connection stays closed, as a stable code. */
  code?: string;
}

/** An edit the server refused for good. Its text stays here until the person has copied or dismissed it. */
export interface RejectedEdit {
  /** The inserted text, in order; empty when the edit only deleted. */
  text: string;
  /** The reject code of the protocol. */
  code: string;
  /** Sentence of the server, if it sent one. */
  message?: string;
}

/** How one document is doing. A new object after every change. */
export interface DocumentStatus {
  phase: 'loading' | 'ready' | 'error';
  /** Stable code and sentence; with phase `error` it is final, else the latest trouble that was repaired. */
  error?: { code: string; message: string };
  /** `saved` only when the server has committed everything. */
  save: 'saved' | 'saving' | 'unsaved';
  /** Edits the server has not committed yet. */
  unsavedEdits: number;
  /** Age of the oldest of them. */
  oldestUnsavedMs?: number;
  /** Everything unsaved is in this browser's storage and survives a reload. */
  storedOnDevice: boolean;
  /** False when edits live in memory only (storage missing, full or corrupt). */
  storageAvailable: boolean;
  rejected?: RejectedEdit[];
  readOnly: boolean;
}

const ready: DocumentStatus = { phase: 'ready', save: 'saved', unsavedEdits: 0, storedOnDevice: true, storageAvailable: true, readOnly: false };
const people: Person[] = [
  { session: 1, user: 'g_1', name: 'Quiet Otter', color: 8, self: true },
  { session: 2, user: 'g_2', name: 'Ada Lovelace', color: 1 },
  { session: 3, user: 'g_3', name: 'Jean-Luc', color: 5 },
];
export function useDocument(_id: string) {
  const [element, setElement] = useState<HTMLTextAreaElement | null>(null);
  const ref: RefCallback<HTMLTextAreaElement> = useCallback((el: HTMLTextAreaElement | null) => setElement(el), []);
  const session = useMemo(() => ({ role: 'owner',  text: () => element?.value ?? '', subscribe: (fn: () => void) => { element?.addEventListener('input', fn); return () => element?.removeEventListener('input', fn); }, dismissRejected() {} }), [element]);
  return { ref, session, status: ready, title: 'Meeting notes', undo() {}, redo() {}, canUndo: false, canRedo: false };
}
export const usePresence = (_id: string) => ({ people, me: people[0], scrollTo(_p: Person) {} });
export const useConnection = (): ConnectionState & { retryNow(): void } => useSyncExternalStore(() => () => {}, () => connected, () => connected);
const connected = { state: 'connected' as const, retryNow() {} };
