/**
 * The protocol of one document: join, resume, submit, resend, reject, check, presence.
 *
 * Laws it keeps: one submission in flight; what was sent is sent again byte for byte (the engine keeps the frozen
 * text); operations are taken in revision order; anything that does not fit makes it join again, never guess.
 */
import { backoffMs } from './backoff.js';
import type { Connection, ConnectionUser } from './connection.js';
import { OK, OUTSTANDING, PENDING, TELLS_SELECTION } from './engine.js';
import type { Host, Timer } from './host.js';
import {
  type Entry,
  type Joined,
  type Person as WirePerson,
  RETRYABLE_REJECTS,
  type RejectCode,
  type Role,
  type ServerMessage,
  type Welcome,
  type WireLimits,
} from './protocol.js';
import type { Replica } from './replica.js';

/** A submission unanswered for this long: is the link alive? */
const ANSWER_TIMEOUT_MS = 5_000;
/** Carets move with every key; more often than this nobody sees it. */
const SELECT_EVERY_MS = 50;
/** Faults of the stream in a row before the document is given up: a loop would help nobody. */
const FAULTS_MAX = 5;
/** Differing texts in one session before the document is given up. */
const DIVERGENCES_MAX = 3;

/** Errors about a document that may be gone after a pause. */
const isTransient = (code: string) => code === 'internal' || RETRYABLE_REJECTS.has(code as RejectCode);
/** Errors that somebody may take back one day: the document is asked for again on a new connection, or when told. */
export const SHUT_OUT = new Set(['access_revoked', 'not_found', 'forbidden']);

/** What the owner of a channel provides and is told. */
export interface ChannelOwner {
  readonly doc: string;
  client(): string;
  replica(): Replica | undefined;
  /** The epoch of the replica's revision. */
  epoch(): string | undefined;
  /** The first text of this document arrived: make the replica. */
  loaded(text: string, joined: Joined): Replica;
  joined(joined: Joined, welcome: Welcome): void;
  renamed(title: string): void;
  /** What this person may do has changed. */
  access(role: Role): void;
  /** The document was deleted by its owner, or restored. */
  deleted(deleted: boolean): void;
  people(people: WirePerson[], gone: number[] | 'all'): void;
  rejected(text: string, code: string, message?: string): void;
  /** The replica moved: text, revision, saved state or connection. `own` when local work was affected. */
  changed(own: boolean): void;
  /** A promise when the frozen submission has to be stored before it may be sent. */
  beforeSend(): Promise<void> | undefined;
  /** Trouble that was repaired (`final` false) or that ends the session. */
  trouble(code: string, message: string, final: boolean): void;
  /** This client id belongs to somebody else: continue under another one. */
  renewClient(): Promise<void>;
}

export class Channel implements ConnectionUser {
  readonly #owner: ChannelOwner;
  readonly #connection: Connection;
  readonly #host: Host;
  #limits: WireLimits | undefined;
  #welcome: Welcome | undefined;
  #ch: number | undefined;
  /** The next join asks for the text instead of the operations since. */
  #fresh = false;
  #faults = 0;
  #divergences = 0;
  #joinAttempt = 0;
  #retries = 0;
  /** The server asked to be left alone until then, by the host's `clock`. */
  #quietUntil = 0;
  /** Until it is restored, nothing is sent: it would be refused for good. */
  #deleted = false;
  #shutOut = false;
  #inFlight = false;
  #storing = false;
  #selectionDirty = false;
  #joinTimer: Timer | undefined;
  #answerTimer: Timer | undefined;
  #sendTimer: Timer | undefined;
  #selectTimer: Timer | undefined;
  #detach: (() => void) | undefined;
  #ended = false;

  constructor(owner: ChannelOwner, connection: Connection, host: Host) {
    this.#owner = owner;
    this.#connection = connection;
    this.#host = host;
  }

  /** Joined on a live socket. */
  get live(): boolean {
    return this.#ch !== undefined;
  }

  /** Sending waits because the server has asked for it. */
  get slowed(): boolean {
    return this.#sendTimer !== undefined;
  }

