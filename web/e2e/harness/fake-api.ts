// A made-up REST API for the states a healthy server does not show: slow, failing, gone, thousands of documents.
import type { BrowserContext, Route } from 'playwright-core';
import type { DocumentInfo, Me } from '../../src/data/api';

export interface FakeApi {
  documents: DocumentInfo[];
  me: Me;
  /** Set to a status to make every answer a failure, or to 'hang' or 'cut'. */
  fault: number | 'hang' | 'cut' | null;
  calls: string[];
}

export const documentId = (n: number): string => n.toString(16).padStart(8, '0').repeat(4);

export function makeDocument(n: number, change: Partial<DocumentInfo> = {}): DocumentInfo {
  const now = Date.now();
  return {
    id: documentId(n),
    title: `Document ${n}`,
    created_ms: now - 5e6,
    updated_ms: now,
    revision: 12,
    len_chars: 400,
    here: 0,
    role: 'owner',
    ...change,
  };
}

const json = (route: Route, body: unknown, status = 200) =>
  route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) });
const no = (route: Route, status: number, code: string) => json(route, { error: { code, message: code } }, status);

function answerOne(api: FakeApi, route: Route, id: string, restore: boolean): Promise<void> {
  const document = api.documents.find((candidate) => candidate.id === id);
  if (!document) return no(route, 404, 'not_found');
  switch (route.request().method()) {
    case 'PATCH':
      document.title = (route.request().postDataJSON() as { title: string }).title;
      break;
    case 'DELETE':
      document.deleted_ms = Date.now();
      break;
    case 'POST':
      if (restore) delete document.deleted_ms;
  }
  return json(route, document);
}

function answerAll(api: FakeApi, route: Route, search: URLSearchParams): Promise<void> {
  if (route.request().method() === 'POST') {
    const made = makeDocument(9000 + api.documents.length, { title: 'Untitled' });
    api.documents.push(made);
    return json(route, made, 201);
  }
  const deleted = search.get('deleted') === 'true';
  const query = (search.get('q') ?? '').toLowerCase();
  const limit = Number(search.get('limit') ?? 50);
  const from = Number(search.get('cursor') ?? 0);
  const all = api.documents.filter((d) => (d.deleted_ms !== undefined) === deleted && d.title.toLowerCase().includes(query));
  const cursor = from + limit < all.length ? String(from + limit) : undefined;
  return json(route, { documents: all.slice(from, from + limit), cursor });
}

/** Answers /api in this window. */
export async function fakeApi(context: BrowserContext, start: Partial<FakeApi> = {}): Promise<FakeApi> {
  const api: FakeApi = {
    documents: [],
    me: { id: 'g_1', name: 'Quiet Otter', color: 8, guest: true },
    fault: null,
    calls: [],
    ...start,
  };
  await context.route('**/api/**', async (route) => {
    const request = route.request();
    const { pathname, searchParams } = new URL(request.url());
    api.calls.push(`${request.method()} ${pathname}`);
    if (api.fault === 'hang') return;
    if (api.fault === 'cut') return route.abort('connectionfailed');
    if (api.fault !== null) return no(route, api.fault, api.fault === 503 ? 'storage_unavailable' : 'internal');
    if (pathname === '/api/me') {
      if (request.method() === 'PUT') Object.assign(api.me, request.postDataJSON());
      return json(route, api.me);
    }
    const [, id, restore] = /^\/api\/documents(?:\/([0-9a-f]{32})(\/restore)?)?$/.exec(pathname) ?? [];
    return id ? answerOne(api, route, id, restore !== undefined) : answerAll(api, route, searchParams);
  });
  return api;
}
