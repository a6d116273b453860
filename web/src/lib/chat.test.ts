import type { ChatLine } from '@concord/client/chat';
import { describe, expect, it } from 'vitest';
import { candidates, chatItems, mentionAt, quoted, quoteOf, typingWords } from './chat';

const NOON = new Date(2026, 4, 5, 12).getTime();
const MINUTE = 60_000;
const person = (user: string) => ({ user, name: user.toUpperCase(), color: 1 });
const line = (id: string, user: string, timeMs: number): ChatLine => ({
  id, author: person(user), own: false, text: id, mentions: [], timeMs, deleted: false, state: 'sent',
});

describe('the items of a chat', () => {
  const shown = (...args: Parameters<typeof chatItems>) =>
    chatItems(...args).map((item) => (item.kind === 'line' ? `${item.first ? '+' : ''}${item.line.text}` : `(${item.text})`));

  it('stand under their days, each person’s lines together', () => {
    const lines = [line('a', 'ada', NOON - 1500 * MINUTE), line('b', 'ada', NOON - 20 * MINUTE), line('c', 'ada', NOON - 18 * MINUTE), line('d', 'ben', NOON - 17 * MINUTE), line('e', 'ben', NOON)];
    expect(shown(lines, [], NOON)).toEqual(['(Yesterday)', '+a', '(Today)', '+b', 'c', '+d', '+e']);
  });

  it('have notes where they fell, and those begin anew who speaks', () => {
    const lines = [line('a', 'ada', NOON), line('b', 'ada', NOON + MINUTE)];
    const notes = [{ id: '1', text: 'Ben came', timeMs: NOON + 1 }, { id: '2', text: 'Ben went', timeMs: NOON + 2 * MINUTE }];
    expect(shown(lines, notes, NOON)).toEqual(['(Today)', '+a', '(Ben came)', '+b', '(Ben went)']);
  });

  it('keep the order of the server, whatever the clocks say', () => {
    const lines = [line('a', 'ada', NOON), line('b', 'ben', NOON - MINUTE)];
    expect(shown(lines, [], NOON)).toEqual(['(Today)', '+a', '+b']);
  });
});

it('says who types', () => {
  expect(['', 'a', 'ab', 'abcd'].map((users) => typingWords([...users].map(person)))).toEqual([
    '', 'A is typing…', 'A and B are typing…', 'A, B and 2 more are typing…',
  ]);
});

describe('a quoted passage', () => {
  const ref = { rev: 1, start: 0, end: 1 };
  it('is the first line of a message about one', () => {
    expect(quoted({ text: '> the bell\nWho said so?', ref })).toEqual({ quote: 'the bell', at: 11 });
    expect(quoted({ text: '> the bell', ref })).toEqual({ quote: 'the bell', at: 10 });
    expect(quoted({ text: '> no passage\nx' })).toEqual({ quote: '', at: 0 });
  });
  it('is one short line', () => {
    expect(quoteOf(' a\n\nb\tc ')).toBe('a b c');
    expect([...quoteOf('😀'.repeat(500))]).toHaveLength(160);
  });
});

describe('a name being written', () => {
  it('begins behind an @ that no word precedes', () => {
    expect(mentionAt('hi @ad', 6)).toEqual({ query: 'ad', start: 3 });
    expect(mentionAt('@', 1)).toEqual({ query: '', start: 0 });
    expect(mentionAt('@Ada Lov', 8)).toEqual({ query: 'Ada Lov', start: 0 });
    expect(mentionAt('mail@ada', 8)).toBeNull();
    expect(mentionAt('@ x', 3)).toBeNull();
  });
  it('is completed from the beginnings of names', () => {
    const people = ['Ben', 'Ada Lovelace', 'Bea', 'Lars'].map((name) => ({ user: name, name, color: 0 }));
    const names = (query: string) => candidates(query, people).map(({ name }) => name);
    expect(names('b')).toEqual(['Bea', 'Ben']);
    expect(names('l')).toEqual(['Lars', 'Ada Lovelace']);
    expect(names('ben')).toEqual([]);
    expect(names('x')).toEqual([]);
  });
});
