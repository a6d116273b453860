import { describe, expect, it } from 'vitest';
import { type DiffPart, countDiff, countPlaces, diffParts, reversed } from './diff';
import { Rope, type Operation } from './rope';

const say = (parts: readonly DiffPart[]) =>
  parts.map(({ kind, text }) => ({ keep: text, insert: `{+${text}+}`, delete: `{-${text}-}` })[kind]).join('');
const check = (before: string, operation: Operation, expected: string) => expect(say(diffParts(before, operation))).toBe(expected);
const sideOf = (parts: readonly DiffPart[], left: 'insert' | 'delete') =>
  parts.filter(({ kind }) => kind !== left).map(({ text }) => text).join('');

describe('diffParts', () => {
  it('shows what was deleted before what took its place', () => {
    check('one two', [4, 'three', -3], 'one {-two-}{+three+}');
    check('one two', [4, -3, 'three'], 'one {-two-}{+three+}');
  });

  it('joins changes that leave only a letter or two between them', () => {
    check('abcdefgh', [1, -1, 1, 'XY', 5], 'a{-bc-}{+cXY+}defgh');
    check('ab\ncd', [1, -1, 1, 'X', 2], 'a{-b-}\n{+X+}cd');
  });

  it('counts characters outside the basic plane as one', () => {
    check('😀a😀b', [1, -1, 1, 'x', 1], '😀{-a😀-}{+😀x+}b');
  });

  it('leaves out what was written and deleted again', () => {
    check('abc', [1, 'b', -1, 1], 'abc');
  });

  it('reads as both texts, whatever the operation', () => {
    const before = 'The river does not hurry,\nand it does not forget.\n';
    for (const operation of [[4, -5, 'sea', 41], ['x', 5, -45], [-50], [50], [24, -1, '!\n', 25]] as Operation[]) {
      const parts = diffParts(before, operation);
      const after = Rope.of(before).apply(operation).text();
      expect(sideOf(parts, 'insert')).toBe(before);
      expect(sideOf(parts, 'delete')).toBe(after);
      expect(sideOf(reversed(parts), 'insert')).toBe(after);
      expect(sideOf(reversed(parts), 'delete')).toBe(before);
    }
  });

  it('refuses an operation for another text', () => {
    expect(() => diffParts('abc', [2])).toThrow('operation spans 2 characters, text has 3');
  });
});

describe('countDiff', () => {
  it('counts places, not parts', () => {
    expect(countDiff(diffParts('one two three', [4, 'TWO', -3, 6, '!']))).toEqual({ places: 2, inserted: 4, deleted: 3 });
    expect(countPlaces([4, 'TWO', -3, 6, '!'])).toBe(2);
    expect(countPlaces([1, -1, 1, 'XY', 5])).toBe(1);
    expect(countPlaces([4])).toBe(0);
    expect(countDiff(diffParts('same', [4]))).toEqual({ places: 0, inserted: 0, deleted: 0 });
  });
});
