/** A chat's server in a few lines: one chat, the real protocol, and answers that can be lost. */
import type { ChatMessage, ClientMessage } from '../../src/protocol.js';
import { LIMITS } from './server.js';
import type { FakeSocket, World } from './world.js';

interface Listener {
  ch: number;
  socket: FakeSocket;
  user: string;
}

export class ToyChat {
  readonly messages: ChatMessage[] = [];
  /** The last change of each message, by number. */
  readonly changes: number[] = [];
  change = 0;
  /** Every message about a chat that arrived. */
  readonly asked: ClientMessage[] = [];
  /** What is asked is done, and nobody hears of it. */
  loseAnswers = false;
  /** Decides about something asked: a code to refuse it with. */
  judge: (message: ClientMessage) => { code: string; retry_ms?: number } | undefined = () => undefined;
  role = 'editor';
  /** Whom each new socket belongs to. */
  user = 'ada';
  readonly read = new Map<string, number>();
  readonly #listeners = new Set<Listener>();
  #channels = 0;

  constructor(world: World) {
    world.accept = (socket) => queueMicrotask(() => this.#accept(socket));
  }

  /** Somebody says something. */
  say(text: string, user = 'ben', id = `${this.messages.length + 1}`.padStart(32, 'f')): void {
    const number = this.messages.length + 1;
    this.#put({ number, id, user, time_ms: 1, text });
  }

  /** Something becomes of a message. */
  alter(number: number, fields: Partial<ChatMessage>): void {
    const before = this.messages[number - 1];
    if (before) this.#put({ ...before, ...fields });
  }

  broadcast(message: object): void {
    for (const { socket, ch } of this.#listeners) socket.deliver({ ...message, ch });
  }

  cut(): void {
    for (const { socket } of [...this.#listeners]) socket.drop(1006);
  }

  end(code: string): void {
    this.broadcast({ type: 'error', code, fatal: false });
    this.broadcast({ type: 'left' });
    this.#listeners.clear();
  }

  #put(message: ChatMessage): void {
    this.messages[message.number - 1] = message;
    this.changes[message.number - 1] = ++this.change;
    if (this.loseAnswers) return;
    this.broadcast({ type: 'chat', change: this.change, messages: [message], people: [person(message.user)] });
  }

  #accept(socket: FakeSocket): void {
    const { user } = this;
    socket.onsent = (frame) => queueMicrotask(() => this.#take(socket, user, JSON.parse(frame) as ClientMessage));
    socket.onended = () => {
      for (const listener of [...this.#listeners]) if (listener.socket === socket) this.#listeners.delete(listener);
    };
    socket.establish();
    socket.deliver({ type: 'welcome', user: { id: user, name: user, color: 1 }, limits: LIMITS, heartbeat_ms: 30_000 });
  }

  #take(socket: FakeSocket, user: string, message: ClientMessage): void {
    if (message.type === 'ping') return socket.deliver({ type: 'pong', t: message.t });
    this.asked.push(message);
    const refused = this.judge(message);
    const subject = { ...('ch' in message && { ch: message.ch }), ...('id' in message && { id: message.id }), ...('doc' in message && { doc: message.doc }) };
    if (refused) return socket.deliver({ type: 'chat_reject', ...subject, ...refused });
    const answer = this.#answer(socket, user, message);
    if (answer && !this.loseAnswers) socket.deliver(answer);
  }

  #answer(socket: FakeSocket, user: string, message: ClientMessage): object | undefined {
    const last = this.messages.length;
    switch (message.type) {
      case 'chat_open': {
        const ch = ++this.#channels;
        this.#listeners.add({ ch, socket, user });
        const { since } = message;
        const messages = since === undefined
          ? this.messages.slice(-50)
          : this.messages.filter(({ number }) => (this.changes[number - 1] ?? 0) > since);
        const read = this.read.get(user) ?? 0;
        const unread = this.messages.filter((said) => said.number > read && said.user !== user).length;
        return {
          type: 'chat_opened', ch, doc: message.doc, role: this.role, messages, people: people(messages), last,
          change: this.change, read, unread, ...(since !== undefined && { since }),
        };
      }
      case 'chat_send': {
        const { ch, id, text } = message;
        const known = this.messages.find((said) => said.id === id);
        if (!known) this.say(text, user, id);
        const number = known?.number ?? last + 1;
        return { type: 'chat_ack', ch, id, number, change: this.changes[number - 1] };
      }
      case 'chat_edit':
      case 'chat_delete': {
        const { ch, id } = message;
        const number = this.messages.find((said) => said.id === id)?.number ?? 0;
        this.alter(number, message.type === 'chat_edit' ? { text: message.text, edited_ms: 2 } : { text: '', deleted_ms: 3 });
        return { type: 'chat_ack', ch, id, number, change: this.change };
      }
      case 'chat_before': {
        const messages = this.messages.filter((said) => said.number < message.number).slice(-50);
        return { type: 'chat_page', ch: message.ch, before: message.number, messages, people: people(messages) };
      }
      case 'chat_read':
        this.read.set(user, message.number);
        this.broadcast({ type: 'chat_read', number: message.number, unread: 0 });
        return undefined;
      default:
        return undefined;
    }
  }
}

const person = (user: string) => ({ user, name: user.toUpperCase(), color: 2 });
const people = (messages: readonly ChatMessage[]) => [...new Set(messages.map(({ user }) => user))].map(person);
