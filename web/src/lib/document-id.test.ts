import { expect, it } from 'vitest';
import { documentIdFromPath } from './document-id';

const id = '0f8fad5bd9cb469fa16570867728950e';

it.each([
  [`/d/${id}`, id],
  [`/d/${id}/`, id],
  ['/d/0F8FAD5B-D9CB-469F-A165-70867728950E', id],
  ['/d', null],
  ['/d/', null],
  [`/d/${id}0`, null],
  [`/d/${id}/more`, null],
  ['/d/../api', null],
])('reads %s as %s', (path, expected) => {
  expect(documentIdFromPath(path)).toBe(expected);
});