  /** Asks again for a document that this person was kept out of. */
  retry(): void {
    if (this.#shutOut) this.#join();
  }

  start(): void {
    if (!this.#ended) this.#detach ??= this.#connection.attach(this);
  }

  stop(): void {
    this.#ended = true;
    if (this.#ch !== undefined) this.#connection.send({ type: 'leave', ch: this.#ch });
    this.closed();
    this.#detach?.();
    this.#detach = undefined;
  }

  opened(welcome: Welcome): void {
    this.#welcome = welcome;
    this.#limits = welcome.limits;
    this.#quietUntil = 0;
    this.#join();
  }

  closed(): void {
    this.#ch = undefined;
    this.#inFlight = false;
    for (const timer of [this.#joinTimer, this.#answerTimer, this.#sendTimer, this.#selectTimer]) {
      this.#host.clearTimeout(timer);
    }
    this.#sendTimer = this.#selectTimer = undefined;
    this.#owner.people([], 'all');
    this.#owner.changed(false);
  }

  /** Something local happened that may have to be sent. */
  pump(): void {
    const replica = this.#owner.replica();
    if (this.#ch === undefined || !replica || !this.#limits || this.#sendTimer !== undefined) return;
    if (this.#inFlight || this.#storing || this.#deleted) return;
    const wait = this.#quietUntil - this.#host.clock();
    if (wait > 0) return this.#sendLater(wait);
    if (!replica.is(OUTSTANDING)) {
      if (!replica.takeSubmission(this.#limits.components_max, this.#limits.text_bytes_max)) return this.#select();
      // From here on its bytes are fixed, and must be found again after a reload.
      this.#selectionDirty = this.#selectionDirty && !replica.is(TELLS_SELECTION);
      this.#owner.changed(true);
      const stored = this.#owner.beforeSend();
      if (stored) return this.#sendAfter(stored);
    }
    this.#submit(replica);
  }

  selectionMoved(): void {
    this.#selectionDirty = true;
    this.#select();
  }

  message(message: ServerMessage): void {
    if (message.type === 'joined') {
      if (message.doc === this.#owner.doc && this.#ch === undefined) this.#onJoined(message);
    } else if (message.type === 'error') {
      if (message.doc === this.#owner.doc && this.#ch === undefined) this.#onJoinError(message.code, message.message);
      else if (message.ch !== undefined && message.ch === this.#ch) this.#onChannelError(message.code, message.message);
    } else if (message.type === 'slow_down') {
      this.#quietUntil = this.#host.clock() + message.ms;
    } else if ('ch' in message && message.ch === this.#ch) {
      this.#onChannel(message);
    }
  }

  #onChannel(message: ServerMessage): void {
    const replica = this.#owner.replica();
    if (!replica) return;
    switch (message.type) {
      case 'ops':
        return this.#onOps(replica, message.rev, message.ops);
      case 'ack':
        if (message.seq !== replica.engine.outstandingSeq()) return; // settled before, answered again
        return this.#onAck(replica, message.seq, message.rev) ? this.#settled() : this.#rejoin(true);
      case 'reject':
        if (message.seq !== replica.engine.outstandingSeq()) return;
        return this.#onReject(replica, message.code, message.message, message.retry_ms);
      case 'presence':
        return this.#owner.people(message.people, message.gone ?? []);
      case 'renamed':
        return this.#owner.renamed(message.title);
      case 'access':
        return this.#owner.access(message.role);
      case 'deleted':
      case 'restored':
        this.#deleted = message.type === 'deleted';
        this.#owner.deleted(this.#deleted);
        return this.pump();
      case 'left':
        return this.#spent();
    }
  }

  #join(): void {
    this.#shutOut = false;
    const since = this.#fresh ? undefined : this.#owner.replica()?.engine.revision();
    const epoch = this.#owner.epoch();
    const resume = since !== undefined && epoch !== undefined ? { since, epoch } : {};
    this.#connection.send({ type: 'join', doc: this.#owner.doc, client: this.#owner.client(), ...resume });
  }

  /** The server closed the channel; its number means nothing any more. */
  #spent(): void {
    this.#ch = undefined;
    this.#rejoin(false);
  }

  /** The server has trouble with this document and ended its channel, or was told something wrong about it. */
  #onChannelError(code: string, message?: string): void {
    if (code === 'slow_down') return this.selectionMoved(); // it was a selection
    if (!SHUT_OUT.has(code) && !isTransient(code)) return this.#spent();
    this.closed();
    this.#onJoinError(code, message);
  }

  /** Leaves and joins again; `fresh` also doubts the text. */
  #rejoin(fresh: boolean): void {
    if (++this.#faults > FAULTS_MAX) {
      this.stop();
      return this.#owner.trouble('out_of_step', 'out of step with the server, again and again', true);
    }
    if (this.#ch !== undefined) this.#connection.send({ type: 'leave', ch: this.#ch });
    this.#owner.replica()?.deliver('remote'); // the editor must show what the engine holds, faults or not
    this.closed();
    this.#fresh ||= fresh;
    this.#join();
  }

  #onJoined(joined: Joined): void {
    let replica = this.#owner.replica();
    this.#ch = joined.ch;
    this.#deleted = false;
    this.#joinAttempt = this.#retries = 0;
    if (joined.text === undefined) {
      if (!replica || replica.engine.revision() !== joined.rev) return this.#rejoin(true);
    } else if (!replica) {
      replica = this.#owner.loaded(joined.text, joined);
    } else if (!replica.reset(joined.text, joined.rev, joined.seq)) {
      return this.#rejoin(true);
    }
    this.#fresh = false;
    replica.engine.raiseSeq(joined.seq);
    this.#selectionDirty = replica.engine.selection() !== '[]';
    this.#owner.people(joined.people, 'all');
    if (this.#welcome) this.#owner.joined(joined, this.#welcome);
    // Already committed: its ack comes at its place in the stream, a resend would only be answered twice.
    const committed = joined.seq === replica.engine.outstandingSeq() && joined.seq_rev > joined.rev;
    if (committed) this.#await();
    else this.pump();
    this.#owner.changed(true);
  }

  #onJoinError(code: string, message = ''): void {
    if (isTransient(code)) {
      const delay = backoffMs(this.#joinAttempt++, this.#host.random());
      this.#joinTimer = this.#host.setTimeout(() => this.#join(), delay);
      return this.#owner.trouble(code, message, false);
    }
    if (code === 'client_taken' && ++this.#faults <= FAULTS_MAX) {
      this.#fresh = true;
      void this.#owner.renewClient().then(() => this.#ended || this.#join());
      return;
    }
    this.#shutOut = SHUT_OUT.has(code);
    if (!this.#shutOut) this.stop();
    this.#owner.trouble(code, message, true);
  }

  #onOps(replica: Replica, rev: number, entries: Entry[]): void {
    let revision = replica.engine.revision();
    if (rev !== revision) return this.#rejoin(false);
    let own = false;
    for (const entry of entries) {
      if ('check' in entry) {
        if (!replica.is(PENDING) && replica.engine.hash() !== entry.check) return this.#diverged(replica);
        this.#faults = 0;
        continue;
      }
      if ('ack' in entry) {
        revision += 1;
        if (!this.#onAck(replica, entry.ack, revision)) return this.#rejoin(true);
        own = true;
      } else {
        revision = 'to' in entry ? entry.to : revision + 1;
        if (replica.engine.receive(entry.op, revision) !== OK) return this.#rejoin(true);
      }
    }
    replica.deliver('remote');
    this.#owner.changed(own);
    if (own) this.#settled();
  }

  #onAck(replica: Replica, seq: number, revision: number): boolean {
    if (!replica.acknowledge(seq, revision)) return false;
    this.#host.clearTimeout(this.#answerTimer);
    this.#inFlight = false;
    this.#retries = this.#faults = 0;
    return true;
  }

  #settled(): void {
    this.#owner.changed(true);
    this.pump();
  }

  #onReject(replica: Replica, code: RejectCode, message?: string, retryMs?: number): void {
    this.#host.clearTimeout(this.#answerTimer);
    this.#inFlight = false;
    if (RETRYABLE_REJECTS.has(code)) {
      this.#sendLater(retryMs ?? backoffMs(this.#retries++, this.#host.random()));
      return this.#owner.changed(false);
    }
    const text = replica.reject(replica.engine.outstandingSeq());
    this.#owner.rejected(text, code, message);
    this.#settled();
  }

  #submit(replica: Replica): void {
    this.#connection.send(`{"type":"submit","ch":${this.#ch ?? 0},${replica.engine.outstanding()}}`);
    this.#await();
  }

  #sendAfter(stored: Promise<void>): void {
    this.#storing = true;
    void stored.then(() => {
      this.#storing = false;
      this.pump();
    });
  }

  // Every submission gets one answer on a live link. So no answer means: look whether it lives.
  #await(): void {
    this.#inFlight = true;
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
      this.pump();
    }, ms);
  }

  #select(): void {
    if (!this.#selectionDirty || this.#selectTimer !== undefined) return;
    this.#selectTimer = this.#host.setTimeout(() => {
      this.#selectTimer = undefined;
      const replica = this.#owner.replica();
      // With anything pending, the selection rides with the next submission.
      if (this.#ch === undefined || !replica || replica.is(PENDING) || !this.#selectionDirty) return;
      this.#selectionDirty = false;
      const { engine } = replica;
      const body = `"rev":${engine.revision()},"ranges":${engine.selection()}`;
      this.#connection.send(`{"type":"select","ch":${this.#ch},${body}}`);
    }, SELECT_EVERY_MS);
  }

  // The two texts differ although nothing is pending: a bug, here or there. The person keeps what they see.
  #diverged(replica: Replica): void {
    this.#owner.rejected(replica.engine.text(), 'diverged');
    this.#owner.trouble('diverged', `another text than the server's at revision ${replica.engine.revision()}`, false);
    if (++this.#divergences > DIVERGENCES_MAX) this.#faults = FAULTS_MAX;
    this.#rejoin(true);
  }
}

