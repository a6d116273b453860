// Made-up data for the state gallery.
import type { DocumentInfo } from '@/data/api';
import { type DocumentsView, EMPTY } from '@/data/documents';
import type { ConnectionState, DocumentStatus, Person } from '@/data/live';
import type { Circumstances } from '@/lib/save-state';

export const LONG_NAME = 'Wolfeschlegelsteinhausenbergerdorff the Elder, of the very long house by the river';

const NAMES = ['Quiet Otter', 'Ada Lovelace', 'Jean-Luc', 'مريم', 'Brave Heron', 'Σοφία', LONG_NAME, 'B', '👩‍🚀 Stella'];

export const person = (n: number): Person => ({ session: n, user: `g_${n}`, name: NAMES[n % NAMES.length] ?? '', color: n % 12, self: n === 0 });
export const persons = (count: number): Person[] => Array.from({ length: count }, (_, n) => person(n));

const ready: DocumentStatus = {
  phase: 'ready',
  save: 'saved',
  unsavedEdits: 0,
  storedOnDevice: true,
  storageAvailable: true,
  readOnly: false,
};
const waiting = (unsavedEdits: number, oldestUnsavedMs: number, storedOnDevice = true): DocumentStatus => ({
  ...ready,
  save: 'unsaved',
  unsavedEdits,
  oldestUnsavedMs,
  storedOnDevice,
});
const connected: ConnectionState = { state: 'connected', latencyMs: 12 };
const offline: ConnectionState = { state: 'offline' };

/** Every line the bar can say. */
export const SAVE_STATES: [name: string, status: DocumentStatus, connection: ConnectionState, circumstances?: Circumstances][] = [
  ['saved', ready, connected],
  ['saving', waiting(1, 200), connected],
  ['late', waiting(3, 12_000), connected],
  ['opening', { ...ready, phase: 'loading' }, { state: 'connecting' }],
  ['connecting', ready, { state: 'connecting' }],
  ['reconnecting', ready, { state: 'reconnecting', retryInMs: 4_000 }],
  ['reconnecting with edits', waiting(7, 9_000), { state: 'reconnecting', retryInMs: 12_000 }],
  ['offline', ready, offline],
  ['offline with edits', waiting(14, 60_000), offline],
  ['offline, not stored', waiting(14, 60_000, false), offline],
  ['closed', waiting(2, 9_000), { state: 'closed', code: 'message_too_large' }],
  ['view only', { ...ready, readOnly: true }, connected, { role: 'viewer' }],
  ['comment only', { ...ready, readOnly: true }, connected, { role: 'commenter' }],
  ['a large edit in parts', { ...waiting(1, 9_000), pace: 'parts' }, connected],
  ['slowed down', { ...waiting(40, 9_000), pace: 'slowed' }, connected],
  ['access taken away, with edits', { ...waiting(2, 0), phase: 'revoked' }, connected],
  ['signed out with edits', waiting(2, 0), { state: 'reconnecting', retryInMs: 9_000 }, { isSignedOut: true }],
  ['failed', { ...waiting(2, 0), phase: 'error' }, connected],
];

const DAY = 86_400_000;
/** A fixed moment: pictures of the gallery do not change with the day. */
export const NOW_MS = new Date(2026, 4, 20, 10, 30).getTime();

const document = (n: number, title: string, ageMs: number, change: Partial<DocumentInfo> = {}): DocumentInfo => ({
  id: String(n).padStart(32, '0'),
  title,
  created_ms: NOW_MS - ageMs,
  updated_ms: NOW_MS - ageMs,
  revision: n,
  len_chars: n,
  here: 0,
  role: 'owner',
  ...change,
});

export const DOCUMENTS: DocumentInfo[] = [
  document(1, 'Meeting notes', 120_000, { here: 3 }),
  document(2, 'A title that goes on for so long that no reasonable row could ever hold it on one line, even on a very wide screen', 3_600_000, { here: 40 }),
  document(3, '', DAY),
  document(4, 'مذكرات الاجتماع الأسبوعي', 2 * DAY, { role: 'editor' }),
  document(5, 'Somebody else’s', 40 * DAY, { role: 'viewer' }),
];
export const DELETED: DocumentInfo[] = DOCUMENTS.slice(0, 3).map((one) => ({ ...one, deleted_ms: one.updated_ms }));

const nothing = async () => {};
/** A list in one of its states. */
export const list = (change: Partial<DocumentsView>): DocumentsView => ({
  ...EMPTY,
  reload: nothing,
  loadMore: nothing,
  rename: nothing,
  remove: nothing,
  restore: nothing,
  ...change,
});
