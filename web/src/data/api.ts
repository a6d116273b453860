// The REST API through the public package, with what this app adds: no answer is waited for longer than 15 s, nothing
// comes from the HTTP cache, and a proxy that cannot reach the server counts as no answer.
import { RestError, createRest } from '@concord/client/rest';
import { heard } from './signed-in';

export { type DocumentInfo, type DocumentList, type GivenRole, type LinkAccess, type Me, RestError, type Role, type Sharing, type SharingPerson } from '@concord/client/rest';

const ANSWER_MAX_MS = 15_000;
/** What a proxy answers when the server behind it is away. */
const GATEWAY_STATUS = [502, 503, 504];

const fetchFresh: typeof fetch = async (input, init) => {
  const timeout = AbortSignal.timeout(ANSWER_MAX_MS);
  const signal = init?.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  const response = await fetch(input, { ...init, cache: 'no-store', signal });
  heard(response.status, response.status === 401 ? await signInUrlOf(response.clone()) : undefined);
  return response;
};

async function signInUrlOf(response: Response): Promise<string | undefined> {
  const body = (await response.json().catch(() => null)) as { error?: { sign_in_url?: unknown } } | null;
  const url = body?.error?.sign_in_url;
  return typeof url === 'string' ? url : undefined;
}

export const api = createRest({ fetch: fetchFresh });

/** Whether there was no answer at all: offline, or the server is away. */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof RestError && (error.code === 'unreachable' || (error.code === 'internal' && GATEWAY_STATUS.includes(error.status)));
