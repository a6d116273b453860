import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mapOffset, mapSelection } from '../src/textarea/selection.js';
import { plain } from '../src/plain.js';
import { applyPatch, difference, spliceAtCaret, spliceByEnds, together } from '../src/textarea/splice.js';
import type { Patch } from '../src/types.js';

/** A small generator, so that a failure can be repeated from the seed it names. */
function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const LETTERS = ['a', 'a', 'b', '\n', ' ', 'é', 'e\u0301', '語', '😀', '😁', '👍🏽'];
const word = (roll: (below: number) => number, most: number): string =>
  Array.from({ length: roll(most + 1) }, () => LETTERS[roll(LETTERS.length)]).join('');

/** An offset that no surrogate pair spans. */
function border(roll: (below: number) => number, text: string): number {
  const offset = roll(text.length + 1);
  return /[\udc00-\udfff]/.test(text[offset] ?? '') ? offset - 1 : offset;
}

const SEEDS = Array.from({ length: 10_000 }, (_, seed) => seed);
const whole = (text: string): boolean => !/\p{Cs}/u.test(text);

/** A random replacement of whole characters. */
function draw(roll: (below: number) => number, text: string): Patch {
  const [one, other] = [border(roll, text), border(roll, text)];
  return { at: Math.min(one, other), deleted: Math.abs(one - other), inserted: word(roll, 4) };
}

describe('finding a replacement', () => {
  it('by both ends always leads to the new text and keeps pairs whole', () => {
    for (const seed of SEEDS) {
      const roll = dice(seed);
      const before = word(roll, 8);
      const after = roll(3) ? applyPatch(before, draw(roll, before)) : word(roll, 8);
      const patch = spliceByEnds(before, after, roll(after.length + 1));
      assert.equal(applyPatch(before, patch), after, `seed ${seed}`);
      assert.ok(whole(patch.inserted), `seed ${seed}`);
      assert.ok(whole(before.slice(0, patch.at)) && whole(before.slice(patch.at + patch.deleted)), `seed ${seed}`);
    }
  });

  it('by the caret finds exactly what was typed, pasted or deleted there', () => {
    for (const seed of SEEDS) {
      const roll = dice(seed);
      const before = word(roll, 8);
      const patch = draw(roll, before);
      const after = applyPatch(before, patch);
      const caret = patch.at + patch.inserted.length;
      const found = spliceAtCaret(before, patch.at, after, caret);
      assert.ok(found, `seed ${seed}`);
      assert.equal(applyPatch(before, found), after, `seed ${seed}`);
      assert.deepEqual(found, patch, `seed ${seed}`);
    }
  });

  it('by the caret never believes what does not lead to the new text', () => {
    for (const seed of SEEDS) {
      const roll = dice(seed);
      const [before, after] = [word(roll, 6), word(roll, 6)];
      const found = spliceAtCaret(before, roll(before.length + 1), after, roll(after.length + 1));
      if (found) assert.equal(applyPatch(before, found), after, `seed ${seed}`);
    }
  });

  it('among equal letters it lands at the caret', () => {
    assert.deepEqual(spliceByEnds('aaa', 'aaaa', 2), { at: 1, deleted: 0, inserted: 'a' });
    assert.deepEqual(spliceByEnds('aaaa', 'aaa', 1), { at: 1, deleted: 1, inserted: '' });
  });

  it('wherever the caret stands, it replaces as little as can be', () => {
    assert.deepEqual(spliceByEnds('abc', 'xabc', 4), { at: 0, deleted: 0, inserted: 'x' });
    assert.deepEqual(spliceByEnds('one two three', 'one 2 three', 11), { at: 4, deleted: 3, inserted: '2' });
    assert.deepEqual(difference('a\rbc', 'a\nbc'), { at: 1, deleted: 1, inserted: '\n' });
    assert.equal(difference('abc', 'abc'), null);
    for (const seed of SEEDS) {
      const roll = dice(seed);
      const letters = () => Array.from({ length: roll(8) }, () => 'ab'[roll(2)]).join('');
      const [before, after] = [letters(), letters()];
      const least = spliceByEnds(before, after, 0);
      const patch = spliceByEnds(before, after, roll(after.length + 1));
      assert.equal(patch.deleted, least.deleted, `seed ${seed}`);
    }
  });

  it('a changed half of a pair takes the other half along', () => {
    assert.deepEqual(spliceByEnds('a😀b', 'a😁b', 3), { at: 1, deleted: 2, inserted: '😁' });
  });
});

describe('carrying offsets', () => {
  it('characters around a replacement keep their neighbours', () => {
    for (const seed of SEEDS) {
      const roll = dice(seed);
      const text = word(roll, 8);
      const patch = draw(roll, text);
      const next = applyPatch(text, patch);
      const offset = border(roll, text);
      for (const side of ['before', 'after'] as const) {
        const moved = mapOffset(offset, [patch], side);
        assert.ok(moved >= 0 && moved <= next.length, `seed ${seed}`);
        if (offset < patch.at) assert.equal(next.slice(0, moved), text.slice(0, offset), `seed ${seed}`);
        if (offset > patch.at + patch.deleted) assert.equal(next.slice(moved), text.slice(offset), `seed ${seed}`);
      }
    }
  });

  it('a selection neither grows at its ends nor turns round', () => {
    for (const seed of SEEDS) {
      const roll = dice(seed);
      const text = word(roll, 8);
      const patch = { ...draw(roll, text), deleted: 0 };
      const selection = { anchor: border(roll, text), head: border(roll, text) };
      const moved = mapSelection(selection, [patch]);
      const [size, direction] = [Math.abs(selection.head - selection.anchor), Math.sign(selection.head - selection.anchor)];
      const inside = patch.at > Math.min(selection.anchor, selection.head) && patch.at < Math.max(selection.anchor, selection.head);
      assert.equal(Math.abs(moved.head - moved.anchor), inside ? size + patch.inserted.length : size, `seed ${seed}`);
      assert.equal(Math.sign(moved.head - moved.anchor), direction, `seed ${seed}`);
    }
  });

  it('one span covers a sequence of replacements', () => {
    for (const seed of SEEDS) {
      const roll = dice(seed);
      const text = word(roll, 8);
      const patches: Patch[] = [];
      let next = text;
      for (let count = 1 + roll(3); count > 0; count -= 1) {
        const patch = draw(roll, next);
        patches.push(patch);
        next = applyPatch(next, patch);
      }
      assert.equal(applyPatch(text, together(patches, text)), next, `seed ${seed}`);
    }
  });
});

it('clean text has LF only and no NUL or half pair, and stays as it is', () => {
  assert.equal(plain('a\r\nb\rc\0d\ud83de\udc00'), 'a\nb\ncd\ufffde\ufffd');
  for (const seed of SEEDS) {
    const text = word(dice(seed), 8);
    assert.equal(plain(text), text);
  }
});
