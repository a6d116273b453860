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
