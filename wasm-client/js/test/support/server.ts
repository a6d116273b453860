/** A server in a few lines that speaks the real protocol, and can be told to misbehave. */
import { apply, baseLength, type Op, transform } from './ot.js';
import type { FakeSocket, World } from './world.js';

interface Entry {
  op: Op;
  client: string;
  seq: number;
}

interface Session {
  ch: number;
  client: string;
  socket: FakeSocket;
  /** The last revision sent. */
  sent: number;
}

interface Submit {
  type: string;
  ch: number;
  seq: number;
  rev: number;
  op: Op;
  t?: number;
  doc: string;
  client: string;
  since?: number;
  epoch?: string;
}

export const LIMITS = {
  message_bytes_max: 262_144, text_bytes_max: 32_768, components_max: 1_000, document_bytes_max: 4_194_304,
  submissions_per_s: 100, submissions_burst: 200, ranges_max: 16, documents_max: 32, ring_len: 1_024,
};

/** Hashes a text as the protocol says; tests give the engine's own hash, since Node has no xxh64. */
export type Hash = (text: string) => string;

export class ToyServer {
  text: string;
  epoch = 'e'.repeat(32);
  title = 'Notes';
  role = 'editor';
  limits = { ...LIMITS };
  readonly log: Entry[] = [];
  readonly bases: string[] = [];
  /** Every submit frame that arrived, as it was. */
  readonly submits: string[] = [];
  readonly selects: string[] = [];
  /** How many joins arrived. */
  joins = 0;
  /** Answers to submissions are swallowed (the commit happens). */
  loseAnswers = false;
  /** Decides about a submission: a reject, or nothing to commit it. */
  judge: (submit: Submit) => { code: string; retry_ms?: number } | undefined = () => undefined;
  /** Overrides the answer to a join. */
  onJoin: (submit: Submit) => object | undefined = () => undefined;
  readonly #sessions = new Set<Session>();
  #channels = 0;

  constructor(world: World, text = '') {
    this.text = text;
    this.bases.push(text);
    world.accept = (socket) => queueMicrotask(() => this.#accept(socket));
  }

  get revision(): number {
    return this.log.length;
  }

  get sessions(): Session[] {
    return [...this.#sessions];
  }

  /** Somebody else's edit at the head. */
  commit(op: Op, client = 'other'): void {
    this.text = apply(this.text, op);
    this.log.push({ op, client, seq: 0 });
    this.bases.push(this.text);
    this.#flush();
  }

  /** Somebody else replaces everything from a place on: a convenient `commit`. */
  insert(at: number, text: string): void {
    const length = [...this.text].length;
    this.commit([at, text, length - at].filter((component) => component !== 0));
  }

  broadcast(message: object): void {
    for (const session of this.#sessions) session.socket.deliver({ ...message, ch: session.ch });
  }

  /** The server has trouble with the document; the connections stay. */
  endChannels(code: string): void {
    for (const { socket, ch } of this.#sessions) {
      socket.deliver({ type: 'error', code, fatal: false, ch });
      socket.deliver({ type: 'left', ch });
    }
    this.#sessions.clear();
  }

  /** Every connection breaks. */
  cut(code = 1006): void {
    for (const socket of new Set(this.sessions.map((session) => session.socket))) socket.drop(code);
  }

  #accept(socket: FakeSocket): void {
    socket.onsent = (frame) => queueMicrotask(() => this.#take(socket, frame));
    socket.onended = () => this.#end((session) => session.socket === socket);
    socket.establish();
    const user = { id: 'g_me', name: 'Quiet Otter', color: 3 };
    socket.deliver({ type: 'welcome', user, limits: this.limits, heartbeat_ms: 30_000 });
  }

  #end(which: (session: Session) => boolean): void {
    for (const session of this.#sessions) if (which(session)) this.#sessions.delete(session);
  }

  #take(socket: FakeSocket, frame: string): void {
    const message = JSON.parse(frame) as Submit;
    if (message.type === 'ping') socket.deliver({ type: 'pong', t: message.t });
    if (message.type === 'join') this.#join(socket, message);
    if (message.type === 'leave') {
      this.#end((session) => session.socket === socket && session.ch === message.ch);
      socket.deliver({ type: 'left', ch: message.ch });
    }
    const session = this.sessions.find((each) => each.socket === socket && each.ch === message.ch);
    if (message.type === 'select') this.selects.push(frame);
    if (message.type === 'submit' && session) {
      this.submits.push(frame);
      this.#submit(session, message);
    }
  }

  #join(socket: FakeSocket, join: Submit): void {
    this.joins++;
    const other = this.onJoin(join);
    if (other) return socket.deliver(other);
    const resumes = join.since !== undefined && join.epoch === this.epoch && join.since <= this.revision;
    const sent = resumes ? (join.since ?? 0) : this.revision;
    const last = this.log.findLastIndex((entry) => entry.client === join.client);
    for (const old of this.sessions) if (old.client === join.client) old.socket.drop(4409);
    const session = { ch: ++this.#channels, client: join.client, socket, sent };
    this.#sessions.add(session);
    socket.deliver({
      type: 'joined', ch: session.ch, doc: join.doc, epoch: this.epoch, rev: sent, title: this.title, role: this.role,
      seq: this.log[last]?.seq ?? 0, seq_rev: last + 1, people: [], ...(!resumes && { text: this.text }),
    });
    this.#flush();
  }

  #submit(session: Session, submit: Submit): void {
    const committed = this.log.findIndex((entry) => entry.client === session.client && entry.seq === submit.seq);
    if (committed >= 0) {
      // A resend: answered by the stream when its place is still to come.
      if (committed < session.sent) session.socket.deliver({ type: 'ack', ch: session.ch, seq: submit.seq, rev: committed + 1 });
      return;
    }
    const verdict = this.judge(submit);
    if (verdict) return session.socket.deliver({ type: 'reject', ch: session.ch, seq: submit.seq, ...verdict });
    if (baseLength(submit.op) !== [...(this.bases[submit.rev] ?? '')].length) throw new Error(`bad base in ${JSON.stringify(submit)}`);
    const op = this.log.slice(submit.rev).reduce((pending, entry) => transform(pending, entry.op), submit.op);
    this.text = apply(this.text, op);
    this.log.push({ op, client: session.client, seq: submit.seq });
    this.bases.push(this.text);
    this.#flush();
  }

  #flush(): void {
    if (this.loseAnswers) return;
    for (const session of this.#sessions) {
      if (session.sent === this.revision) continue;
      const ops = this.log.slice(session.sent).map((entry) => {
        return entry.client === session.client ? { ack: entry.seq } : { op: entry.op, by: 1 };
      });
      session.socket.deliver({ type: 'ops', ch: session.ch, rev: session.sent, ops });
      session.sent = this.revision;
    }
  }
}
