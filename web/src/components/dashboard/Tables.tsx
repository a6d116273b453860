import type { DocumentFigures } from '@/data/live';
import type { MinuteRow } from '@/lib/dashboard/series';
import { perSecond, plain, size, sizePerSecond, time } from '@/lib/dashboard/units';
import { documentPath } from '@/lib/document-id';
import { clockTime } from '@/lib/time';

const HEAD = 'py-2 ps-4 text-end font-medium whitespace-nowrap text-muted first:ps-0 first:text-start sm:ps-8';
const CELL = 'py-2 ps-4 text-end whitespace-nowrap tabular-nums first:ps-0 first:text-start sm:ps-8 touch:h-11';

/** Documents whose id this person may know have a title and lead there; the others are numbers. */
export function DocumentTable({ documents, titles }: { documents: readonly DocumentFigures[]; titles: ReadonlyMap<string, string> }) {
  if (documents.length === 0) return <p className="text-sm text-muted">Nobody is in a document right now.</p>;
  return (
    <table className="w-full text-sm">
      <thead>
        <tr className="border-b border-line text-xs">
          <th scope="col" className={HEAD}>Document</th>
          <th scope="col" className={HEAD}>People</th>
          <th scope="col" className={HEAD}>Now</th>
          <th scope="col" className={HEAD}>Last minute</th>
        </tr>
      </thead>
      <tbody>
        {documents.map(({ number, doc, people, operations, operations_minute }) => (
          <tr key={doc ?? number} className="border-b border-line last:border-0">
            <th scope="row" className={`${CELL} w-full max-w-0 truncate font-normal`}>
              {doc === undefined ? (
                <span className="text-muted">Document {number.toString(16).padStart(8, '0')}</span>
              ) : (
                <a href={documentPath(doc)} dir="auto" className="-my-1 block w-fit max-w-full truncate rounded-control py-1 underline decoration-line-strong underline-offset-3 hover:decoration-current touch:-my-3 touch:py-3">
                  {titles.get(doc) || 'Untitled'}
                </a>
              )}
            </th>
            <td className={CELL}>{plain(people)}</td>
            <td className={CELL}>{perSecond(operations)}</td>
            <td className={CELL}>{plain(operations_minute)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What the charts show, for who reads tables. Peaks of each minute; operations are its mean. */
export function MinuteTable({ rows, isServer }: { rows: MinuteRow[]; isServer: boolean }) {
  const cells = (row: MinuteRow): string[] => {
    const all = [plain(row.people), plain(row.documents), perSecond(row.operations)];
    return isServer ? [...all, time(row.appendP99), time(row.answerP99), sizePerSecond(row.traffic), size(row.memory)] : all;
  };
  const heads = ['People', 'Documents', 'Operations', ...(isServer ? ['Append p99', 'Answer p99', 'Traffic', 'Memory'] : [])];
  return (
    // A wide table scrolls by itself, by keyboard too; the page does not.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Minute by minute">
      <table className="w-full text-sm">
        <caption className="sr-only">The last 15 minutes. Greatest value of each minute; of operations the mean.</caption>
        <thead>
          <tr className="border-b border-line text-xs">
            {['Minute', ...heads].map((head) => (
              <th key={head} scope="col" className={HEAD}>{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.startMs} className="border-b border-line last:border-0">
              <th scope="row" className={`${CELL} font-normal`}>{clockTime(row.startMs)}</th>
              {cells(row).map((cell, index) => (
                <td key={heads[index]} className={CELL}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
