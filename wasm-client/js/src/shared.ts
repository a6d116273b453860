/** What several users on one page share: made by the first, closed some time after the last has left. */
import type { ConcordClient } from './client.js';

/** It stays open this long after its last user left: React opens and closes in quick succession. */
const LINGER_MS = 250;

interface Entry<Session> {
  session: Session;
  users: number;
  closing: ReturnType<typeof setTimeout> | undefined;
}

/** A session and the way to let go of it: the last user to do so closes it. */
export interface Opened<Session> {
  readonly session: Session;
  close: () => void;
}

/** The sessions of one kind, of each client by name. */
export class Shared<Session extends { close(): void }> {
  readonly #open = new WeakMap<ConcordClient, Map<string, Entry<Session>>>();

  /** Joins those who have it open on this page, or makes it: each wants its own `close`. */
  open(client: ConcordClient, name: string, make: () => Session): Opened<Session> {
    const entries = this.#open.get(client) ?? new Map<string, Entry<Session>>();
    this.#open.set(client, entries);
    const { host } = client.link;
    const entry = entries.get(name) ?? { session: make(), users: 0, closing: undefined };
    entries.set(name, entry);
    entry.users++;
    host.clearTimeout(entry.closing);
    let isOpen = true;
    const close = () => {
      if (!isOpen) return;
      isOpen = false;
      if (--entry.users > 0) return;
      entry.closing = host.setTimeout(() => {
        entries.delete(name);
        entry.session.close();
      }, LINGER_MS);
    };
    return { session: entry.session, close };
  }
}
