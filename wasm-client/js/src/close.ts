/** What each close code of the protocol asks of the client. */
import { CLOSE_RETRY } from './protocol.js';

export interface ClosePlan {
  /** `no`: stay closed until the person asks; `later`: the server is short of something, skip the first delays. */
  retry: 'yes' | 'later' | 'with_new_token' | 'no';
  /** Stable name for status and logs. */
  code: string;
}

const NAMES: Record<number, string> = {
  1009: 'message_too_large',
  1013: 'overloaded',
  4400: 'bad_message',
  4401: 'unauthenticated',
  4403: 'forbidden',
  4409: 'replaced',
  4429: 'too_many_connections',
};

/** Codes outside the protocol's list (1006 above all) mean that the link broke: try again. */
export function closePlan(code: number): ClosePlan {
  return { retry: CLOSE_RETRY[code] ?? 'yes', code: NAMES[code] ?? 'disconnected' };
}
