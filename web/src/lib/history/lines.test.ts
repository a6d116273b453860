import { describe, expect, it } from 'vitest';
import { diffParts } from './diff';
import { type Line, attributedLines, diffLines, foldedLines, reblocked } from './lines';

const say = (lines: readonly Line[]) =>
  lines.map((line) => (line.folded ? `…${line.folded}` : line.spans.map(({ text, author, change }) => `${change?.[0] ?? author?.[0] ?? ''}(${text})`).join('')));

const colourOf = (author: string) => ({ ada: 1, ben: 5 })[author];

describe('attributedLines', () => {
  it('joins what one person wrote at different times, in their colour', () => {
    const runs = [{ len: 1, author: 'ada', revision: 1 }, { len: 1, author: 'ada', revision: 9 }, { len: 1, author: 'ben', revision: 5 }];
    expect(attributedLines('abc', runs, colourOf)).toEqual([{ spans: [{ text: 'ab', author: 'ada', colour: 1 }, { text: 'c', author: 'ben', colour: 5 }] }]);
  });

  it('cuts runs at line ends and lines at authors', () => {
    const runs = [{ len: 3, author: 'ada' }, { len: 4, author: 'ben' }, { len: 1, author: null }];
    expect(say(attributedLines('a\nb😀c\nde', runs, colourOf))).toEqual(['a(a)', 'a(b)b(😀c)', 'b(d)(e)']);
  });

  it('shows a text whose authors are not known yet', () => {
    expect(say(attributedLines('one\n\ntwo', [], colourOf))).toEqual(['(one)', '', '(two)']);
  });
});

describe('diffLines', () => {
  it('makes changed line ends visible', () => {
    expect(say(diffLines(diffParts('a\nb\nc', [1, -2, 2, '\nd'])))).toEqual(['(a)d(↵)', 'd(b)', '(c)i(↵)', 'i(d)']);
  });
});

describe('foldedLines', () => {
  const text = Array.from({ length: 30 }, (_, n) => `line ${n}`).join('\n');
  const lines = diffLines(diffParts(text, [70, -7, text.length - 77]));

  it('folds what is far from changes', () => {
    const folded = foldedLines(lines, new Set());
    expect(folded[0]).toEqual({ spans: [], folded: 8, index: 0 });
    expect(folded.filter((line) => line.folded)).toHaveLength(2);
    expect(folded.reduce((sum, line) => sum + (line.folded ?? 1), 0)).toBe(lines.length);
  });

  it('shows a stretch that was opened', () => {
    const folded = foldedLines(lines, new Set([0]));
    expect(folded[0]).toBe(lines[0]);
    expect(folded.filter((line) => line.folded)).toHaveLength(1);
  });
});

describe('reblocked', () => {
  const lines = (words: string[]): Line[] => words.map((text) => ({ spans: text === '' ? [] : [{ text }] }));
  const numbered = Array.from({ length: 200 }, (_, n) => `line ${n}`);

  it('takes over what is the same, and keeps the key of what changed', () => {
    const before = reblocked([], lines(numbered)).blocks;
    const changed = [...numbered.slice(0, 70), 'new', ...numbered.slice(70)];
    const after = reblocked(before, lines(changed));
    expect(after.blocks.filter((block) => before.includes(block)).length).toBe(before.length - 1);
    expect(after.blocks.map(({ key }) => key).slice(0, before.length)).toEqual(expect.arrayContaining([before[2]!.key]));
    expect(after.changedBlock).toBe(2);
    expect(after.blocks[2]!.lines[after.changedLine]!.spans[0]!.text).toBe('new');
    expect(after.blocks.flatMap((block) => block.lines).map((line) => line.spans[0]?.text)).toEqual(changed);
  });

  it('holds every line exactly once, whatever is repeated, added or taken away', () => {
    let blocks = reblocked([], lines([])).blocks;
    const versions = [[], ['a'], ['a', 'a'], ['a'], numbered, numbered.slice(40), [...numbered, ...numbered], numbered.slice(0, 32), ['', '', ''], []];
    for (const version of versions) {
      blocks = reblocked(blocks, lines(version)).blocks;
      expect(blocks.flatMap((block) => block.lines).map((line) => line.spans[0]?.text ?? '')).toEqual(version);
      expect(new Set(blocks.map(({ key }) => key)).size).toBe(blocks.length);
    }
  });

  it('says that nothing changed', () => {
    const { blocks } = reblocked([], lines(numbered));
    const again = reblocked(blocks, lines(numbered));
    expect(again.changedBlock).toBe(-1);
    expect(again.blocks).toEqual(blocks);
  });
});
