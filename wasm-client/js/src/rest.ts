/** `@concord/client/rest`: documents and oneself over HTTP. Independent of the editor; needs only `fetch`. */
import type {
  Attribution,
  CreateDocument,
  CreateVersion,
  DocumentId,
  DocumentInfo,
  DocumentList,
  ErrorBody,
  GivenRole,
  HistoryPage,
  HistorySummary,
  LinkAccess,
  Me,
  RevisionDiff,
  RevisionRestored,
  SeenMark,
  Sharing,
  UpdateMe,
  UserId,
  Version,
  VersionId,
  VersionList,
} from './protocol.js';

export type {
  AccessBy,
  AttributedRun,
  Attribution,
  CreateDocument,
  CreateVersion,
  DocumentInfo,
  DocumentList,
  GivenRole,
  HistoryAuthor,
  HistoryBucket,
  HistoryEntry,
  HistoryPage,
  HistorySummary,
  LinkAccess,
  Me,
  RevisionDiff,
  RevisionRestored,
  Role,
  SeenMark,
  Sharing,
  SharingPerson,
  UpdateMe,
  Version,
  VersionId,
  VersionList,
} from './protocol.js';

/** An answer that is an error: `code` is one of the protocol's, or `unreachable` when there was no answer. */
export class RestError extends Error {
  readonly code: string;
  /** HTTP status; 0 without an answer. */
  readonly status: number;
  /** With status 401: where the server sends people who have to sign in, if it names a place. */
  readonly signInUrl: string | undefined;

  constructor(code: string, message: string, status: number, cause?: unknown, signInUrl?: string) {
    super(message, { cause });
    this.name = 'RestError';
    this.code = code;
    this.status = status;
    this.signInUrl = signInUrl;
  }
}

export interface RestOptions {
  /** Address of the server; the page's own by default. */
  url?: string;
  /** A token for each request; without it the cookie speaks. */
  token?: () => Promise<string>;
  fetch?: typeof fetch;
}

export interface ListOptions {
  /** Words the title contains. */
  q?: string;
  limit?: number;
  /** From the answer before; absent for the first page. */
  cursor?: string;
  /** The deleted ones, which can be restored. */
  deleted?: boolean;
  signal?: AbortSignal;
}

export interface HistoryOptions {
  /** Only what comes behind this revision; from the first one by default. */
  after?: number;
  /** 1 to 1000; 100 by default. */
  limit?: number;
  signal?: AbortSignal;
}

/** A text of the past: at a revision, or at a time (milliseconds since 1970). */
export type PastTextOptions = ({ revision: number } | { time_ms: number }) & { signal?: AbortSignal };

export interface PastText {
  text: string;
  revision: number;
  /** When that revision was committed; when the document was created for revision 0. */
  time_ms: number;
}

export interface AttributionOptions {
  /** The revision of the text; the last one by default. */
  revision?: number;
  /** The first character, counted in code points; 0 by default. */
  from?: number;
  /** How many characters; to the end by default. */
  len?: number;
  /**
   * Neighbours of one author make one run when they were written within so many milliseconds;
   * 60 000 by default, 0 for a run for each operation.
   */
  gap_ms?: number;
  signal?: AbortSignal;
}

/** The history of a document. Its operations are never changed: what was read may be kept. */
export interface HistoryClient {
  /** Committed operations, in order. */
  page(id: DocumentId, options?: HistoryOptions): Promise<HistoryPage>;
  /** The whole history in at most `buckets` stretches (1 to 1000; 200 by default). */
  summary(id: DocumentId, buckets?: number, signal?: AbortSignal): Promise<HistorySummary>;
  /** The text at a revision or time. */
  text(id: DocumentId, options: PastTextOptions): Promise<PastText>;
  /** Everything between two revisions as one operation. */
  diff(id: DocumentId, from: number, to: number, signal?: AbortSignal): Promise<RevisionDiff>;
  /** Who wrote the characters of a text, and when. */
  attribution(id: DocumentId, options?: AttributionOptions): Promise<Attribution>;
  versions(id: DocumentId, signal?: AbortSignal): Promise<VersionList>;
  createVersion(id: DocumentId, version: CreateVersion): Promise<Version>;
  renameVersion(id: DocumentId, version: VersionId, name: string): Promise<Version>;
  /** Takes the name away; the revision stays. */
  deleteVersion(id: DocumentId, version: VersionId): Promise<void>;
  /** Makes the text what it was at `revision`, as one new operation that everybody sees. */
  restore(id: DocumentId, revision: number): Promise<RevisionRestored>;
  /** How far one has looked, on any device. */
  seen(id: DocumentId, signal?: AbortSignal): Promise<SeenMark>;
  markSeen(id: DocumentId, revision: number): Promise<SeenMark>;
}

/** Who may open a document, and what they may do. The answers say how it is now. */
export interface SharingClient {
  get(id: DocumentId, signal?: AbortSignal): Promise<Sharing>;
  /** What everybody may do who knows the link. Only for owners. */
  setLink(id: DocumentId, link: LinkAccess): Promise<Sharing>;
  /** Only for owners; `none` keeps a person out, `owner` hands the document over. */
  setRole(id: DocumentId, user: UserId, role: GivenRole): Promise<Sharing>;
  /** Takes away what a person was given by name; what the link gives stays. One may always do so for oneself: leave. */
  remove(id: DocumentId, user: UserId): Promise<void>;
}

