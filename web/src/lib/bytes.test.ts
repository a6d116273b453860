import { expect, test } from 'vitest';
import { bytesInWords } from './bytes';

test('a size is said in the unit that people know it by', () => {
  expect([0, 999, 1_000, 9_940, 34_400, 2_500_000, 40_000_000].map(bytesInWords)).toEqual([
    'Less than 1 KB', 'Less than 1 KB', 'About 1.0 KB', 'About 9.9 KB', 'About 34 KB', 'About 2.5 MB', 'About 40 MB',
  ]);
});
