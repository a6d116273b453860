// The REST API through the public package, with what this app adds: no answer is waited for longer than 15 s, nothing
// comes from the HTTP cache, and a proxy that cannot reach the server counts as no answer.
import { RestError, createRest } from '@concord/client/rest';

export { type DocumentInfo, type DocumentList, type Me, RestError } from '@concord/client/rest';

const ANSWER_MAX_MS = 15_000;
/** What a proxy answers when the server behind it is away. */
const GATEWAY_STATUS = [502, 503, 504];

const fetchFresh: typeof fetch = async (input, init) => {
  const timeout = AbortSignal.timeout(ANSWER_MAX_MS);
  const signal = init?.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  return fetch(input, { ...init, cache: 'no-store', signal });
};

export const api = createRest({ fetch: fetchFresh });

/** Whether there was no answer at all: offline, or the server is away. */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof RestError && (error.code === 'unreachable' || (error.code === 'internal' && GATEWAY_STATUS.includes(error.status)));
