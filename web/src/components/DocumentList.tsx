import { useId } from 'react';
import type { DocumentInfo } from '@/data/api';
import { activityMs } from '@/data/documents';
import { groupByTime } from '@/lib/time';
import { DeletedRow, type DocumentActions, DocumentRow } from './DocumentRow';

export interface DocumentListProps extends DocumentActions {
  documents: readonly DocumentInfo[];
  nowMs: number | null;
}

/** Documents under Today, Yesterday, This week, Earlier; newest first. */
export function DocumentList({ documents, nowMs, ...actions }: DocumentListProps) {
  const id = useId();
  return groupByTime(documents, activityMs, nowMs ?? 0).map(({ name, items }) => (
    <div key={name} className="mb-6">
      <h2 id={id + name} className="pb-1 text-xs font-medium text-muted">
        {nowMs === null ? '\u00a0' : name}
      </h2>
      <ul aria-labelledby={id + name} className="-mx-3">
        {items.map((document) => (
          <DocumentRow key={document.id} document={document} nowMs={nowMs} {...actions} />
        ))}
      </ul>
    </div>
  ));
}

/** What was deleted and can come back; newest first. */
export function DeletedList({ documents, nowMs, onRestore }: Pick<DocumentListProps, 'documents' | 'nowMs' | 'onRestore'>) {
  const sorted = [...documents].sort((a, b) => (b.deleted_ms ?? 0) - (a.deleted_ms ?? 0));
  return (
    <ul aria-label="Recently deleted" className="-mx-3">
      {sorted.map((document) => (
        <DeletedRow key={document.id} document={document} nowMs={nowMs} onRestore={onRestore} />
      ))}
    </ul>
  );
}

const SKELETON_WIDTHS = ['w-48', 'w-64', 'w-40', 'w-56', 'w-44'];

/** The room the list will take, before it is known. */
export function DocumentListSkeleton() {
  return (
    <div role="status" aria-label="Loading your documents" className="animate-fade">
      <div className="mb-2 h-3 w-16 rounded-control bg-wash" />
      {SKELETON_WIDTHS.map((width) => (
        <div key={width} className="flex min-h-11 items-center max-sm:min-h-14">
          <div className={`h-3 ${width} animate-breathe rounded-control bg-wash`} />
        </div>
      ))}
    </div>
  );
}
