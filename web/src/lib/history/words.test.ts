import { describe, expect, it } from 'vitest';
import { diffWords, moment, namesOf, placeWords, restoreWords, sinceWhen, sinceWords } from './words';

const at = (month: number, day: number, hour: number, minute = 0, year = 2026) => new Date(year, month - 1, day, hour, minute).getTime();
const NOW = at(5, 20, 15, 30); // a Wednesday

describe('namesOf', () => {
  it('says up to three names, then how many others', () => {
    expect(namesOf(['Ada'])).toBe('Ada');
    expect(namesOf(['Ada', 'Ben'])).toBe('Ada and Ben');
    expect(namesOf(['Ada', 'Ben', 'Cleo'])).toBe('Ada, Ben and Cleo');
    expect(namesOf(['Ada', 'Ben', 'Cleo', 'Dan'])).toBe('Ada, Ben and 2 others');
    expect(namesOf([])).toBe('Somebody');
  });
});

describe('placeWords', () => {
  it('says revision, person, time and version', () => {
    expect(placeWords({ revision: 1204, head: 5000, author: 'Ada', timeMs: at(5, 3, 14, 2) }, NOW, 'en-GB')).toBe('Revision 1,204 of 5,000, Ada, 3 May 14:02');
    expect(placeWords({ revision: 9, head: 9, author: 'Ada', timeMs: at(5, 3, 14, 2), versions: ['Draft'] }, NOW, 'en-GB')).toBe(
      'Revision 9 of 9, Ada, 3 May 14:02, version “Draft”',
    );
    expect(placeWords({ revision: 0, head: 9, author: 'Ada', timeMs: 1 }, NOW, 'en-GB')).toBe('Revision 0 of 9, before the first change');
  });
});

describe('moment', () => {
  it('names the year when it is another one', () => {
    expect(moment(at(5, 3, 14, 2, 2024), NOW, 'en-GB')).toBe('3 May 2024 14:02');
  });
});

describe('sinceWhen', () => {
  it('is as exact as it is recent', () => {
    expect(sinceWhen(NOW - 10_000, NOW)).toBe('in the last 1 min');
    expect(sinceWhen(NOW - 12 * 60_000, NOW)).toBe('in the last 12 min');
    expect(sinceWhen(at(5, 20, 9, 5), NOW, 'en-GB')).toBe('since 9:05');
    expect(sinceWhen(at(5, 19, 9, 5), NOW, 'en-GB')).toBe('since yesterday, 9:05');
    expect(sinceWhen(at(5, 16, 9, 5), NOW, 'en-GB')).toBe('since Saturday');
    expect(sinceWhen(at(5, 3, 9, 5), NOW, 'en-GB')).toBe('since 3 May');
    expect(sinceWhen(at(5, 3, 9, 5, 2024), NOW, 'en-GB')).toBe('since 3 May 2024');
  });
});

describe('sinceWords and diffWords', () => {
  it('count in the singular and in the plural', () => {
    expect(sinceWords(12, ['Ada', 'Ben'], at(5, 16, 9), NOW, 'en-GB')).toBe('12 changes by Ada and Ben since Saturday');
    expect(sinceWords(1, ['Ada'], undefined, NOW)).toBe('1 change by Ada');
    expect(diffWords({ places: 2, inserted: 120, deleted: 14 })).toBe('2 places differ: 120 characters inserted, 14 deleted');
    expect(diffWords({ places: 1, inserted: 0, deleted: 1 })).toBe('1 place differs: 1 character deleted');
    expect(restoreWords({ places: 3, inserted: 20, deleted: 195 })).toBe('Restoring brings back 20 characters and takes out 195, in 3 places');
    expect(restoreWords({ places: 1, inserted: 0, deleted: 1 })).toBe('Restoring takes out 1 character, in 1 place');
    expect(diffWords({ places: 0, inserted: 0, deleted: 0 })).toBe('No difference');
  });
});
