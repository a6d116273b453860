// A made-up past for the state gallery.
import type { Operation } from '@/lib/history/rope';
import type { Run } from '@/lib/history/runs';
import type { Stripe } from '@/lib/history/timeline';
import type { LegendEntry } from '../history/AuthorLegend';
import type { VersionRow } from '../history/VersionList';
import { LONG_NAME, persons } from './samples';

const LIST = Array.from({ length: 12 }, (_, n) => `${n + 1}. Something the river brought, and nobody has asked for yet\n`).join('');

export const EARLIER_TEXT = `What the river keeps\n\nThe river does not hurry, and it does not forget.\n\n${LIST}\nWhat is missing: the map.\n`;
const at = EARLIER_TEXT.indexOf('river does');
const end = EARLIER_TEXT.indexOf('the map');

/** From the earlier text to the later one. */
export const DIFF_OPERATION: Operation = [at, -5, 'stream', end - at - 5, 'Ada’s notes, ', EARLIER_TEXT.length - end - 1, '\nAnd somebody who remembers the bell.', 1];

export const LATER_TEXT = `${EARLIER_TEXT.slice(0, at)}stream${EARLIER_TEXT.slice(at + 5, end)}Ada’s notes, ${EARLIER_TEXT.slice(end, -1)}\nAnd somebody who remembers the bell.\n`;

/** The text in the hands of five people, with a stretch that nobody is known for. */
export const LATER_RUNS: Run[] = [0, 1, 2, 3, 5].flatMap((person, index) => [
  { len: 60 + 35 * index, author: `g_${person}`, revision: index + 1, timeMs: 0 },
  ...(index === 3 ? [{ len: 40, author: null }] : []),
]);

export const colourOf = (author: string): number | undefined => Number(author.slice(2)) % 12;

export const legend = (count: number): LegendEntry[] =>
  persons(count).map(({ user, name, color }, index) => ({ user, name, color, share: 1 / 2 ** (index + 1) }));

export function sampleStripes(authors: number): Stripe[] {
  const widths = [5, 2, 8, 1, 3, 13, 2, 1, 7, 4, 2, 9];
  if (authors === 0) return [];
  const all = widths.reduce((sum, width) => sum + width, 0);
  let from = 0;
  return widths.map((width, index) => {
    const stripe = { from: from / all, to: (from + width) / all, author: `g_${(index * 5) % authors}` };
    from += width;
    return stripe;
  });
}

export const MARKS = Array.from({ length: 40 }, (_, n) => ({ share: ((n * 37) % 100) / 100, name: `Draft ${n + 1}` }));

export const VERSIONS: VersionRow[] = [
  { id: '1', revision: 40, name: 'First words', detail: '1 May 9:12 · revision 40', canChange: true },
  { id: '2', revision: 1204, name: 'Sent to Ben', detail: '3 May 14:02 · revision 1,204', canChange: true },
  { id: '3', revision: 2600, name: `${LONG_NAME} has read it`, detail: '4 May 18:40 · revision 2,600', canChange: false },
  { id: '4', revision: 4999, name: 'المسودة الأخيرة', detail: '20 May 10:11 · revision 4,999', canChange: true },
];