export interface RestClient {
  list(options?: ListOptions): Promise<DocumentList>;
  get(id: DocumentId): Promise<DocumentInfo>;
  create(document?: CreateDocument): Promise<DocumentInfo>;
  rename(id: DocumentId, title: string): Promise<DocumentInfo>;
  /** Can be undone with `restore`. */
  delete(id: DocumentId): Promise<void>;
  restore(id: DocumentId): Promise<DocumentInfo>;
  /** The committed text and its revision. */
  text(id: DocumentId): Promise<{ text: string; revision: number }>;
  history: HistoryClient;
  sharing: SharingClient;
  me(): Promise<Me>;
  updateMe(change: UpdateMe): Promise<Me>;
}

/** A client for the REST API of one server. */
export function createRest(options: RestOptions = {}): RestClient {
  const call = async (method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> => {
    const headers: Record<string, string> = {};
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (options.token) headers.authorization = `Bearer ${await options.token()}`;
    const send = options.fetch ?? fetch;
    // A new name, or how far one has looked, is small and may be the last thing a page does: it is to arrive after that.
    const keepalive = method === 'PATCH' || method === 'PUT';
    const request: RequestInit = { method, headers, credentials: 'same-origin', keepalive };
    if (body !== undefined) request.body = JSON.stringify(body);
    if (signal) request.signal = signal;
    let response: Response;
    try {
      response = await send(`${(options.url ?? '').replace(/\/$/, '')}/api/${path}`, request);
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new RestError('unreachable', 'the server could not be reached', 0, cause);
    }
    if (!response.ok) throw await refusal(response);
    return response;
  };
  const json = async <T>(...request: Parameters<typeof call>) => (await (await call(...request)).json()) as T;
  const of = (id: DocumentId, rest = '') => `documents/${encodeURIComponent(id)}${rest}`;

  return {
    list: ({ signal, ...query } = {}) => json('GET', `documents${search(query)}`, undefined, signal),
    get: (id) => json('GET', of(id)),
    create: (document = {}) => json('POST', 'documents', document),
    rename: (id, title) => json('PATCH', of(id), { title }),
    delete: async (id) => {
      await call('DELETE', of(id));
    },
    restore: (id) => json('POST', of(id, '/restore')),
    text: async (id) => {
      const response = await call('GET', of(id, '/text'));
      return { text: await response.text(), revision: Number(response.headers.get('concord-revision') ?? 0) };
    },
    history: {
      page: (id, { signal, ...query } = {}) => json('GET', of(id, `/history${search(query)}`), undefined, signal),
      summary: (id, buckets, signal) =>
        json('GET', of(id, `/history/summary${search({ buckets })}`), undefined, signal),
      text: async (id, { signal, ...query }) => {
        const response = await call('GET', of(id, `/text${search(query)}`), undefined, signal);
        const header = (name: string) => Number(response.headers.get(name) ?? 0);
        return {
          text: await response.text(),
          revision: header('concord-revision'),
          time_ms: header('concord-time-ms'),
        };
      },
      diff: (id, from, to, signal) => json('GET', of(id, `/diff${search({ from, to })}`), undefined, signal),
      attribution: (id, { signal, ...query } = {}) =>
        json('GET', of(id, `/attribution${search(query)}`), undefined, signal),
      versions: (id, signal) => json('GET', of(id, '/versions'), undefined, signal),
      createVersion: (id, version) => json('POST', of(id, '/versions'), version),
      renameVersion: (id, version, name) => json('PATCH', of(id, `/versions/${version}`), { name }),
      deleteVersion: async (id, version) => {
        await call('DELETE', of(id, `/versions/${version}`));
      },
      restore: (id, revision) => json('POST', of(id, '/restore-revision'), { revision }),
      seen: (id, signal) => json('GET', of(id, '/seen'), undefined, signal),
      markSeen: (id, revision) => json('PUT', of(id, '/seen'), { revision }),
    },
    sharing: {
      get: (id, signal) => json('GET', of(id, '/sharing'), undefined, signal),
      setLink: (id, link) => json('PUT', of(id, '/sharing'), { link }),
      setRole: (id, user, role) => json('PUT', of(id, `/people/${encodeURIComponent(user)}`), { role }),
      remove: async (id, user) => {
        await call('DELETE', of(id, `/people/${encodeURIComponent(user)}`));
      },
    },
    me: () => json('GET', 'me'),
    updateMe: (change) => json('PUT', 'me', change),
  };
}

function search(query: Record<string, string | number | boolean | undefined>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text && `?${text}`;
}

// A proxy in between answers with pages of its own; they must not hide what happened.
async function refusal(response: Response): Promise<RestError> {
  const body = (await response.json().catch(() => undefined)) as { error?: Partial<ErrorBody['error']> & { sign_in_url?: string } } | undefined;
  const { code = 'internal', message = `the server answered ${response.status}`, sign_in_url } = body?.error ?? {};
  return new RestError(code, message, response.status, undefined, sign_in_url);
}
