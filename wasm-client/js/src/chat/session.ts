/**
 * One open chat over a client's connection: joins, resumes, says, says again, pages, reads.
 *
 * Laws it keeps: one thing of one's own is on its way at a time, so that messages keep the order in which they were
 * said; what has no answer is said again under the same id; changes are taken in order, and after a lost connection
 * from the last one that was taken.
 */
import { backoffMs } from '../backoff.js';
import type { Connection, ConnectionUser } from '../connection.js';
import type { Host, Timer } from '../host.js';
import {
  type ChatAck, type ChatMessage, type ChatOpened, type ChatReference, type ChatReject, RETRYABLE_CHAT,
  type ServerMessage, type Welcome,
} from '../protocol.js';
import { plain } from '../plain.js';
import type { DocumentSession } from '../session.js';
import { History } from './history.js';
import { charsBefore, offsetOf } from './offsets.js';
import type { Asked, OutboxStore } from './outbox.js';
import type { ChatLine, ChatPerson, ChatView, Found, Mention, Reference, SendOptions } from './types.js';

/** Something unanswered for this long: is the link alive? */
const ANSWER_TIMEOUT_MS = 5_000;
/** Typing is told this often, and taken back when nothing was typed for longer. */
const TYPING_EVERY_MS = 3_000;
const TYPING_ENDS_MS = 5_000;
/** A list of who types that is older than this is not believed. */
const TYPISTS_LAST_MS = 10_000;
/** Reading is told at most this often. */
const READ_EVERY_MS = 1_000;
/** How often a place is looked for anew when the text has moved on meanwhile. */
const FIND_ATTEMPTS = 5;

const WRITERS = ['owner', 'editor', 'commenter'];
/** Codes of an opening that nothing but the person's or the owner's doing will change. */
const FINAL = new Set(['not_found', 'forbidden', 'document_deleted', 'too_many_open', 'access_revoked']);

interface Search {
  ref: string;
  resolve: (found: { at?: ChatReference; gone?: number }) => void;
  reject: (error: Error) => void;
}

export class ChatSession implements ConnectionUser {
  /** The document's id. */
  readonly doc: string;
  readonly #connection: Connection;
  readonly #host: Host;
  readonly #store: OutboxStore;
  readonly #history = new History();
  readonly #listeners = new Set<() => void>();
  #outbox: Asked[] = [];
  #adopted = false;
  #inFlight: Asked | undefined;
  #ch: number | undefined;
  #phase: ChatView['phase'] = 'loading';
  #code: string | undefined;
  #role = '';
  #me: ChatPerson | undefined;
  #read = 0;
  #unread = 0;
  #readWanted = 0;
  /** How far the server is known to know. */
  #readKnown = 0;
  #loadingMore = false;
  #typists: ChatPerson[] = [];
  #typing = false;
  #typingTold = -Infinity;
  #searches: Search[] = [];
  #attempt = 0;
  #retries = 0;
  #openTimer: Timer | undefined;
  #answerTimer: Timer | undefined;
  #sendTimer: Timer | undefined;
  #readTimer: Timer | undefined;
  #typingTimer: Timer | undefined;
  #typistsTimer: Timer | undefined;
  #view: ChatView | undefined;
  readonly #detach: () => void;
  #closed = false;

  constructor(doc: string, connection: Connection, host: Host, store: OutboxStore) {
    this.doc = doc;
    this.#connection = connection;
    this.#host = host;
    this.#store = store;
    this.#detach = connection.attach(this);
  }

