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
import { type Opened, Shared } from './shared.js';
import type { Selection16 } from './types.js';

export type { ChatSession } from './chat/session.js';
export type { Asked, OutboxStore } from './chat/outbox.js';
export { mentionsIn, partsOf, type TextPart } from './chat/text.js';
export type * from './chat/types.js';
export { CHAT_TEXT_CHARS_MAX } from './protocol.js';

/** A chat and the way to leave it. */
export type OpenChat = Opened<ChatSession>;

const chats = new Shared<ChatSession>();

/** Opens a document's chat, or joins those who have it open on this page: each wants its own `close`. */
export function openChat(client: ConcordClient, doc: string, store: OutboxStore = deviceOutbox()): OpenChat {
  const { connection, host } = client.link;
  return chats.open(client, doc, () => new ChatSession(doc, connection, host, store));
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
