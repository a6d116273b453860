/**
 * The nouns an application meets. Offsets and lengths count UTF-16 code units, as the browser does;
 * times are milliseconds.
 */

/** One replacement, in the text that the patch before it has left. */
export interface Patch {
  at: number;
  deleted: number;
  inserted: string;
}

/** A caret (`anchor === head`) or a selection; `head` is the end that moves. */
export interface Selection16 {
  anchor: number;
  head: number;
}

/** One session of one person in one document: a person with two tabs is there twice. */
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
export interface RemoteSelection {
  session: number;
  person: Person;
  ranges: Selection16[];
}

export type PatchOrigin = 'remote' | 'undo' | 'redo' | 'reset';

export type PatchListener = (patches: Patch[], origin: PatchOrigin) => void;

/** What an editor binding needs; `DocumentSession` implements it. Several editors may show one text. */
export interface TextModel {
  /** The whole text as the editor shows it, with LF line ends only. */
  text(): string;
  readonly readOnly: boolean;
  /** A user's edit that the editor already shows: the one that listens as `from`, or all when left out. */
  edit(patch: Patch, selection: Selection16 | null, from?: PatchListener): void;
  /** The editor shows `newText`; the head of `selection` tells which of equal places was meant. */
  editByDiff(newText: string, selection: Selection16 | null, from?: PatchListener): void;
  /** Applied through `onPatches` with origin `undo`; returns where the caret goes. */
  undo(): Selection16 | null;
  /** Applied through `onPatches` with origin `redo`; returns where the caret goes. */
  redo(): Selection16 | null;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  breakUndoGroup(): void;
  /** The local caret moved; `null` when the editor lost the focus. */
  setSelection(selection: Selection16 | null): void;
  /** While an input method composes: patches wait inside the model, until every hold is released. */
  hold(): void;
  release(): void;
  onPatches(fn: PatchListener): () => void;
  remoteSelections(): RemoteSelection[];
  onSelections(fn: () => void): () => void;
  /** Called when anything else has changed, such as `readOnly`. */
  subscribe?(fn: () => void): () => void;
}

/** What carries a connection: a WebSocket, or HTTP requests that stream events or poll for them. */
export type Transport = 'websocket' | 'sse' | 'poll';

/** The socket's state, one for all documents of a client. */
export interface ConnectionState {
  state: 'connecting' | 'connected' | 'reconnecting' | 'offline' | 'closed';
  /** Time until the next attempt; only while `reconnecting`. */
  retryInMs?: number;
  /** What carries it; only while `connected`. */
  transport?: Transport;
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
  /** `revoked`: somebody has taken the right to open it away. The text stays readable, and unsaved work is kept. */
  phase: 'loading' | 'ready' | 'revoked' | 'error';
  /** Stable code and sentence; with phase `revoked` or `error` it says why, else it is the latest trouble that was repaired. */
  error?: { code: string; message: string };
  /** `saved` only when the server has committed everything. */
  save: 'saved' | 'saving' | 'unsaved';
  /** Edits the server has not committed yet. */
  unsavedEdits: number;
  /** Age of the oldest of them. */
  oldestUnsavedMs?: number;
  /** Why saving takes its time: the server has asked for a pause, or a large edit goes in parts. */
  pace?: 'slowed' | 'parts';
  /** Everything unsaved is in this browser's storage and survives a reload. */
  storedOnDevice: boolean;
  /** False when edits live in memory only (storage missing, full or corrupt). */
  storageAvailable: boolean;
  rejected?: RejectedEdit[];
  readOnly: boolean;
}
