// Documents and texts as people have them, for pictures and tests.
import type { DocumentInfo } from '../../src/data/api';
import { makeDocument } from './fake-api';

const MINUTE = 60_000;
const DAY = 86_400_000;

/** A home that has been lived in. */
export function sampleDocuments(): DocumentInfo[] {
  const now = Date.now();
  const row = (n: number, title: string, ageMs: number, change: Partial<DocumentInfo> = {}) =>
    makeDocument(n, { title, updated_ms: now - ageMs, ...change });
  return [
    row(1, 'Meeting notes', 2 * MINUTE, { here: 3 }),
    row(2, 'Essay: what the river keeps', 58 * MINUTE),
    row(3, 'Grant application, second draft', 75 * MINUTE, { here: 1 }),
    row(4, 'A title that goes on for so long that no reasonable row could ever hold it on one line, even on a very wide screen', DAY + MINUTE),
    row(5, 'مذكرات الاجتماع', DAY + 90 * MINUTE, { role: 'editor' }),
    row(6, '', 3 * DAY),
    row(7, 'Reading list', 4 * DAY, { role: 'viewer' }),
    row(8, 'Πρακτικά 2026', 20 * DAY),
    row(9, 'House rules', 44 * DAY),
    row(10, 'Letters to nobody', 400 * DAY),
  ];
}

/** A text in the middle of being written. */
export const SAMPLE_TEXT = `What the river keeps

The river does not hurry, and it does not forget. Every spring it returns the fence posts of three farms, a blue boat nobody has claimed, and once, in a year of much snow, the church bell of a village that had moved uphill.

We have begun to write down what it brings. Ada keeps the dates, Ben the places; I try to find out whose things they were.

1. A milk can, dented, with the initials J.M.
2. Eleven marbles in a sock
3. The lower half of a signpost: “…TERHAUSEN 4 km”

What is missing so far: the map, and somebody who remembers the bell.
`;

/** A text of about 200,000 characters. */
export const LONG_TEXT = Array.from({ length: 300 }, (_, n) => `${n + 1}. ${SAMPLE_TEXT.split('\n')[2]}`).join('\n\n');
