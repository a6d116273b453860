'use client';
/**
 * `@concord/client/chat/react`: a document's chat as a hook. It renders on the server (phase `loading`) and connects
 * after mounting; it needs no editor.
 *
 * ```tsx
 * const { lines, send, typing } = useChat(id);
 * ```
 */
import { useContext, useMemo, useSyncExternalStore } from 'react';
import { openChat, type OpenChat } from './chat.js';
import type { ChatSession } from './chat/session.js';
import type { ChatView } from './chat/types.js';
import { Context } from './react/context.js';
import type { ClientHolder } from './react/holder.js';

/** What `useChat` answers: the chat as it is, and what a person can do. The functions stay the same. */
export interface Chat extends ChatView {
  /** `null` on the server, during hydration and without an id. */
  session: ChatSession | null;
  send: ChatSession['send'];
  edit: ChatSession['edit'];
  remove: ChatSession['remove'];
  retry: ChatSession['retry'];
  discard: ChatSession['discard'];
  loadMore: () => void;
  markRead: (number?: number) => void;
  setTyping: (on: boolean) => void;
}

const NOTHING: ChatView = {
  phase: 'loading', live: false, lines: [], hasMore: false, loadingMore: false, unread: 0, read: 0, typing: [],
  canWrite: false, role: '', me: undefined,
};

class ChatStore {
  readonly #holder: ClientHolder;
  readonly #doc: string | null;
  readonly #listeners = new Set<() => void>();
  readonly #initial: Chat;
  #open: OpenChat | undefined;
  #stop: (() => void) | undefined;
  #known: ChatView | undefined;
  #chat: Chat;

  constructor(holder: ClientHolder, doc: string | null) {
    this.#holder = holder;
    this.#doc = doc;
    const session = () => this.#open?.session;
    this.#chat = this.#initial = {
      ...NOTHING,
      session: null,
      send: (text, options) => session()?.send(text, options),
      edit: (id, text, mentions) => session()?.edit(id, text, mentions),
      remove: (id) => session()?.remove(id),
      retry: (id) => session()?.retry(id),
      discard: (id) => session()?.discard(id),
      loadMore: () => session()?.loadMore(),
      markRead: (number) => session()?.markRead(number),
      setTyping: (on) => session()?.typing(on),
    };
  }

  readonly serverSnapshot = (): Chat => this.#initial;

  readonly snapshot = (): Chat => {
    const session = this.#open?.session;
    const view = session?.view;
    if (view !== this.#known) {
      this.#known = view;
      this.#chat = session && view ? { ...this.#initial, ...view, session } : this.#initial;
    }
    return this.#chat;
  };

  readonly subscribe = (fn: () => void): (() => void) => {
    this.#listeners.add(fn);
    if (this.#listeners.size === 1) this.#begin();
    return () => {
      this.#listeners.delete(fn);
      if (this.#listeners.size === 0) this.#end();
    };
  };

  #begin(): void {
    if (this.#doc === null) return;
    const open = (this.#open = openChat(this.#holder.client, this.#doc));
    this.#stop = open.session.subscribe(() => this.#tell());
    this.#tell();
  }

  #end(): void {
    this.#stop?.();
    this.#open?.close();
    this.#open = undefined;
  }

  #tell(): void {
    for (const fn of [...this.#listeners]) fn();
  }
}

/** A document's chat, open while the component is mounted. Without an id (not known before mounting, say) it loads. */
export function useChat(doc: string | null | undefined): Chat {
  const holder = useContext(Context);
  const store = useMemo(() => new ChatStore(holder, doc ?? null), [holder, doc]);
  return useSyncExternalStore(store.subscribe, store.snapshot, store.serverSnapshot);
}
