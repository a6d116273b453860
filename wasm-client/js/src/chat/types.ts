/** The nouns of a chat as an application meets them. Offsets in texts count UTF-16 code units; times are milliseconds. */

/** Somebody who has written, or writes. */
export interface ChatPerson {
  user: string;
  name: string;
  /** Index 0 to 11 into the twelve people's colours. */
  color: number;
}

/** A name within a text, its `@` included. */
export interface Mention {
  start: number;
  end: number;
  user: string;
}

/** A stretch of the document's text at one revision, in characters: what a message is about. */
export interface Reference {
  rev: number;
  start: number;
  end: number;
}

/** One line of the chat. */
export interface ChatLine {
  /** The same from the first moment on: the key for lists. */
  id: string;
  /** Its place, 1, 2, 3…; absent until the server has it. */
  number?: number;
  author: ChatPerson;
  /** Written by this very person. */
  own: boolean;
  text: string;
  mentions: readonly Mention[];
  ref?: Reference;
  timeMs: number;
  editedMs?: number;
  /** Taken back; it keeps its place and says nothing. */
  deleted: boolean;
  /** `sending`: not stored yet, or an edit of it is not; `failed`: refused, with the `code` of why. */
  state: 'sent' | 'sending' | 'failed';
  code?: string;
}

/** A chat at one moment; a new object after every change. */
export interface ChatView {
  /** `loading` until the first messages are there; `closed` where this person may not be, or nothing is: see `code`. */
  phase: 'loading' | 'ready' | 'closed';
  code?: string;
  /** Open on a live connection. */
  live: boolean;
  /** In order: what the server has, then what is on its way. */
  lines: readonly ChatLine[];
  /** There is something above the first line. */
  hasMore: boolean;
  loadingMore: boolean;
  /** How many messages of others this person has not read, on any device. */
  unread: number;
  /** The number of the last message that they have read. */
  read: number;
  /** Everybody else who types now. */
  typing: readonly ChatPerson[];
  /** Whether this person may write. */
  canWrite: boolean;
  /** `owner`, `editor`, `commenter` or `viewer`; empty until known. */
  role: string;
  me: ChatPerson | undefined;
}

export interface SendOptions {
  mentions?: readonly Mention[];
  ref?: Reference;
}

/** Where a stretch is in the text that a session shows, or the revision that deleted the last of it. */
export type Found = { anchor: number; head: number } | { gone: number };
