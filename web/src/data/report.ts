// What happened in an open document, recorded in this page's memory so that a fault can be played again. It leaves the
// page only when somebody copies or downloads it.
import { createRecorder } from '@concord/client/report';
import { useCallback, useMemo, useState, useSyncExternalStore } from 'react';

const recorder = createRecorder();

/** Options of the app's client: its sessions are recorded. The ring is small, and a document's ends with it. */
export const RECORDED = recorder.watch();

/** Whether a check has failed in a document since it was opened. */
function useFailure(id: string): boolean {
  return useSyncExternalStore(
    (fn) => recorder.subscribe(fn),
    () => recorder.failure(id) !== undefined,
    () => false,
  );
}

/** The report of a document: whether there is cause for one, the way to it, and what its sheet needs. */
export function useReport(id: string) {
  const failed = useFailure(id);
  const [isOpen, setOpen] = useState(false);
  const write = useCallback((hideWords: boolean) => recorder.report(id, { redact: hideWords }), [id]);
  return useMemo(
    () => ({ failed, open: () => setOpen(true), sheet: { open: isOpen, onOpenChange: setOpen, failed, write } }),
    [failed, isOpen, write],
  );
}
