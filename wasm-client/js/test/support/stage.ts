/** A stage for whole-client tests: a world, a toy server, tabs with clients, editors bound to sessions. */
import 'fake-indexeddb/auto';
import './wasm.js';

import assert from 'node:assert/strict';

import { IDBFactory } from 'fake-indexeddb';

import { type ConcordClient, createClient } from '../../src/client.js';
import { applyPatch } from '../../src/textarea/splice.js';
import type { ClientError, DocumentSession } from '../../src/session.js';
import { memoryStore, openStore, type QueueStore } from '../../src/storage.js';
import type { Patch, PatchOrigin, Selection16 } from '../../src/types.js';
import { ToyServer } from './server.js';
import { Tab, until, World } from './world.js';

export const DOC = 'd'.repeat(32);

/** A text field as simple as can be: it applies what it is told and types what the test says. */
export class Editor {
  value: string;
  readonly session: DocumentSession;
  readonly heard: [Patch[], PatchOrigin][] = [];

  constructor(session: DocumentSession) {
    this.session = session;
    this.value = session.text();
    session.onPatches((patches, origin) => {
      this.heard.push([patches, origin]);
      this.value = patches.reduce(applyPatch, this.value);
    });
  }

  replace(at: number, deleted: number, inserted: string, selection: Selection16 | null = null): void {
    this.value = applyPatch(this.value, { at, deleted, inserted });
    this.session.edit({ at, deleted, inserted }, selection);
  }

  type(text: string, at = this.value.length): void {
    for (const character of text) {
      this.replace(at, 0, character);
      at += character.length;
    }
  }
}

export interface Actor {
  tab: Tab;
  client: ConcordClient;
  session: DocumentSession;
  editor: Editor;
  errors: ClientError[];
}

export class Stage {
  readonly world = new World();
  readonly server: ToyServer;
  readonly tabs: Tab[] = [];
  store: Promise<QueueStore>;

  constructor(text = '', options: { storage?: 'memory' } = {}) {
    this.server = new ToyServer(this.world, text);
    this.store = options.storage ? Promise.resolve(memoryStore()) : openStore(new IDBFactory());
  }

  /** A tab that opens the document; `memory` makes it a reload or a duplicate. */
  async open(memory?: Map<string, string>, doc = DOC): Promise<Actor> {
    const tab = new Tab(this.world, memory);
    this.tabs.push(tab);
    const errors: ClientError[] = [];
    const client = createClient({
      host: tab.host, locks: tab.locks, store: this.store, onError: (error) => errors.push(error),
    });
    const session = client.open(doc);
    const editor = new Editor(session);
    await this.world.pass(500);
    return { tab, client, session, editor, errors };
  }

  async ready(memory?: Map<string, string>): Promise<Actor> {
    const actor = await this.open(memory);
    await until('the document is ready', () => actor.session.status.phase === 'ready');
    return actor;
  }

  online(online: boolean): void {
    this.world.setOnline(online, this.tabs);
  }

  /** Time passes until nothing is unsaved anywhere, then everybody must show the server's text. */
  async quiet(...actors: Actor[]): Promise<void> {
    for (let round = 0; round < 300; round++) {
      await this.world.pass(250);
      if (actors.every((actor) => actor.session.status.save === 'saved' && actor.session.revision === this.server.revision)) break;
    }
    for (const actor of actors) {
      assert.equal(actor.session.status.save, 'saved');
      assert.equal(actor.session.text(), this.server.text);
      assert.equal(actor.editor.value, this.server.text);
    }
  }
}
