/**
 * Owns the client of one provider. The client is made when first used, never while a server renders, and closed some
 * time after the last provider has gone: React mounts, unmounts and mounts again in strict mode.
 */
import type { ConcordClient } from '../client.js';

const LINGER_MS = 1_000;

export class ClientHolder {
  readonly #make: () => ConcordClient;
  /** A client that the application has made is the application's to close. */
  readonly #owned: boolean;
  #client: ConcordClient | undefined;
  #users = 0;
  #closing: ReturnType<typeof setTimeout> | undefined;

  constructor(make: () => ConcordClient, owned: boolean) {
    this.#make = make;
    this.#owned = owned;
  }

  get client(): ConcordClient {
    return (this.#client ??= this.#make());
  }

  /** Keeps the client until the answer is called. */
  retain(): () => void {
    clearTimeout(this.#closing);
    this.#users += 1;
    return () => {
      this.#users -= 1;
      if (this.#users === 0 && this.#owned) this.#closing = setTimeout(() => this.#close(), LINGER_MS);
    };
  }

  #close(): void {
    const client = this.#client;
    this.#client = undefined;
    void client?.close();
  }
}
