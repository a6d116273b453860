/**
 * `@concord/client/server`: for back ends, such as route handlers of Next.js. Needs only `fetch` and Web Crypto, so it
 * runs in Node and at the edge; never in a page, which would show its secret to everybody.
 *
 * ```ts
 * const concord = createServerClient({ url: process.env.CONCORD_URL!, serviceToken: () => mintToken({ ...keys, user: 'backend', service: true }) });
 * await concord.publish('load', { cpu: 0.71 });
 * ```
 *
 * What fails for a while is asked again, where asking twice does no more than asking once.
 */
import type {
  EventTaken, EventTarget, Figures, FiguresOf, NewNotification, NotificationTaken, TextEdit, TextEdited,
} from './protocol.js';
import { createRest, type RestClient, RestError } from './rest.js';

export { RestError } from './rest.js';
export type { CreateDocument, DocumentInfo, DocumentList, GivenRole, HistoryClient, LinkAccess, RestClient, Sharing, SharingClient } from './rest.js';
export type { EventTarget, ErrorCode, DocumentFigures, Figures, FiguresOf, SecondFigures, ServerFigures, Spread, TextEdit, TextEdited } from './protocol.js';
export { mintToken, type TokenOptions } from './server/token.js';

export interface ServerClientOptions {
  /** Address of the server. */
  url: string;
  /** A token that says `service`, or a function that gives one; it is asked for each request. */
  serviceToken: string | (() => string | Promise<string>);
  /** How often something is asked in all, while it fails in a way that may pass; 4 by default. */
  attempts?: number;
  /** How long one answer may take, in milliseconds; 10 000 by default. */
  timeoutMs?: number;
  fetch?: typeof fetch;
}

/** Something to tell at once, to whoever is connected. Told at most once; see `notify` for what must not be missed. */
export interface Telling {
  /** What kind of event it is: 1 to 64 letters, digits, dots, underscores, colons and hyphens. */
  name: string;
  /** Any JSON, of 8 KiB at most; `null` if absent. */
  data?: unknown;
  /** The same id to the same room is told once within ten minutes; a new one if absent. */
  id?: string;
}

/** Something that people find when they look, even a week later. The same `id` again makes nothing; a new one if absent. */
export type Notifying = Omit<NewNotification, 'to'>;

/** How a text is changed. */
export interface Editing {
  /** The same id again changes nothing, and is answered as the first time; a new one if absent. */
  id?: string;
}

export interface ServerClient {
  /** Stores a notification for one person, or for up to 100 of the tenant, and shows it on all their devices. */
  notify(to: string | readonly string[], notification: Notifying): Promise<NotificationTaken>;
  /** Tells a person, the tenant or a topic something, at once. */
  tell(to: EventTarget, event: Telling): Promise<EventTaken>;
  /** Tells a topic a value: of each second the latest comes to whoever watches. */
  publish(topic: string, data: unknown, name?: string): Promise<EventTaken>;
  /** The last 15 minutes of the tenant's documents, or of the server for a token that says `operator`. */
  figures(of?: FiguresOf): Promise<Figures>;
  /**
   * Gives a document another text, as one edit that everybody sees as it happens. With the `revision` that it was made
   * from, what others have changed since stays.
   */
  setText(document: string, text: string, options?: Editing & { revision?: number }): Promise<TextEdited>;
  /** Changes the text of a revision in some places, from its beginning on, as one edit; what others have changed since stays. */
  edit(document: string, revision: number, edits: readonly TextEdit[], options?: Editing): Promise<TextEdited>;
  /** The tenant's documents. */
  documents: Omit<RestClient, 'me' | 'updateMe'>;
}

const ATTEMPTS = 4;
const TIMEOUT_MS = 10_000;
/** The first pause before asking again; each is twice the one before it, up to the last. */
const PAUSE_MS = 250;
const PAUSE_MAX_MS = 5_000;

