import { describe, expect, it } from 'vitest';
import { historyPlace, historySearch } from './place';

describe('historyPlace', () => {
  it('reads what historySearch writes', () => {
    for (const place of [{ mode: 'authors' }, { revision: 1204, mode: 'authors' }, { revision: 0, mode: 'changes' }] as const) {
      expect(historyPlace(historySearch(place))).toEqual(place);
    }
  });

  it('is nowhere without the word, and at the end with a number that is none', () => {
    expect(historyPlace('')).toBeNull();
    expect(historyPlace('deleted')).toBeNull();
    expect(historyPlace('history=-3')).toEqual({ mode: 'authors' });
    expect(historyPlace('history=1e9&changes=')).toEqual({ mode: 'changes' });
  });
});
