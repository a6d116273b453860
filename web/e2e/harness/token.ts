// Tokens as a product makes them, by a server's own command.
import { execFileSync } from 'node:child_process';
import type { BrowserContext } from 'playwright-core';
import { PROGRAM } from './server';

const SECRET = 'e2e-secret-of-at-least-thirty-two-bytes';

/** Settings of a server that knows people by tokens and lets no guests in. */
export const TOKEN_KEYS = { secret: SECRET, issuer: 'https://product.example', audience: 'concord' };
export const TOKEN_FLAGS = ['--token-secret', SECRET, '--token-issuer', TOKEN_KEYS.issuer, '--token-audience', TOKEN_KEYS.audience];

/** A token for a person that runs out after so many seconds. */
export function mintToken(user: string, ttlS: number, more: string[] = []): string {
  return execFileSync(PROGRAM, ['token', ...TOKEN_FLAGS, '--user', user, '--name', user, '--ttl', `${ttlS}s`, ...more], { encoding: 'utf8' }).trim();
}

/** Signs a window in, as the product's own page would: by a cookie. */
export async function signIn(context: BrowserContext, url: string, user: string, ttlS = 3_600): Promise<void> {
  await context.addCookies([{ name: 'concord_token', value: mintToken(user, ttlS), url, httpOnly: true, sameSite: 'Lax' }]);
}
