/** Who is in a document, and where: persons from the wire, their selections from the engine. */
import { selections } from './engine.js';
import type { Person as WirePerson } from './protocol.js';
import type { Replica } from './replica.js';
import type { Person, RemoteSelection } from './types.js';

export class People {
  readonly #persons = new Map<number, Person>();
  #list: Person[] = [];

  /** Everybody else, by session number. A new array after every change. */
  get list(): Person[] {
    return this.#list;
  }

  update(people: WirePerson[], gone: number[] | 'all', replica: Replica | undefined): void {
    const engine = replica?.engine;
    for (const session of gone === 'all' ? [...this.#persons.keys()] : gone) {
      this.#persons.delete(session);
      engine?.setPresence(session, new Uint32Array());
    }
    for (const { session, user, name, color, ranges } of people) {
      this.#persons.set(session, { session, user, name, color });
      engine?.setPresence(session, Uint32Array.from(ranges?.flat() ?? []));
    }
    this.#list = [...this.#persons.values()].sort((a, b) => a.session - b.session);
  }

  remoteSelections(replica: Replica | undefined): RemoteSelection[] {
    if (!replica) return [];
    const result: RemoteSelection[] = [];
    for (const [session, ranges] of selections(replica.engine)) {
      const person = this.#persons.get(session);
      const first = ranges[0];
      if (person && first) result.push({ session, person: { ...person, selection: first }, ranges });
    }
    return result;
  }
}
