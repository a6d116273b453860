// How a person is shown: colour, initials.

export const PERSON_COLOURS = [
  'Rose', 'Coral', 'Amber', 'Olive', 'Leaf', 'Jade', 'Teal', 'Sky', 'Blue', 'Iris', 'Violet', 'Pink',
] as const;

/** The CSS value of one of the twelve colours. */
export function personColour(index: number): string {
  const count = PERSON_COLOURS.length;
  return `var(--concord-person-${((Math.trunc(index) % count) + count) % count})`;
}

const graphemes = (text: string) =>
  typeof Intl.Segmenter === 'function'
    ? Array.from(new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text), (part) => part.segment)
    : [...text];

/** One or two characters for an avatar: first of the first and of the last word. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const first = graphemes(words[0] ?? '')[0] ?? '?';
  const last = words.length > 1 ? (graphemes(words.at(-1) ?? '')[0] ?? '') : '';
  return (first + last).toLocaleUpperCase();
}
