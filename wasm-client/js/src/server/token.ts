/** Tokens as a back end signs them: JSON Web Tokens with HS256 (RFC 7519, RFC 7515), by Web Crypto. */

export interface TokenOptions {
  /** The secret that the server has as `token_secret`: at least 32 bytes. */
  secret: string;
  /** As the server has them: `token_issuer` and `token_audience`. */
  issuer: string;
  audience: string;
  /** Who it is for: 1 to 64 printable ASCII characters without space; not `g_…`, which are guests. */
  user: string;
  tenant?: string;
  /** What others see; without it the person chooses. */
  name?: string;
  /** 0 to 11; without it the person chooses. */
  color?: number;
  /** For a back end. */
  service?: boolean;
  /** For who runs the server, and may see how much goes on there. */
  operator?: boolean;
  /** How long it holds, in seconds; 900 by default. */
  ttlS?: number;
}

const TTL_S = 900;
/** What the server takes at least. */
const SECRET_BYTES_MIN = 32;

const utf8 = new TextEncoder();

/** A token that proves who somebody is, until it ends. */
export async function mintToken(options: TokenOptions): Promise<string> {
  const { secret, issuer, audience, user, tenant, name, color, service, operator, ttlS = TTL_S } = options;
  const bytes = utf8.encode(secret.trim());
  if (bytes.length < SECRET_BYTES_MIN) throw new TypeError(`the secret has ${bytes.length} bytes, it needs ${SECRET_BYTES_MIN}`);
  if (!/^[!-~]{1,64}$/.test(user) || user.startsWith('g_')) throw new TypeError('user must be 1 to 64 printable ASCII characters, and not begin with g_');
  const now = Math.floor(Date.now() / 1_000);
  // A claim that is not there is left out: `null` would make the token worth nothing.
  const claims = { iss: issuer, aud: audience, sub: user, iat: now, exp: now + ttlS, tenant, name, color, service, operator };
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const signature = await crypto.subtle.sign('HMAC', key, utf8.encode(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}

const part = (value: object): string => base64url(utf8.encode(JSON.stringify(value)));

function base64url(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
