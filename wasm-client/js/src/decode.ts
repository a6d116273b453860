/** From a frame to a message. */
import type { ServerMessage } from './protocol.js';

/**
 * The message in a text frame. What is no JSON object with a type gives nothing: it is ignored, as are types and
 * fields this version does not know, because a newer server may say more.
 */
export function decode(data: unknown): ServerMessage | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value === 'object' && value !== null && 'type' in value) return value as ServerMessage;
  } catch {
    // falls through
  }
  return undefined;
}
