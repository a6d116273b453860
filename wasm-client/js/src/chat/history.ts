/**
 * The messages of a chat that are here: from one on up to the last one, brought up to date by changes. Told of changes in
 * several pieces, one that was changed again meanwhile comes behind later ones: until then it is lacking.
 */
import type { ChatMessage, ChatPerson } from '../protocol.js';

export class History {
  #messages: ChatMessage[] = [];
  readonly people = new Map<string, ChatPerson>();
  /** The change up to which everything is here; `undefined` before the first answer. */
  change: number | undefined;
  /** The number of the last message. */
  last = 0;
  /** The number of the first message that is kept here; one behind the last where there is none. */
  #first = 1;

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  get first(): number {
    return this.#first;
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
    this.#first = messages[0]?.number ?? last + 1;
  }

  /** Takes in what has changed up to a change. What lies above the first message here is not for now. */
  update(messages: readonly ChatMessage[], change: number): void {
    for (const message of messages) {
      const { number } = message;
      if (number < this.#first) continue;
      this.last = Math.max(this.last, number);
      const before = this.#messages.findLastIndex((held) => held.number <= number);
      const isHere = this.#messages[before]?.number === number;
      this.#messages.splice(isHere ? before : before + 1, isHere ? 1 : 0, message);
    }
    this.change = change;
  }

  /** Puts a page above the first message; one that does not lead up to it is not what was asked for. */
  prepend(messages: readonly ChatMessage[], before: number): void {
    if (before !== this.#first) return;
    this.#messages = [...messages, ...this.#messages];
    this.#first = messages[0]?.number ?? 1;
  }

  /** How many messages of others lie behind a number, where all of those are here. */
  unreadBehind(read: number, user: string | undefined): number | undefined {
    if (this.first > read + 1) return undefined;
    const isUnread = (message: ChatMessage) => message.number > read && message.user !== user;
    return this.#messages.filter((message) => isUnread(message) && message.deleted_ms === undefined).length;
  }
}
