/** `@concord/client/rest`: documents and oneself over HTTP. Independent of the editor; needs only `fetch`. */
import type {
  CreateDocument,
  DocumentId,
  DocumentInfo,
  DocumentList,
  ErrorBody,
  Me,
  UpdateMe,
} from './protocol.js';

export type { CreateDocument, DocumentInfo, DocumentList, Me, UpdateMe } from './protocol.js';

/** An answer that is an error: `code` is one of the protocol's, or `unreachable` when there was no answer. */
export class RestError extends Error {
  readonly code: string;
  /** HTTP status; 0 without an answer. */
  readonly status: number;

  constructor(code: string, message: string, status: number, cause?: unknown) {
    super(message, { cause });
    this.name = 'RestError';
    this.code = code;
    this.status = status;
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
    const request: RequestInit = { method, headers, credentials: 'same-origin' };
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
  const body = (await response.json().catch(() => undefined)) as Partial<ErrorBody> | undefined;
  const { code = 'internal', message = `the server answered ${response.status}` } = body?.error ?? {};
  return new RestError(code, message, response.status);
}
