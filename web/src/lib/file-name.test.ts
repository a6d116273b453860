import { expect, it } from 'vitest';
import { fileName } from './file-name';

it.each([
  ['Meeting notes', 'Meeting notes.txt'],
  ['a/b\\c: d?', 'a b c d.txt'],
  ['..', 'Untitled.txt'],
  ['', 'Untitled.txt'],
  ['con', 'Untitled.txt'],
  ['مذكرات', 'مذكرات.txt'],
  ['😀'.repeat(100), `${'😀'.repeat(80)}.txt`],
])('saves %j as %s', (title, name) => {
  expect(fileName(title, 'txt')).toBe(name);
});
