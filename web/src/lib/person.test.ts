import { describe, expect, it } from 'vitest';
import { initials, personColour } from './person';

describe('initials', () => {
  it.each([
    ['Quiet Otter', 'QO'],
    ['Ada', 'A'],
    ['  Jean  Luc  Picard ', 'JP'],
    ['👩‍👩‍👧 family', '👩‍👩‍👧F'],
    ['ليلى حسن', 'لح'],
    ['', '?'],
  ])('shortens %j to %s', (name, short) => {
    expect(initials(name)).toBe(short);
  });
});

describe('personColour', () => {
  it('stays inside the twelve colours for any number', () => {
    expect(personColour(0)).toBe('var(--concord-person-0)');
    expect(personColour(13)).toBe('var(--concord-person-1)');
    expect(personColour(-1)).toBe('var(--concord-person-11)');
  });
});
