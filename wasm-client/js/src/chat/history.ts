/** The messages of a chat that are here: a stretch without a gap up to the last one, brought up to date by changes. */
import type { ChatMessage, ChatPerson } from '../protocol.js';

export class History {
  #messages: ChatMessage[] = [];
  readonly people = new Map<string, ChatPerson>();
  /** The change up to which everything is here; `undefined` before the first answer. */
  change: number | undefined;
  /** The number of the last message. */
  last = 0;

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  /** The number of the first message here; one behind the last where there is none. */
  get first(): number {
    return this.#messages[0]?.number ?? this.last + 1;
  }

  find(id: string): ChatMessage | undefined {
    return this.#messages.find((message) => message.id === id);
  }

  introduce(people: readonly ChatPerson[]): void {
    for (const person of people) this.people.set(person.user, person);
  }

  /** Begins anew with the latest messages. */
  begin(messages: ChatMessage[], change: number, last: number): void {
    this.#messages = messages;
    this.change = change;
    this.last = last;
  }

  /** Takes in what has changed up to a change. What lies above the first message here is not for now. */
  update(messages: readonly ChatMessage[], change: number): void {
    const { first } = this;
    for (const message of messages) {
      if (message.number > this.last) {
        this.#messages.push(message);
        this.last = message.number;
      } else if (message.number >= first) {
        this.#messages[message.number - first] = message;
      }
    }
    this.change = change;
  }

  /** Puts a page above the first message; one that does not lead up to it is not what was asked for. */
  prepend(messages: readonly ChatMessage[], before: number): void {
    if (before === this.first) this.#messages = [...messages, ...this.#messages];
  }

  /** How many messages of others lie behind a number, where all of those are here. */
  unreadBehind(read: number, user: string | undefined): number | undefined {
    if (this.first > read + 1) return undefined;
    const behind = this.#messages.slice(Math.max(0, read + 1 - this.first));
    return behind.filter((message) => message.user !== user && message.deleted_ms === undefined).length;
  }
}