  get view(): ChatView {
    return (this.#view ??= this.#look());
  }

  /** Called after every change of `view`. */
  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  // --- what a person does ---

  /** Says something: it is in `lines` at once. The line's id, or nothing where there is nothing to say. */
  send(text: string, { mentions = [], ref }: SendOptions = {}): string | undefined {
    const said = plain(text);
    const skipped = said.length - said.trimStart().length;
    const body = said.trim();
    if (body === '' || !this.#me) return undefined;
    const moved = mentions.map(({ start, end, user }) => ({ start: start - skipped, end: end - skipped, user }));
    const asked: Asked = {
      kind: 'send', id: this.#host.uuid(), user: this.#me.user, text: body,
      mentions: wireMentions(body, moved), timeMs: this.#host.now(), ...(ref && { ref }),
    };
    this.#typing = false;
    this.#host.clearTimeout(this.#typingTimer);
    this.#ask(asked);
    return asked.id;
  }

  /** Gives one's own message another text. */
  edit(id: string, text: string, mentions: readonly Mention[] = []): void {
    const body = plain(text).trim();
    if (body === '' || !this.#me) return;
    const waiting = this.#outbox.find((asked) => asked.id === id && asked.kind === 'send' && asked !== this.#inFlight);
    if (waiting && this.#fresh.has(waiting)) {
      // Nobody has it yet: it is said as it should have been.
      Object.assign(waiting, { text: body, mentions: wireMentions(body, mentions) });
      delete waiting.failed;
      this.#store.put(this.doc, waiting);
      this.#changed();
      return this.#pump();
    }
    this.#replace({
      kind: 'edit', id, user: this.#me.user, text: body, mentions: wireMentions(body, mentions), timeMs: this.#host.now(),
    });
  }

  /** Takes a message back: one's own, or as the document's owner anybody's. */
  remove(id: string): void {
    if (!this.#me) return;
    const waiting = this.#outbox.find((asked) => asked.id === id && asked.kind === 'send');
    if (waiting && (this.#fresh.has(waiting) || waiting.failed !== undefined) && waiting !== this.#inFlight) {
      return this.discard(id);
    }
    this.#replace({ kind: 'delete', id, user: this.#me.user, text: '', mentions: [], timeMs: this.#host.now() });
  }

  /** Tries what was refused once more. */
  retry(id: string): void {
    for (const asked of this.#outbox) if (asked.id === id) delete asked.failed;
    this.#changed();
    this.#pump();
  }

  /** Gives up what was refused. */
  discard(id: string): void {
    for (const asked of this.#outbox.filter((asked) => asked.id === id)) this.#drop(asked);
    this.#changed();
  }

  /** Asks for what lies above the first line. */
  loadMore(): void {
    const { first } = this.#history;
    if (this.#loadingMore || this.#ch === undefined || first <= 1) return;
    this.#loadingMore = this.#connection.send({ type: 'chat_before', ch: this.#ch, number: first });
    this.#changed();
  }

  /** The person has seen everything up to a message; up to the last one when left out. */
  markRead(number = this.#history.last): void {
    if (number <= this.#read) return;
    this.#read = this.#readWanted = number;
    this.#count();
    this.#changed();
    this.#tellRead();
  }

  /** The person has typed something that is not sent, or has emptied the field. */
  typing(on: boolean): void {
    this.#host.clearTimeout(this.#typingTimer);
    if (on) this.#typingTimer = this.#host.setTimeout(() => this.typing(false), TYPING_ENDS_MS);
    const now = this.#host.clock();
    if (on === this.#typing && (!on || now - this.#typingTold < TYPING_EVERY_MS)) return;
    this.#typing = on;
    this.#typingTold = now;
    if (this.#ch !== undefined) this.#connection.send({ type: 'chat_typing', ch: this.#ch, on });
  }

  /** Where a stretch is in the text that a session of this document shows now. Fails while there is no connection. */
  async find(ref: Reference, session: DocumentSession): Promise<Found> {
    for (let attempt = 0; attempt < FIND_ATTEMPTS; attempt++) {
      await this.#settled(session);
      const to = session.revision;
      const { at, gone } = await this.#locate(ref, to);
      if (gone !== undefined) return { gone };
      // Typed meanwhile: the offsets would be off.
      if (!at || at.rev !== session.revision || session.status.unsavedEdits > 0) continue;
      const text = session.text();
      return { anchor: offsetOf(text, at.start), head: offsetOf(text, at.end) };
    }
    throw new Error('the text moves too fast');
  }

  /** Leaves the chat. What has no answer yet is sent the next time it is opened. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.typing(false);
    if (this.#ch !== undefined) this.#connection.send({ type: 'leave', ch: this.#ch });
    this.closed();
    for (const timer of [this.#typingTimer, this.#typistsTimer, this.#readTimer]) this.#host.clearTimeout(timer);
    this.#detach();
  }

  // --- what the connection says ---

  opened(welcome: Welcome): void {
    const { id, name, color } = welcome.user;
    this.#me = { user: id, name, color };
    if (!this.#adopted) {
      this.#adopted = true;
      this.#outbox = this.#store.list(this.doc).filter((asked) => asked.user === id);
    }
    this.#open();
  }

  closed(): void {
    this.#ch = undefined;
    this.#inFlight = undefined;
    this.#loadingMore = false;
    this.#typists = [];
    for (const timer of [this.#openTimer, this.#answerTimer, this.#sendTimer]) this.#host.clearTimeout(timer);
    this.#sendTimer = undefined;
    for (const search of this.#searches.splice(0)) search.reject(new Error('the connection is lost'));
    this.#changed();
  }

  message(message: ServerMessage): void {
    if (message.type === 'chat_opened') {
      if (message.doc === this.doc && this.#ch === undefined) this.#onOpened(message);
    } else if (message.type === 'chat_reject' && message.doc === this.doc) {
      if (this.#ch === undefined) this.#onShut(message.code);
    } else if (this.#ch !== undefined && 'ch' in message && message.ch === this.#ch) {
      this.#onChannel(message);
    }
  }

  #onChannel(message: ServerMessage): void {
    switch (message.type) {
      case 'chat':
        this.#history.introduce(message.people);
        this.#history.update(message.messages, message.change);
        this.#arrived(message.messages);
        break;
      case 'chat_page':
        this.#history.introduce(message.people);
        this.#history.prepend(message.messages, message.before);
        this.#loadingMore = false;
        break;
      case 'chat_ack':
        return this.#onAck(message);
      case 'chat_reject':
        return this.#onReject(message);
      case 'chat_typing':
        this.#onTypists(message.people);
        break;
      case 'chat_read':
        this.#read = Math.max(this.#read, message.number);
        this.#readKnown = Math.max(this.#readKnown, message.number);
        if (message.number >= this.#read) this.#unread = message.unread;
        this.#count();
        break;
      case 'chat_located':
        return this.#onLocated(JSON.stringify(message.ref), message);
      case 'access':
        this.#role = message.role;
        break;
      case 'error':
        if (message.code === 'access_revoked') this.#onShut(message.code);
        return;
      case 'left':
        return this.#spent();
    }
    this.#changed();
  }

  // --- inside ---

  /** Own messages that were never on their way. */
  readonly #fresh = new WeakSet<Asked>();

  #open(): void {
    const { change } = this.#history;
    this.#connection.send({ type: 'chat_open', doc: this.doc, ...(change !== undefined && { since: change }) });
  }

  #onOpened(opened: ChatOpened): void {
    this.#ch = opened.ch;
    this.#attempt = 0;
    this.#phase = 'ready';
    this.#code = undefined;
    this.#role = opened.role;
    this.#history.introduce(opened.people);
    if (opened.since !== undefined) this.#history.update(opened.messages, opened.change);
    else this.#history.begin(opened.messages, opened.change, opened.last);
    this.#read = Math.max(opened.read, this.#readWanted);
    this.#readKnown = opened.read;
    this.#unread = opened.unread;
    this.#count();
    this.#arrived(opened.messages);
    this.#changed();
    if (this.#readWanted > opened.read) this.#tellRead();
    if (this.#typing) {
      this.#typing = false;
      this.typing(true);
    }
    this.#pump();
  }

  /** The chat cannot be open, for now or at all. */
  #onShut(code: string): void {
    this.#code = code;
    if (FINAL.has(code)) this.#phase = 'closed';
    else this.#openLater();
    this.#changed();
  }

  /** The server closed the channel; its number means nothing any more. */
  #spent(): void {
    this.closed();
    if (this.#phase !== 'closed') this.#openLater();
  }

  #openLater(): void {
    this.#host.clearTimeout(this.#openTimer);
    const delay = backoffMs(this.#attempt++, this.#host.random());
    this.#openTimer = this.#host.setTimeout(() => this.#open(), delay);
  }

  /**
   * What is heard of one's own messages settles them as an answer would; but where somebody is named in them, only the
   * answer says that they were told.
   */
  #arrived(messages: readonly ChatMessage[]): void {
    for (const { id } of messages) {
      const sent = this.#outbox.find((asked) => asked.id === id && asked.kind === 'send' && asked !== this.#inFlight);
      if (sent && sent.mentions.length === 0) this.#drop(sent);
    }
    this.#count();
  }

  #onAck({ id, number, change }: ChatAck): void {
    const asked = this.#inFlight;
    if (asked?.id !== id) return;
    this.#answered();
    this.#retries = 0;
    this.#drop(asked);
    // Shown as what it is now, until the change itself comes.
    if (asked.kind === 'send' && number > this.#history.last) this.#acked.set(id, { asked, number, change });
    this.#changed();
    this.#pump();
  }

  /** Own messages that are stored and not heard yet: they stay in sight. */
  readonly #acked = new Map<string, { asked: Asked; number: number; change: number }>();

  #onReject({ id, code, retry_ms }: ChatReject): void {
    if (id === undefined) {
      this.#loadingMore = false;
      for (const search of this.#searches.splice(0)) search.reject(new Error(code));
      // It may have been the mark of how far this person has read: told twice, it is the same.
      if (this.#readWanted > this.#readKnown && RETRYABLE_CHAT.has(code)) this.#tellReadLater();
      return this.#changed();
    }
    const asked = this.#inFlight;
    if (asked?.id !== id) return;
    this.#answered();
    if (RETRYABLE_CHAT.has(code)) {
      this.#sendLater(retry_ms ?? backoffMs(this.#retries++, this.#host.random()));
    } else if (asked.kind === 'delete' && (code === 'no_message' || code === 'message_deleted')) {
      this.#drop(asked);
    } else {
      asked.failed = code;
      this.#store.put(this.doc, asked);
    }
    this.#changed();
    this.#pump();
  }

  #answered(): void {
    this.#host.clearTimeout(this.#answerTimer);
    this.#inFlight = undefined;
  }

  #onTypists(people: readonly ChatPerson[]): void {
    this.#typists = [...people];
    this.#host.clearTimeout(this.#typistsTimer);
    this.#typistsTimer = this.#host.setTimeout(() => {
      this.#typists = [];
      this.#changed();
    }, TYPISTS_LAST_MS);
  }

  #ask(asked: Asked): void {
    this.#fresh.add(asked);
    this.#outbox.push(asked);
    this.#store.put(this.doc, asked);
    this.#changed();
    this.#pump();
  }

  /** Asks for this in place of the same for the same message that waits. */
  #replace(asked: Asked): void {
    const same = (other: Asked) => other.id === asked.id && other.kind === asked.kind && other !== this.#inFlight;
    for (const other of this.#outbox.filter(same)) this.#drop(other);
    this.#ask(asked);
  }

  #drop(asked: Asked): void {
    this.#outbox = this.#outbox.filter((other) => other !== asked);
    this.#store.delete(this.doc, asked);
  }

  #pump(): void {
    if (this.#ch === undefined || this.#inFlight || this.#sendTimer !== undefined) return;
    const next = this.#outbox.find((asked) => asked.failed === undefined);
    if (!next) return;
    const { kind, id, text, mentions, ref } = next;
    const spans = mentions.length > 0 ? { mentions } : {};
    const ch = this.#ch;
    this.#inFlight = next;
    this.#fresh.delete(next);
    if (kind === 'send') this.#connection.send({ type: 'chat_send', ch, id, text, ...spans, ...(ref && { ref }) });
    else if (kind === 'edit') this.#connection.send({ type: 'chat_edit', ch, id, text, ...spans });
    else this.#connection.send({ type: 'chat_delete', ch, id });
    this.#await();
  }

  // Everything asked gets one answer on a live link. So no answer means: look whether it lives.
  #await(): void {
    this.#host.clearTimeout(this.#answerTimer);
    this.#answerTimer = this.#host.setTimeout(() => {
      this.#connection.probe();
      this.#await();
    }, ANSWER_TIMEOUT_MS);
  }

  #sendLater(ms: number): void {
    this.#host.clearTimeout(this.#sendTimer);
    this.#sendTimer = this.#host.setTimeout(() => {
      this.#sendTimer = undefined;
      this.#pump();
    }, ms);
  }

  #tellRead(): void {
    if (this.#readTimer !== undefined || this.#ch === undefined || this.#readWanted === 0) return;
    this.#connection.send({ type: 'chat_read', ch: this.#ch, number: this.#readWanted });
    const told = this.#readWanted;
    this.#readTimer = this.#host.setTimeout(() => {
      this.#readTimer = undefined;
      if (this.#readWanted > told) this.#tellRead();
    }, READ_EVERY_MS);
  }

  #tellReadLater(): void {
    this.#host.clearTimeout(this.#readTimer);
    this.#readTimer = this.#host.setTimeout(() => {
      this.#readTimer = undefined;
      this.#tellRead();
    }, READ_EVERY_MS);
  }

  /** Counts what is unread, where it can be seen from here. */
  #count(): void {
    this.#unread = this.#history.unreadBehind(this.#read, this.#me?.user) ?? this.#unread;
  }

  #locate(ref: Reference, to: number): Promise<{ at?: ChatReference; gone?: number }> {
    return new Promise((resolve, reject) => {
      const ch = this.#ch;
      if (ch === undefined || !this.#connection.send({ type: 'chat_locate', ch, ref, to })) {
        return reject(new Error('there is no connection'));
      }
      this.#searches.push({ ref: JSON.stringify(ref), resolve, reject });
    });
  }

  #onLocated(ref: string, found: { at?: ChatReference; gone?: number }): void {
    const index = this.#searches.findIndex((search) => search.ref === ref);
    if (index >= 0) this.#searches.splice(index, 1)[0]?.resolve(found);
  }

  /** Resolves when everything typed is committed, so that the text shown is that of a revision. */
  #settled(session: DocumentSession): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (session.status.unsavedEdits > 0) return;
        stop();
        resolve();
      };
      const stop = session.subscribe(look);
      look();
    });
  }

  #look(): ChatView {
    const { first, last, messages } = this.#history;
    for (const [id, { number }] of this.#acked) if (number <= last) this.#acked.delete(id);
    const onTheirWay = [...this.#acked.values()].map(({ asked }) => this.#lineOf(asked, 'sent'));
    const waiting = this.#outbox.filter((asked) => asked.kind === 'send' && !this.#history.find(asked.id));
    const lines = [
      ...messages.map((message) => this.#line(message)),
      ...onTheirWay,
      ...waiting.map((asked) => this.#lineOf(asked, asked.failed === undefined ? 'sending' : 'failed')),
    ];
    return {
      phase: this.#phase,
      ...(this.#code !== undefined && { code: this.#code }),
      live: this.#ch !== undefined,
      lines,
      hasMore: this.#phase === 'ready' && first > 1,
      loadingMore: this.#loadingMore,
      unread: this.#unread,
      read: this.#read,
      typing: this.#typists,
      canWrite: WRITERS.includes(this.#role) && this.#phase === 'ready',
      role: this.#role,
      me: this.#me,
    };
  }

  #line(message: ChatMessage): ChatLine {
    const { id, number, user, time_ms, edited_ms, deleted_ms, ref } = message;
    const change = this.#outbox.findLast((asked) => asked.id === id);
    const { text, mentions = [] } = change?.kind === 'edit' ? change : message;
    const deleted = deleted_ms !== undefined || (change?.kind === 'delete' && change.failed === undefined);
    return {
      id, number, author: this.#person(user), own: user === this.#me?.user, timeMs: time_ms,
      text: deleted ? '' : text, mentions: deleted ? [] : shownMentions(text, mentions), deleted,
      state: !change ? 'sent' : change.failed === undefined ? 'sending' : 'failed',
      ...(ref && !deleted && { ref }),
      ...(edited_ms !== undefined && { editedMs: edited_ms }),
      ...(change?.failed !== undefined && { code: change.failed }),
    };
  }

  #lineOf(asked: Asked, state: ChatLine['state']): ChatLine {
    const { id, user, text, mentions, timeMs, ref, failed } = asked;
    return {
      id, author: this.#person(user), own: true, text, mentions: shownMentions(text, mentions), timeMs, deleted: false,
      state, ...(ref && { ref }), ...(failed !== undefined && { code: failed }),
    };
  }

  #person(user: string): ChatPerson {
    if (user === this.#me?.user) return this.#me;
    return this.#history.people.get(user) ?? { user, name: user, color: 0 };
  }

  #changed(): void {
    this.#view = undefined;
    for (const fn of [...this.#listeners]) fn();
  }
}

function wireMentions(text: string, mentions: readonly Mention[]): Mention[] {
  return mentions
    .filter(({ start, end }) => start >= 0 && start < end && end <= text.length)
    .map(({ start, end, user }) => ({ start: charsBefore(text, start), end: charsBefore(text, end), user }));
}

function shownMentions(text: string, mentions: readonly Mention[]): Mention[] {
  return mentions.map(({ start, end, user }) => ({ start: offsetOf(text, start), end: offsetOf(text, end), user }));
}
