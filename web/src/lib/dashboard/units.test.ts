import { expect, it } from 'vitest';
import { perSecond, plain, size, sizePerSecond, time } from './units';

it('figures have few digits and a unit', () => {
  expect([0, 0.4231, 4.25, 42.4, 4200].map(perSecond)).toEqual(['0/s', '0.42/s', '4.3/s', '42/s', '4,200/s']);
  expect([0.42, 42, 999, 1_500, 61_000].map(time)).toEqual(['0.42 ms', '42 ms', '999 ms', '1.5 s', '61 s']);
  expect([0, 999, 4_200, 31_457_280].map(size)).toEqual(['0 B', '999 B', '4.2 KB', '31 MB']);
  expect([plain(1234), sizePerSecond(512)]).toEqual(['1,234', '512 B/s']);
  expect([plain, perSecond, time, size, sizePerSecond].map((unit) => unit(null))).toEqual(Array(5).fill('–'));
});
