/**
 * What this person has said and the server has not acknowledged, in order. It survives a reload where the browser keeps
 * anything: after one, or in another tab, the same is sent again under the same ids, and the server does it once.
 */
import type { ChatMention, ChatReference } from '../protocol.js';

/** Something to be stored: texts and spans as they go over the wire. */
export interface Asked {
  kind: 'send' | 'edit' | 'delete';
  id: string;
  /** Who says it: what somebody else left on this device is not sent. */
  user: string;
  text: string;
  mentions: ChatMention[];
  ref?: ChatReference;
  timeMs: number;
  /** Refused for good, with this code. */
  failed?: string;
}

/** Where the outbox is kept; every method may fail, which costs only what a reload would lose. */
export interface OutboxStore {
  list(doc: string): Asked[];
  put(doc: string, asked: Asked): void;
  delete(doc: string, asked: Asked): void;
}

const PREFIX = 'concord-chat';

/** What a reload keeps: one entry of `localStorage` for each, so that tabs do not overwrite each other's. */
export function deviceOutbox(): OutboxStore {
  const keyOf = (doc: string, asked: Asked) => `${PREFIX}/${doc}/${asked.id}/${asked.kind}`;
  const attempt = <T>(fn: () => T): T | undefined => {
    try {
      return fn();
    } catch {
      return undefined; // blocked, full, or not there
    }
  };
  return {
    list: (doc) => attempt(() => read(`${PREFIX}/${doc}/`)) ?? [],
    put: (doc, asked) => attempt(() => localStorage.setItem(keyOf(doc, asked), JSON.stringify(asked))),
    delete: (doc, asked) => attempt(() => localStorage.removeItem(keyOf(doc, asked))),
  };
}

function read(prefix: string): Asked[] {
  const keys = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? '');
  const kept = keys.filter((key) => key.startsWith(prefix)).map((key) => localStorage.getItem(key) ?? '');
  return kept.map((text) => JSON.parse(text) as Asked).sort((a, b) => a.timeMs - b.timeMs);
}
