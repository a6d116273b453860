/**
 * One open document: the text an editor binds to, its people, its status.
 *
 * The session owns the replica (engine), the channel (protocol) and the saver (device), and tells its listeners.
 * Everything is usable at once after `open`: until text is there `phase` is `loading` and the session is read-only.
 */
import { backoffMs } from './backoff.js';
import { Channel, type ChannelOwner, SHUT_OUT } from './channel.js';
import { type Claim, claim, clientKey, fresh } from './claim.js';
import type { Connection } from './connection.js';
import { BUFFERED, Engine, loadEngine, PENDING, REDOABLE, UNDOABLE } from './engine.js';
import type { Host, Timer } from './host.js';
import type { Locks } from './lock.js';
import { People } from './people.js';
import { plain } from './plain.js';
import type { Joined, Person as WirePerson, Welcome } from './protocol.js';
import { Replica } from './replica.js';
import { type Change, Saver, type Snapshot } from './saver.js';
import { statusOf } from './status.js';
import type { QueueStore } from './storage.js';
import { type Binding, bindTextarea, type BindingOptions } from './textarea.js';
import { difference } from './textarea/splice.js';
import type {
  DocumentStatus,
  Patch,
  PatchListener,
  PatchOrigin,
  Person,
  RejectedEdit,
  RemoteSelection,
  Selection16,
  TextModel,
} from './types.js';

/** Trouble for logs: `code` is stable, `message` is for developers. */
export interface ClientError {
  code: string;
  message: string;
  doc?: string;
}

/** What a client gives to all its sessions. */
export interface SessionContext {
  host: Host;
  locks: Locks;
  store: Promise<QueueStore>;
  wasm: string | URL | undefined;
  tap?: ((engine: Engine, session: DocumentSession) => Engine) | undefined;
  onError: (error: ClientError) => void;
}

export interface SessionOptions {
  /** Continues this stored queue instead of choosing one. */
  given?: Claim;
  /** Called by `close`; whoever shares the session decides when it shuts. */
  leave?: () => void;
  /** An earlier session of the document on this page that is still storing its last words. */
  after?: Promise<void> | undefined;
}

/** How long to wait for that at most; a store that never answers must not keep a document shut. */
const AFTER_MS = 3_000;

/** Unsaved edits grow older; people see it once a second. */
const AGE_EVERY_MS = 1_000;
const WRITERS = ['owner', 'editor'];

export class DocumentSession implements TextModel {
  /** The document's id, 32 lower-case hex digits. */
  readonly id: string;
  readonly #context: SessionContext;
  readonly #leave: (() => void) | undefined;
  /** Sends a queue of a tab that is gone; without an editor. */
  readonly #rescues: boolean;
  readonly #channel: Channel;
  readonly #people = new People();
  readonly #listeners = new Set<() => void>();
  readonly #patchListeners = new Set<PatchListener>();
  readonly #selectionListeners = new Set<() => void>();
  #replica: Replica | undefined;
  #claim: Claim | undefined;
  /** The claim before this one, while its record has not been replaced. */
  #former: Claim | undefined;
  #saver: Saver | undefined;
  #phase: DocumentStatus['phase'] = 'loading';
  #error: { code: string; message: string } | undefined;
  #rejected: RejectedEdit[] = [];
  #joinRejects = false;
  #title = '';
  #role = '';
  #epoch: string | undefined;
  #me: Person | undefined;
  #status: DocumentStatus | undefined;
  #ageTimer: Timer | undefined;
  #closed = false;
  #holds = 0;
  #wake: () => void = () => undefined;
  readonly #started: Promise<void>;

  constructor(id: string, context: SessionContext, connection: Connection, options: SessionOptions = {}) {
    this.id = id;
    this.#context = context;
    this.#leave = options.leave;
    this.#rescues = options.given !== undefined;
    this.#claim = options.given; // its lock is released in any case
    this.#channel = new Channel(this.#owner(), connection, context.host);
    this.#started = this.#start(options.after);
  }

