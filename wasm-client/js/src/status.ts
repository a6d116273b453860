/** Puts together what a person is told about one document. */
import type { DocumentStatus, RejectedEdit } from './types.js';

export interface StatusParts {
  phase: DocumentStatus['phase'];
  error: { code: string; message: string } | undefined;
  live: boolean;
  unsavedEdits: number;
  unsavedSince: number | undefined;
  pace: DocumentStatus['pace'];
  stored: boolean;
  storageAvailable: boolean;
  rejected: RejectedEdit[];
  readOnly: boolean;
  now: number;
}

/** "saved" only when nothing waits for the server; "saving" only while there is a live link to it. */
export function statusOf(parts: StatusParts): DocumentStatus {
  const { error, rejected, unsavedEdits, unsavedSince } = parts;
  return {
    phase: parts.phase,
    ...(error && { error }),
    save: unsavedEdits === 0 ? 'saved' : parts.live ? 'saving' : 'unsaved',
    unsavedEdits,
    ...(unsavedSince !== undefined && { oldestUnsavedMs: Math.max(0, parts.now - unsavedSince) }),
    ...(parts.pace && { pace: parts.pace }),
    storedOnDevice: parts.stored,
    storageAvailable: parts.storageAvailable,
    ...(rejected.length > 0 && { rejected: [...rejected] }),
    readOnly: parts.readOnly,
  };
}
