// The REST API of the server, typed. Times are milliseconds since 1970, lengths Unicode scalar values.

export interface DocumentInfo {
  id: string;
  title: string;
  created_ms: number;
  updated_ms: number;
  opened_ms?: number;
  revision: number;
  len_chars: number;
  /** People in it at this moment. */
  here: number;
  role: 'owner' | 'editor' | 'commenter' | 'viewer';
  deleted_ms?: number;
}

export interface DocumentPage {
  documents: DocumentInfo[];
  cursor?: string;
}

export interface Me {
  id: string;
  name: string;
  /** Index 0 to 11 of the twelve people's colours. */
  color: number;
}

/** The server answered, and the answer is no. `code` is stable. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** There was no answer: offline, or the server is away. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

const ANSWER_MAX_MS = 15_000;
/** What a proxy answers when the server behind it is away. */
const GATEWAY_STATUS = [502, 503, 504];

async function failure(response: Response): Promise<Error> {
  const body = (await response.json().catch(() => null)) as { error?: { code?: string; message?: string } } | null;
  if (body?.error?.code) return new ApiError(response.status, body.error.code, body.error.message ?? '');
  if (GATEWAY_STATUS.includes(response.status)) return new Unreachable(`answer ${response.status}`);
  return new ApiError(response.status, 'internal', `answer ${response.status}`);
}

async function call<T>(method: string, path: string, body?: object, signal?: AbortSignal): Promise<T> {
  const timeout = AbortSignal.timeout(ANSWER_MAX_MS);
  let response: Response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers: { accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body ? JSON.stringify(body) : null,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new Unreachable('no answer', { cause });
  }
  if (!response.ok) throw await failure(response);
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export interface ListRequest {
  query?: string;
  deleted?: boolean;
  cursor?: string;
  limit?: number;
  signal?: AbortSignal;
}

function listPath({ query, deleted, cursor, limit = 50 }: ListRequest): string {
  const search = new URLSearchParams({ limit: String(limit) });
  if (query) search.set('q', query);
  if (deleted) search.set('deleted', 'true');
  if (cursor) search.set('cursor', cursor);
  return `/documents?${search}`;
}

const one = (id: string) => `/documents/${encodeURIComponent(id)}`;

export const api = {
  list: (request: ListRequest) => call<DocumentPage>('GET', listPath(request), undefined, request.signal),
  info: (id: string) => call<DocumentInfo>('GET', one(id)),
  create: (title?: string) => call<DocumentInfo>('POST', '/documents', title ? { title } : {}),
  rename: (id: string, title: string) => call<DocumentInfo | undefined>('PATCH', one(id), { title }),
  remove: (id: string) => call<unknown>('DELETE', one(id)),
  restore: (id: string) => call<DocumentInfo | undefined>('POST', `${one(id)}/restore`),
  me: (signal?: AbortSignal) => call<Me>('GET', '/me', undefined, signal),
  saveMe: (change: Partial<Pick<Me, 'name' | 'color'>>) => call<Me>('PUT', '/me', change),
};
