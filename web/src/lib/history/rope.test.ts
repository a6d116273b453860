import { describe, expect, it } from 'vitest';
import { charCount, utf16Offset } from '../chars';
import { type Operation, Rope, SpanError } from './rope';

/** The plain way, one character after the other. */
function applied(text: string, operation: Operation): string {
  const chars = [...text];
  let at = 0;
  let result = '';
  for (const part of operation) {
    if (typeof part === 'string') result += part;
    else if (part > 0) result += chars.slice(at, (at += part)).join('');
    else at -= part;
  }
  return result;
}

/** Numbers that look random and are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function randomOperation(text: string, next: (below: number) => number): Operation {
  const operation: (number | string)[] = [];
  let left = charCount(text);
  while (left > 0) {
    const n = 1 + next(Math.min(left, 1 + next(3_000)));
    operation.push(next(3) === 0 ? -n : n);
    left -= n;
    if (next(2) === 0) operation.push(['a', '😀', 'ß\n', '漢'.repeat(next(2_500))][next(4)] || 'x');
  }
  return operation.length > 0 ? operation : ['𝄞 ab'.repeat(next(900))];
}

describe('Rope', () => {
  it('keeps, inserts and deletes by characters, also outside the basic plane', () => {
    expect(Rope.of('a😀b').apply([1, 'x', 1, -1]).text()).toBe('ax😀');
    expect(Rope.EMPTY.apply(['hello']).text()).toBe('hello');
    expect(Rope.of('abc').apply([-3]).text()).toBe('');
    expect(Rope.EMPTY.apply([]).text()).toBe('');
  });

  it('gives what the plain way gives, over long random histories', () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const next = numbers(seed);
      let rope = Rope.EMPTY;
      let text = '';
      for (let step = 0; step < 60; step += 1) {
        const operation = randomOperation(text, next);
        const before = rope;
        rope = rope.apply(operation);
        expect(before.text(), `seed ${seed}, step ${step}: the version before stays`).toBe(text);
        text = applied(text, operation);
        expect(rope.text(), `seed ${seed}, step ${step}`).toBe(text);
        expect(rope.chars).toBe(charCount(text));
      }
    }
  });

  it('refuses an operation for a text of another length', () => {
    expect(() => Rope.of('abc').apply([2, 'x'])).toThrow(SpanError);
    expect(() => Rope.of('abc').apply([4])).toThrow('operation spans 4 characters, text has 3');
  });

  it('never cuts a pair in two when it makes chunks', () => {
    const text = `a${'😀'.repeat(3_000)}`;
    const rope = Rope.of(text);
    expect(rope.apply([1_500, 'x', 1_501]).text()).toBe(applied(text, [1_500, 'x', 1_501]));
  });
});

describe('utf16Offset', () => {
  it('counts pairs as one character', () => {
    expect(utf16Offset('a😀b', 2)).toBe(3);
    expect(utf16Offset('abc', 2)).toBe(2);
    expect(utf16Offset('😀', 9)).toBe(2);
  });
});
