'use client';

import { Copy, Download } from 'lucide-react';
import { useEffect, useId, useState } from 'react';
import { toast } from 'sonner';
import { bytesInWords } from '@/lib/bytes';
import { saveFile } from '@/lib/save-file';
import { Button } from './Button';
import { copyText } from './HomePage';
import { Sheet } from './Sheet';

export interface ReportSheetProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  /** A check has failed: then the report is of what led to it. */
  failed: boolean;
  /** Writes the report, with or without its words. */
  write(hideWords: boolean): Promise<string | undefined>;
}

/** What a report is and what is in it, before it leaves this page. */
export function ReportSheet({ open, onOpenChange, ...rest }: ReportSheetProps) {
  return (
    <Sheet
      open={open}
      onOpenChange={onOpenChange}
      title="Report of this session"
      description={
        rest.failed
          ? 'It holds what led to the failed check, step by step, so that the fault can be found.'
          : 'It holds what happened in this document lately, step by step, so that a fault can be found.'
      }
    >
      <Contents key={String(open)} {...rest} onDone={() => onOpenChange(false)} />
    </Sheet>
  );
}

function useReport(write: ReportSheetProps['write'], hideWords: boolean): string | null | undefined {
  const [made, setMade] = useState<{ hideWords: boolean; report: string | null } | null>(null);
  useEffect(() => {
    let current = true;
    const set = (report: string | null) => current && setMade({ hideWords, report });
    write(hideWords).then((report) => set(report ?? null), () => set(null));
    return () => {
      current = false;
    };
  }, [write, hideWords]);
  return made?.hideWords === hideWords ? made.report : undefined;
}

function Contents({ write, onDone }: { write: ReportSheetProps['write']; onDone(): void }) {
  const [hideWords, setHideWords] = useState(true);
  const id = useId();
  const report = useReport(write, hideWords);
  const copy = () => void copyText(report ?? '', 'Report copied').then(onDone);
  const download = () => {
    saveFile('concord-report.jsonl', report ?? '', 'application/jsonl');
    toast('Report downloaded');
    onDone();
  };
  return (
    <div className="flex flex-col gap-4 text-sm">
      <ul className="list-disc space-y-1 ps-5 text-muted">
        <li>
          <strong className="font-medium text-ink">In it:</strong>{' '}
          {hideWords ? 'the shape of the text and of what was typed, with times; the words are replaced by x, 0 and the like.' : 'the text of this document and what was typed, with times.'}
        </li>
        <li>
          <strong className="font-medium text-ink">Not in it:</strong> names, the title, chat, and anything that signs you in.
        </li>
        <li>It stays in this window until you copy or download it.</li>
      </ul>
      <label className="flex items-start gap-3 rounded-control border border-line px-3 py-2 touch:min-h-11">
        <input
          type="checkbox"
          checked={hideWords}
          aria-labelledby={`${id}-name`}
          aria-describedby={`${id}-hint`}
          onChange={(event) => setHideWords(event.target.checked)}
          className="mt-1 size-4 shrink-0 accent-(--accent)"
        />
        <span>
          <span id={`${id}-name`} className="font-medium">
            Hide the words
          </span>
          <span id={`${id}-hint`} className="block text-muted">
            The fault can be found all the same. Lengths of words and lines still show.
          </span>
        </span>
      </label>
      <div className="flex flex-wrap items-center justify-end gap-2">
        <p role="status" className="me-auto text-xs text-muted tabular-nums max-sm:w-full">
          {report === undefined ? 'Writing…' : report === null ? 'There is nothing to report.' : bytesInWords(new Blob([report]).size)}
        </p>
        <Button look="outline" disabled={!report} onClick={download}>
          <Download size={16} aria-hidden /> Download
        </Button>
        <Button look="primary" disabled={!report} onClick={copy}>
          <Copy size={16} aria-hidden /> Copy report
        </Button>
      </div>
    </div>
  );
}
