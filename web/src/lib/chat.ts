// What a chat's panel shows, from its lines: days, who speaks, notes of who came and went.
import type { ChatLine, ChatPerson } from '@concord/client/chat';
import { calendarDay } from './time';

/** Somebody came or went while one looked. */
export interface ChatNote {
  id: string;
  text: string;
  timeMs: number;
}

export type ChatItem =
  | { kind: 'day'; id: string; text: string }
  | { kind: 'note'; id: string; text: string }
  /** `first`: it begins with who speaks and when. */
  | { kind: 'line'; id: string; line: ChatLine; first: boolean };

/** Lines of one person within so long stand together. */
const TOGETHER_MS = 5 * 60_000;

const dayOf = (timeMs: number) => new Date(timeMs).toDateString();

/** The heading of a day: "Today", "Yesterday", "3 May". */
export function dayWords(timeMs: number, nowMs: number, locale?: string): string {
  if (dayOf(timeMs) === dayOf(nowMs)) return 'Today';
  if (dayOf(timeMs) === dayOf(nowMs - 24 * 60 * 60_000)) return 'Yesterday';
  return calendarDay(timeMs, nowMs, locale);
}

/** Everything in order. A line keeps the place that the server gave it; notes stand where they fell. */
export function chatItems(lines: readonly ChatLine[], notes: readonly ChatNote[], nowMs: number): ChatItem[] {
  const items: ChatItem[] = [];
  const waiting = [...notes];
  let before: ChatLine | undefined;
  const take = (until: number) => {
    for (let note = waiting[0]; note && note.timeMs <= until; note = waiting[0]) {
      items.push({ kind: 'note', id: note.id, text: note.text });
      waiting.shift();
      before = undefined;
    }
  };
  let day = '';
  for (const line of lines) {
    take(line.timeMs);
    if (dayOf(line.timeMs) !== day) {
      day = dayOf(line.timeMs);
      items.push({ kind: 'day', id: `day ${day} ${line.id}`, text: dayWords(line.timeMs, nowMs) });
      before = undefined;
    }
    const first = before?.author.user !== line.author.user || line.timeMs - before.timeMs > TOGETHER_MS || line.ref !== undefined;
    items.push({ kind: 'line', id: line.id, line, first });
    before = line;
  }
  take(Infinity);
  return items;
}

/** "Ada types…", "Ada and Ben type…", "Ada, Ben and 2 others type…"; nothing for nobody. */
export function typingWords(people: readonly ChatPerson[]): string {
  const names = people.map((person) => person.name);
  if (names.length === 0) return '';
  if (names.length === 1) return `${names[0]} is typing…`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
  return `${names[0]}, ${names[1]} and ${names.length - 2} more are typing…`;
}

/** What a message quotes, and what it says: the first line of one that is about a passage. */
export function quoted(line: Pick<ChatLine, 'text' | 'ref'>): { quote: string; at: number } {
  if (!line.ref || !line.text.startsWith('> ')) return { quote: '', at: 0 };
  const end = line.text.indexOf('\n');
  return end < 0 ? { quote: line.text.slice(2), at: line.text.length } : { quote: line.text.slice(2, end), at: end + 1 };
}

const QUOTE_CHARS_MAX = 160;

/** A passage as one line of a message. */
export function quoteOf(passage: string): string {
  const words = passage.replace(/\s+/g, ' ').trim();
  const characters = [...words];
  return characters.length > QUOTE_CHARS_MAX ? `${characters.slice(0, QUOTE_CHARS_MAX - 1).join('')}…` : words;
}

/** The name that is being written behind an `@` before the caret, and where it begins; `null` where none is. */
export function mentionAt(text: string, caret: number): { query: string; start: number } | null {
  const match = /(?:^|[^\p{L}\p{N}_])@([\p{L}\p{N}_\-.' ]{0,40})$/u.exec(text.slice(0, caret));
  const query = match?.[1];
  if (query === undefined || /^\s|\s{2}/.test(query)) return null;
  return { query, start: caret - query.length - 1 };
}

/** Who may be meant, best first: those whose name, or a part of it, begins with what is written. */
export function candidates(query: string, people: readonly ChatPerson[], max = 6): ChatPerson[] {
  const wanted = query.toLocaleLowerCase();
  const rank = ({ name }: ChatPerson) => {
    const lower = name.toLocaleLowerCase();
    if (lower.startsWith(wanted)) return 0;
    return lower.split(/\s+/).some((part) => part.startsWith(wanted)) ? 1 : 2;
  };
  const fitting = people.filter((person) => rank(person) < 2);
  // Who is written out already needs no more help.
  if (fitting.length === 1 && fitting[0]?.name.toLocaleLowerCase() === wanted) return [];
  return fitting.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name)).slice(0, max);
}

/** Why a message was not taken, as a person would say it. */
export function refusalWords(code: string | undefined): string {
  switch (code) {
    case 'forbidden':
      return 'You may read here, but not write';
    case 'text_too_long':
      return 'It is too long';
    case 'document_deleted':
      return 'The document was deleted';
    case 'not_yours':
      return 'It is somebody else’s';
    case 'bad_ref':
      return 'The passage it is about is not saved yet';
    default:
      return 'The server did not take it';
  }
}

/** Why there is no chat, in a sentence. */
export function closedWords(code: string | undefined): string {
  return code === 'document_deleted' ? 'The document was deleted. Its chat comes back with it.' : 'This chat is not open to you any more.';
}
