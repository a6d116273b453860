import { describe, expect, it } from 'vitest';
import { SLICE_UTF16, count, countInSlices, countWords } from './count';

describe('count', () => {
  it.each([
    ['', 0, 0],
    ['   \n\t ', 0, 6],
    ['one two  three', 3, 14],
    ["don't stop — well-known", 3, 23],
    ['café naïve', 2, 10],
    ['cafe\u0301', 1, 5],
    ['👋 hi 🇩🇪', 1, 7],
    ['1,204 words', 3, 11],
    ['你好 世界', 4, 5],
    ['مرحبا بالعالم', 2, 13],
    ['… — !!', 0, 6],
  ])('counts %j as %d words and %d characters', (text, words, characters) => {
    expect(count(text)).toEqual({ words, characters });
  });

  it('gives the same in slices, with surrogate pairs across the cuts', () => {
    const text = '😀 wörter and 漢字 '.repeat(9000);
    const slices = [...countInSlices(text)];
    expect(slices.length).toBeGreaterThan(2);
    expect(slices.at(-1)).toEqual({ words: 4 * 9000, characters: [...text].length });
  });

  it('never cuts a pair in a text without white space', () => {
    const text = `a${'😀'.repeat(SLICE_UTF16)}`;
    expect(count(text).characters).toBe(SLICE_UTF16 + 1);
  });
});

describe('countWords', () => {
  it('uses the singular for one', () => {
    expect(countWords({ words: 1, characters: 1 }, 'en')).toBe('1 word · 1 character');
    expect(countWords({ words: 1204, characters: 6912 }, 'en')).toBe('1,204 words · 6,912 characters');
  });
});
