import { describe, expect, it } from 'vitest';
import { notificationWords, whoWords } from './notification';

const doc = '00112233445566778899aabbccddeeff';
const [ben, eve] = [{ user: 'ben', name: 'Ben', color: 1 }, { user: 'eve', name: 'Eve', color: 2 }];

describe('a notification in words', () => {
  it('says who did what, and leads to the document', () => {
    expect(notificationWords({ about: { kind: 'mentioned', doc, title: 'Plans', by: ben, message: doc } })).toEqual({
      title: 'Ben named you in the chat of “Plans”', detail: '', href: `/d/${doc}`, face: ben,
    });
    expect(notificationWords({ about: { kind: 'shared', doc, title: '', by: ben, role: 'editor' } })).toMatchObject({
      title: 'Ben shared “Untitled” with you', detail: 'You can edit it',
    });
    expect(notificationWords({ about: { kind: 'shared', doc, title: 'Plans', role: 'viewer' } })).toMatchObject({
      title: 'Somebody shared “Plans” with you', face: null,
    });
    expect(notificationWords({ about: { kind: 'edited', doc, title: 'Plans', by: [ben, eve], people: 2, edits: 1200, rev: 9 } })).toMatchObject({
      title: 'Ben and Eve edited “Plans”', detail: '1,200 edits while you were away', face: ben,
    });
    expect(notificationWords({ about: { kind: 'edited', doc, title: 'Plans', by: [ben], people: 1, edits: 1, rev: 9 } }).detail).toBe('1 edit while you were away');
  });

  it('of an application says what that says, and leads where it says', () => {
    expect(notificationWords({ about: { kind: 'app', name: 'n', title: 'Ready', body: 'Soon gone', url: '/exports/1' } })).toEqual({
      title: 'Ready', detail: 'Soon gone', href: '/exports/1', face: null,
    });
    expect(notificationWords({ about: { kind: 'app', name: 'n', title: 'Ready' } })).toEqual({ title: 'Ready', detail: '', href: null, face: null });
  });
});

it('names two people and counts the rest', () => {
  expect([whoWords([], 0), whoWords(['A'], 1), whoWords(['A', 'B'], 2), whoWords(['A', 'B', 'C'], 3), whoWords(['A', 'B', 'C'], 9)]).toEqual([
    'Somebody', 'A', 'A and B', 'A, B and 1 other', 'A, B and 7 others',
  ]);
});
