/** What is in a message's text: names, addresses, and the rest. Nothing here makes HTML. */
import type { Mention } from './types.js';

/** A piece of a text, for an application to draw. */
export type TextPart =
  | { kind: 'text'; text: string }
  | { kind: 'mention'; text: string; user: string }
  /** `href` begins with http:// or https://. */
  | { kind: 'link'; text: string; href: string };

const ADDRESS = /https?:\/\/[^\s<>"'`]+/gi;
/** What ends a sentence rather than an address. */
const TAIL = /[.,;:!?…)\]}»”’]+$/;

/** The text in pieces, in order; put together they are the text. */
export function partsOf(text: string, mentions: readonly Mention[] = []): TextPart[] {
  const parts: TextPart[] = [];
  let at = 0;
  for (const { start, end, user } of mentions) {
    if (start < at || end <= start || end > text.length) continue;
    parts.push(...linksIn(text.slice(at, start)), { kind: 'mention', text: text.slice(start, end), user });
    at = end;
  }
  return [...parts, ...linksIn(text.slice(at))];
}

function linksIn(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const shown = trimmed(match[0]);
    const href = addressOf(shown);
    if (href === undefined) continue;
    if (match.index > at) parts.push({ kind: 'text', text: text.slice(at, match.index) });
    parts.push({ kind: 'link', text: shown, href });
    at = match.index + shown.length;
  }
  if (at < text.length) parts.push({ kind: 'text', text: text.slice(at) });
  return parts;
}

/** A bracket at the end belongs to the address if it was opened there. */
function trimmed(address: string): string {
  const tail = TAIL.exec(address)?.[0] ?? '';
  const short = address.slice(0, address.length - tail.length);
  return tail.startsWith(')') && short.includes('(') ? `${short})` : short;
}

function addressOf(text: string): string | undefined {
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined;
  } catch {
    return undefined;
  }
}

const WORD = /[\p{L}\p{N}_]/u;

/** Where these people are named in a text as `@name`; of names that begin alike the longest counts. */
export function mentionsIn(text: string, people: Iterable<{ user: string; name: string }>): Mention[] {
  const names = [...people].filter(({ name }) => name !== '').sort((a, b) => b.name.length - a.name.length);
  const found: Mention[] = [];
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const before = at > 0 ? text.slice(0, at).slice(-1) : ' ';
    const who = names.find(({ name }) => {
      const next = text.codePointAt(at + 1 + name.length) ?? 0x20;
      return text.startsWith(name, at + 1) && !WORD.test(String.fromCodePoint(next));
    });
    if (!who || WORD.test(before)) continue;
    const end = at + 1 + who.name.length;
    found.push({ start: at, end, user: who.user });
    at = end - 1;
  }
  return found;
}