  // --- what it says ---

  text(): string {
    return this.#replica?.engine.text() ?? '';
  }

  /** The latest revision this replica has seen. */
  get revision(): number {
    return this.#replica?.engine.revision() ?? 0;
  }

  get title(): string {
    return this.#title;
  }

  /** `owner`, `editor`, `commenter` or `viewer`; empty until the server or the device has told. */
  get role(): string {
    return this.#role;
  }

  /** Everybody else who is in the document. */
  get people(): Person[] {
    return this.#people.list;
  }

  /** This person, once the server has told who it is. */
  get me(): Person | undefined {
    return this.#me;
  }

  get readOnly(): boolean {
    return this.#phase !== 'ready' || !WRITERS.includes(this.#role);
  }

  get status(): DocumentStatus {
    return (this.#status ??= statusOf({
      phase: this.#phase,
      error: this.#error,
      live: this.#channel.live,
      unsavedEdits: this.#replica?.unsavedEdits ?? 0,
      unsavedSince: this.#replica?.unsavedSince,
      pace: this.#channel.slowed ? 'slowed' : this.#replica?.inParts ? 'parts' : undefined,
      stored: this.#saver?.stored ?? false,
      storageAvailable: this.#saver?.available ?? false,
      rejected: this.#rejected,
      readOnly: this.readOnly,
      now: this.#context.host.now(),
    }));
  }

  /** Called after every change of text, title, people, status. */
  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  // --- the text model ---

  edit(patch: Patch, selection: Selection16 | null, from?: PatchListener): void {
    this.#change(patch, (replica) => replica.edit(patch, this.#now()), selection, from);
  }

  editByDiff(newText: string, selection: Selection16 | null, from?: PatchListener): void {
    const apply = (replica: Replica) => replica.editByDiff(newText, selection?.head, this.#now());
    this.#change(difference(this.text(), newText, selection?.head), apply, selection, from);
  }

  undo(): Selection16 | null {
    return this.#travel((replica) => replica.undo(this.#now()));
  }

  redo(): Selection16 | null {
    return this.#travel((replica) => replica.redo(this.#now()));
  }

  get canUndo(): boolean {
    return !this.readOnly && (this.#replica?.is(UNDOABLE) ?? false);
  }

  get canRedo(): boolean {
    return !this.readOnly && (this.#replica?.is(REDOABLE) ?? false);
  }

  breakUndoGroup(): void {
    this.#joinRejects = false; // the caret is somewhere else
    this.#replica?.engine.breakUndoGroup();
  }

  setSelection(selection: Selection16 | null): void {
    this.#place(selection);
    this.#channel.selectionMoved();
  }

  hold(): void {
    if (this.#holds++ === 0) this.#replica?.hold();
  }

  release(): void {
    this.#holds = Math.max(0, this.#holds - 1);
    if (this.#holds > 0) return;
    this.#replica?.release();
    this.#tell();
  }

  /** Shows the text in a textarea and takes what is typed there, until the binding is destroyed. */
  bindTextarea(element: HTMLTextAreaElement, options?: BindingOptions): Binding {
    return bindTextarea(element, this, options);
  }

  onPatches(fn: PatchListener): () => void {
    this.#patchListeners.add(fn);
    return () => this.#patchListeners.delete(fn);
  }

  remoteSelections(): RemoteSelection[] {
    return this.#people.remoteSelections(this.#replica);
  }

  onSelections(fn: () => void): () => void {
    this.#selectionListeners.add(fn);
    return () => this.#selectionListeners.delete(fn);
  }

  // --- for people and programs ---

  /** In phase `revoked`: asks whether the document may be opened again. Then what is unsaved is sent. */
  retry(): void {
    this.#channel.retry();
  }

  /** What edits that the server has not committed have inserted: to be shown and copied where it cannot be sent. */
  unsavedText(): string {
    let text = '';
    const copy = this.#replica && Engine.restore(this.#replica.engine.export(), true);
    // Taking an edit back gives its text; so everything is taken back, in a copy.
    while (copy && copy.flags() & PENDING) {
      copy.takeSubmission(1e9, 1e9);
      text += copy.reject(copy.outstandingSeq());
    }
    return text;
  }

  /** The person has seen (and copied) the refused edits. */
  dismissRejected(): void {
    this.#rejected = [];
    this.#changed('own');
  }

  /** Shows refused edits of another queue of this document, until they are dismissed. */
  showRejected(edits: RejectedEdit[]): void {
    this.#rejected.push(...edits);
    this.#changed('edit');
  }

  /** Resolves when everything so far is in the device's storage; `status.storedOnDevice` tells whether it worked. */
  async flush(): Promise<void> {
    await this.#started;
    await this.#saver?.flush();
  }

  /** This user of the session is done; the last one to say so closes the document. */
  close(): void {
    if (this.#leave) this.#leave();
    else void this.shut();
  }

  /** Leaves the document now. What is unsaved stays on the device and is sent by the next tab. */
  async shut(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake();
    await this.#started;
    this.#channel.stop();
    this.#context.host.clearTimeout(this.#ageTimer);
    await this.#saver?.stop();
    this.#former?.lock.release();
    this.#claim?.lock.release();
    this.#replica?.engine.free();
    this.#replica = undefined;
    this.#phase = 'error';
    this.#error = { code: 'closed', message: 'the session is closed' };
    this.#tell();
  }

  /** The client id in use; for tests and bug reports. */
  get client(): string | undefined {
    return this.#claim?.client;
  }

  // --- inside ---

  async #start(after?: Promise<void>): Promise<void> {
    const { host, locks } = this.#context;
    if (after) await Promise.race([after, this.#pause(AFTER_MS)]);
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        const [store] = await Promise.all([this.#context.store, loadEngine(this.#context.wasm)]);
        this.#claim ??= await claim(this.id, host, locks, store, () => this.#replaced());
        this.#saver = new Saver(host, store, () => this.#snapshot(), () => this.#tell());
        break;
      } catch (error) {
        // Most likely the network; the person may have gone offline before the engine was here.
        this.#report('engine_unavailable', error instanceof Error ? error.message : 'the engine did not load');
        await this.#pause(backoffMs(attempt, host.random()));
      }
    }
    if (this.#closed) return;
    await this.#restore();
    if (this.#phase !== 'error') this.#channel.start();
    this.#tell();
  }

  /** Waits, but no longer than until the network is back or the session is closed. */
  #pause(ms: number): Promise<void> {
    const { host } = this.#context;
    return new Promise((resolve) => {
      const end = () => {
        host.clearTimeout(timer);
        unlisten();
        resolve();
      };
      const timer = host.setTimeout(end, ms);
      const unlisten = host.on('online', end);
      this.#wake = end;
    });
  }

  async #restore(): Promise<void> {
    const { record, seed } = this.#claim ?? {};
    const saved = record ?? seed;
    if (!saved) return;
    const engine = Engine.restore(saved.state, record !== undefined);
    if (!engine) {
      this.#report('storage_corrupt', 'the saved state is damaged');
      // The unreadable record stays as it is: somebody may still want to look at it.
      if (this.#rescues) this.#phase = 'error';
      else if (record) await this.#renewClient(false);
      return;
    }
    this.#epoch = saved.epoch;
    this.#title = saved.title;
    this.#role = saved.role;
    this.#rejected = record ? [...record.rejected] : [];
    const tally = { edits: saved.unsavedEdits, since: saved.unsavedSince };
    this.#replica = this.#newReplica(engine, tally);
    this.#phase = 'ready';
    this.#emit([{ at: 0, deleted: 0, inserted: engine.text() }], 'reset');
    this.#saver?.adopt(record !== undefined && this.#replica.is(BUFFERED));
    if (!record) this.#saver?.touch('remote');
  }

  #newReplica(engine: Engine, tally?: { edits: number; since: number | undefined }): Replica {
    const used = this.#context.tap?.(engine, this) ?? engine;
    return new Replica(used, (patches, origin) => this.#emit(patches, origin), tally);
  }

  #owner(): ChannelOwner {
    return {
      doc: this.id,
      client: () => this.#claim?.client ?? '',
      replica: () => this.#replica,
      epoch: () => this.#epoch,
      loaded: (text, joined) => this.#loaded(text, joined),
      joined: (joined, welcome) => this.#joined(joined, welcome),
      renamed: (title) => {
        this.#title = title;
        this.#changed('remote');
      },
      access: (role) => {
        this.#role = role;
        this.#changed('remote');
      },
      deleted: (deleted) => this.#deletion(deleted),
      people: (people, gone) => this.#peopleChanged(people, gone),
      rejected: (text, code, message) => this.#keepRejected(text, code, message),
      changed: (own) => this.#changed(own ? 'own' : 'remote'),
      trouble: (code, message, final) => (final ? this.#fail(code, message) : this.#report(code, message)),
      renewClient: () => this.#renewClient(true),
      beforeSend: () => (this.#saver?.holdsUnsent ? this.#saver.freeze() : undefined),
    };
  }

  #loaded(text: string, joined: Joined): Replica {
    // The server keeps CR, NUL and lone surrogates out; if it ever did not, the engine must still get plain text.
    this.#replica = this.#newReplica(new Engine(plain(text), joined.rev, joined.seq + 1));
    this.#emit([{ at: 0, deleted: 0, inserted: this.text() }], 'reset');
    return this.#replica;
  }

  #joined(joined: Joined, { user }: Welcome): void {
    this.#epoch = joined.epoch;
    this.#title = joined.title;
    this.#role = joined.role;
    this.#me = { session: -1, user: user.id, name: user.name, color: user.color, self: true };
    const isFirst = this.#phase !== 'ready';
    this.#phase = 'ready';
    if (this.#error?.code !== 'diverged') this.#error = undefined;
    this.#joinRejects = false;
    if (!isFirst) return;
    // What was only opened can be read without network too, even if the page is left at once.
    this.#saver?.touch('remote');
    void this.#saver?.flush();
  }

  #deletion(deleted: boolean): void {
    if (deleted) return this.#fail('document_deleted', 'the document was deleted');
    this.#phase = 'ready';
    this.#error = undefined;
    this.#tell();
  }

  #peopleChanged(people: WirePerson[], gone: number[] | 'all'): void {
    this.#people.update(people, gone, this.#replica);
    this.#selectionsChanged();
    this.#tell();
  }

  // A refused paste comes back in parts; one entry with the whole text is what a person can use.
  #keepRejected(text: string, code: string, message: string | undefined): void {
    const last = this.#rejected.at(-1);
    if (this.#joinRejects && last?.code === code) last.text += text;
    else this.#rejected.push({ text, code, ...(message !== undefined && { message }) });
    this.#joinRejects = code !== 'diverged';
    if (code === 'forbidden' && !this.readOnly) this.#role = 'viewer';
    if (code === 'document_deleted') this.#deletion(true);
    this.#changed('edit');
  }

  #change(
    patch: Patch | null,
    apply: (replica: Replica) => void,
    selection: Selection16 | null,
    from: PatchListener | undefined,
  ): void {
    if (!patch) return;
    if (!this.#replica || this.readOnly) {
      const { at, deleted, inserted } = patch;
      const back = [{ at, deleted: inserted.length, inserted: this.text().slice(at, at + deleted) }];
      for (const fn of from ? [from] : [...this.#patchListeners]) fn(back, 'reset');
      // An input method was at it while the right was taken away.
      if (inserted && this.#replica) this.#keepRejected(inserted, 'forbidden', undefined);
      return;
    }
    if (from) for (const fn of [...this.#patchListeners]) if (fn !== from) fn([patch], 'remote');
    apply(this.#replica);
    this.#place(selection);
    this.#selectionsChanged();
    this.#changed('edit');
    this.#channel.pump();
  }

  #travel(step: (replica: Replica) => Selection16 | null): Selection16 | null {
    if (!this.#replica || this.readOnly) return null;
    const caret = step(this.#replica);
    if (caret) {
      this.#place(caret);
      this.#changed('edit');
      this.#channel.pump();
    }
    return caret;
  }

  #place(selection: Selection16 | null): void {
    const engine = this.#replica?.engine;
    engine?.setSelection(selection?.anchor ?? -1, selection?.head ?? -1);
  }

  #emit(patches: Patch[], origin: PatchOrigin): void {
    for (const fn of [...this.#patchListeners]) fn(patches, origin);
    this.#selectionsChanged();
  }

  #selectionsChanged(): void {
    for (const fn of [...this.#selectionListeners]) fn();
  }

  #changed(change: Change): void {
    this.#saver?.touch(change);
    this.#tell();
  }

  #tell(): void {
    this.#status = undefined;
    this.#watchAge();
    for (const fn of [...this.#listeners]) fn();
  }

  #watchAge(): void {
    const { host } = this.#context;
    if (this.#closed || this.#ageTimer !== undefined || !this.#replica?.is(PENDING)) return;
    this.#ageTimer = host.setTimeout(() => {
      this.#ageTimer = undefined;
      this.#tell();
    }, AGE_EVERY_MS);
  }

  #snapshot(): Snapshot | undefined {
    const replica = this.#replica;
    const client = this.#claim?.client;
    if (!replica || !client || this.#epoch === undefined) return undefined;
    const since = replica.unsavedSince;
    const record = {
      doc: this.id,
      client,
      epoch: this.#epoch,
      state: replica.engine.export(),
      title: this.#title,
      role: this.#role,
      pending: replica.is(PENDING) ? (1 as const) : (0 as const),
      unsavedEdits: replica.unsavedEdits,
      ...(since !== undefined && { unsavedSince: since }),
      savedAt: this.#now(),
      rejected: [...this.#rejected],
    };
    const instead = this.#former && { doc: this.id, client: this.#former.client };
    return { record, unsent: replica.is(BUFFERED), instead };
  }

  /** Continues under a new client id; `move` takes the stored work along. */
  async #renewClient(move: boolean): Promise<void> {
    const { host, locks, store } = this.#context;
    const old = this.#claim;
    this.#claim = await fresh(host, locks, () => this.#replaced());
    // A rescued queue is not what this tab writes in.
    if (!this.#rescues && (await store).durable) host.remember(clientKey(this.id), this.#claim.client);
    if (old && move) {
      this.#former = old;
      this.#saver?.touch('edit');
      await this.#saver?.flush();
      // Until a write succeeds the old record is the only one, and nobody else may send it.
      if (!this.#saver?.available) return;
      this.#former = undefined;
    }
    old?.lock.release();
  }

  #replaced(): void {
    this.#claim = undefined; // and with it the record: it is the other tab's now
    this.#channel.stop();
    this.#fail('replaced', 'another tab continues this document');
  }

  #report(code: string, message: string): void {
    this.#error = { code, message };
    this.#context.onError({ code, message, doc: this.id });
    this.#tell();
  }

  #fail(code: string, message: string): void {
    // What was open, or holds work, is not taken out of the person's sight.
    const kept = this.#me || this.#rejected.length > 0 || this.#replica?.is(PENDING);
    this.#phase = kept && SHUT_OUT.has(code) ? 'revoked' : 'error';
    this.#report(code, message);
  }

  #now(): number {
    return this.#context.host.now();
  }
}