/** What a server answers before it has done anything. */
const NOT_DONE = new Set([429, 503]);
/** What comes from between here and there, or from a server in trouble: it may have been done. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

/** A client with the rights of a back end. */
export function createServerClient(options: ServerClientOptions): ServerClient {
  // A page has a document; workers at the edge, which are places for this, do not.
  if (typeof document !== 'undefined' && typeof window !== 'undefined' && window.document === document) {
    throw new Error('createServerClient is for back ends: a page would show the service token to everybody');
  }
  const { serviceToken } = options;
  const token = async () => (typeof serviceToken === 'string' ? serviceToken : serviceToken());
  const documents = createRest({ url: options.url, token, fetch: patient(options, false) });
  const post = async <Answer>(path: string, body: unknown, method = 'POST'): Promise<Answer> => {
    const address = `${options.url.replace(/\/$/, '')}/api/${path}`;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${await token()}` };
    const response = await patient(options, true)(address, { method, headers, body: JSON.stringify(body) }).catch(unreachable);
    if (!response.ok) throw await refused(response);
    return (await response.json()) as Answer;
  };
  return {
    notify: (to, { id = crypto.randomUUID(), ...notification }) =>
      post('notifications', { to: typeof to === 'string' ? [to] : to, ...notification, id }),
    tell: (to, { name, data = null, id = crypto.randomUUID() }) => post('events', { to, name, data, id }),
    publish: (topic, data, name) => post(`topics/${encodeURIComponent(topic)}`, { data: data ?? null, ...(name !== undefined && { name }) }),
    setText: (document, text, { revision, id = crypto.randomUUID() } = {}) =>
      post(`documents/${document}/text`, { text, ...(revision !== undefined && { revision }), id }, 'PUT'),
    edit: (document, revision, edits, { id = crypto.randomUUID() } = {}) =>
      post(`documents/${document}/edits`, { revision, edits, id }),
    figures: async (of) => {
      const response = await patient(options, true)(`${options.url.replace(/\/$/, '')}/api/figures${of ? `?of=${of}` : ''}`, {
        method: 'GET', headers: { authorization: `Bearer ${await token()}` },
      }).catch(unreachable);
      if (!response.ok) throw await refused(response);
      return (await response.json()) as Figures;
    },
    documents,
  };
}

function unreachable(cause: unknown): never {
  throw new RestError('unreachable', 'the server could not be reached', 0, cause);
}

async function refused(response: Response): Promise<RestError> {
  const body = (await response.json().catch(() => undefined)) as { error?: { code?: string; message?: string } } | undefined;
  const { code = 'internal', message = `the server answered ${response.status}` } = body?.error ?? {};
  return new RestError(code, message, response.status);
}

/** A `fetch` that asks again. `isRepeatable`: a POST too, since what it sends is done once however often it comes. */
function patient(options: ServerClientOptions, isRepeatable: boolean): typeof fetch {
  const attempts = Math.max(1, options.attempts ?? ATTEMPTS);
  return async (input, init = {}) => {
    const mayRepeat = isRepeatable || init.method !== 'POST';
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt >= attempts;
      try {
        const response = await once(options, input, init);
        const passes = mayRepeat ? PASSING.has(response.status) : NOT_DONE.has(response.status) && (await isBefore(response));
        if (isLast || !passes) return response;
        await pause(attempt, Number(response.headers.get('retry-after') ?? 0) * 1_000, init.signal);
      } catch (error) {
        if (isLast || !mayRepeat || init.signal?.aborted) throw error;
        await pause(attempt, 0, init.signal);
      }
    }
  };
}

/** Whether the server says that it has done nothing. A database that did not answer may have. */
async function isBefore(response: Response): Promise<boolean> {
  const body = (await response.clone().json().catch(() => undefined)) as { error?: { code?: string } } | undefined;
  return body?.error?.code === 'slow_down' || body?.error?.code === 'overloaded';
}

async function once(options: ServerClientOptions, input: Parameters<typeof fetch>[0], init: RequestInit): Promise<Response> {
  const { method, headers, body, signal } = init;
  const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  // Frameworks keep answers where they are not told otherwise; some runtimes know none of the other options.
  const request: RequestInit = { cache: 'no-store', signal: signal ? AbortSignal.any([signal, timeout]) : timeout };
  if (method !== undefined) request.method = method;
  if (headers !== undefined) request.headers = headers;
  if (body !== undefined) request.body = body;
  return (options.fetch ?? fetch)(input, request);
}

/** At least as long as the server asks for, and not at the same moment as everybody else. */
async function pause(attempt: number, askedMs: number, signal: AbortSignal | null | undefined): Promise<void> {
  const ms = Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** (attempt - 1));
  await new Promise((resolve) => setTimeout(resolve, Math.min(PAUSE_MAX_MS, Math.max(askedMs, 0)) + ms * (0.5 + Math.random() / 2)));
  signal?.throwIfAborted();
}
