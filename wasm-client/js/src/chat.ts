/**
 * `@concord/client/chat`: the chat beside a document, over the client's own connection. It needs no editor: the
 * document need not be open.
 *
 * ```ts
 * const { session, close } = openChat(createClient(), documentId);
 * session.subscribe(() => draw(session.view.lines));
 * session.send('Hello');
 * ```
 */
import type { ConcordClient } from './client.js';
import { charsBefore } from './chat/offsets.js';
import { deviceOutbox, type OutboxStore } from './chat/outbox.js';
import { ChatSession } from './chat/session.js';
import type { Reference } from './chat/types.js';
import type { DocumentSession } from './session.js';
import type { Selection16 } from './types.js';

export type { ChatSession } from './chat/session.js';
export type { Asked, OutboxStore } from './chat/outbox.js';
export { mentionsIn, partsOf, type TextPart } from './chat/text.js';
export type * from './chat/types.js';
export { CHAT_TEXT_CHARS_MAX } from './protocol.js';

/** A chat stays open this long after its last user left: React opens and closes in quick succession. */
const LINGER_MS = 250;

/** A chat and the way to leave it. */
export interface OpenChat {
  readonly session: ChatSession;
  /** This user is done; the last one to say so closes the chat. */
  close: () => void;
}

interface Entry {
  session: ChatSession;
  users: number;
  closing: ReturnType<typeof setTimeout> | undefined;
}

const open = new WeakMap<ConcordClient, Map<string, Entry>>();

/** Opens a document's chat, or joins those who have it open on this page: each wants its own `close`. */
export function openChat(client: ConcordClient, doc: string, store: OutboxStore = deviceOutbox()): OpenChat {
  const entries = open.get(client) ?? new Map<string, Entry>();
  open.set(client, entries);
  const { connection, host } = client.link;
  const entry = entries.get(doc) ?? { session: new ChatSession(doc, connection, host, store), users: 0, closing: undefined };
  entries.set(doc, entry);
  entry.users++;
  host.clearTimeout(entry.closing);
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    if (--entry.users > 0) return;
    entry.closing = host.setTimeout(() => {
      entries.delete(doc);
      entry.session.close();
    }, LINGER_MS);
  };
  return { session: entry.session, close };
}

/**
 * What a message is about, from a selection in the text that a session shows; nothing while something typed is not
 * committed (try again then), or nothing is selected.
 */
export function referenceOf(session: DocumentSession, { anchor, head }: Selection16): Reference | undefined {
  if (session.status.unsavedEdits > 0 || anchor === head) return undefined;
  const text = session.text();
  const [start, end] = [Math.min(anchor, head), Math.max(anchor, head)];
  return { rev: session.revision, start: charsBefore(text, start), end: charsBefore(text, end) };
}
