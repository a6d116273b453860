// What the bar says about my work, in one line that is always true: a pure function of the document's status, the
// connection and the clock.
import type { ConnectionState, DocumentStatus } from '@/data/live';
import { duration } from './time';

/** How the line looks: its dot, and whether it needs the eye. Words carry the meaning; colour only helps. */
export type SaveTone = 'calm' | 'busy' | 'warn' | 'bad';

export interface SaveLine {
  tone: SaveTone;
  text: string;
  /** Offer an immediate attempt to connect. */
  canRetry: boolean;
  /** The same news for a screen reader: no countdown, so it changes only when something happens. */
  spoken: string;
}

/** Edits younger than this are simply on their way. */
export const ON_ITS_WAY_MS = 3_000;

type SaveStatus = Pick<DocumentStatus, 'phase' | 'save' | 'unsavedEdits' | 'oldestUnsavedMs' | 'storedOnDevice' | 'readOnly'>;

const edits = (n: number) => `${n.toLocaleString()} ${n === 1 ? 'edit' : 'edits'}`;

function line(tone: SaveTone, text: string, spoken = text, canRetry = false): SaveLine {
  return { tone, text, spoken, canRetry };
}

function offline(status: SaveStatus): SaveLine {
  const n = status.unsavedEdits;
  if (n === 0) return line('warn', 'Offline: everything is saved', 'Offline. Everything is saved.', true);
  const text = status.storedOnDevice ? `Offline: ${edits(n)} kept on this device` : `Offline: ${edits(n)} not saved yet`;
  const spoken = status.storedOnDevice ? 'Offline. Your edits are kept on this device.' : 'Offline. Your edits are not saved yet.';
  return line(status.storedOnDevice ? 'warn' : 'bad', text, spoken, true);
}

function reconnecting(status: SaveStatus, retryInMs: number | undefined): SaveLine {
  const wait = retryInMs === undefined ? 'Reconnecting…' : `Reconnecting in ${Math.max(1, Math.ceil(retryInMs / 1000))} s`;
  const n = status.unsavedEdits;
  const kept = n === 0 ? '' : status.storedOnDevice ? ` · ${edits(n)} kept on this device` : ` · ${edits(n)} not saved yet`;
  const spoken = n === 0 ? 'Reconnecting.' : 'Reconnecting. Your edits will be sent as soon as the connection is back.';
  return line('warn', wait + kept, spoken, true);
}

function connected(status: SaveStatus): SaveLine {
  if (status.save === 'saved' || status.unsavedEdits === 0) return line('calm', 'Saved');
  const ageMs = status.oldestUnsavedMs ?? 0;
  if (ageMs < ON_ITS_WAY_MS) return line('busy', 'Saving…', '');
  return line('warn', `${edits(status.unsavedEdits)} not saved yet · ${duration(ageMs)}`, 'Your latest edits are not saved yet.');
}

/** The one line about my work. `retryInMs` and `oldestUnsavedMs` are as of now. */
export function saveLine(status: SaveStatus, connection: ConnectionState): SaveLine {
  if (status.phase === 'loading') return line('busy', 'Opening…', '');
  if (status.phase === 'error') {
    const n = status.unsavedEdits;
    return n === 0 ? line('bad', 'Not connected') : line('bad', `${edits(n)} not saved`, 'Your latest edits are not saved.');
  }
  if (connection.state === 'offline') return offline(status);
  if (connection.state === 'closed') {
    return status.unsavedEdits === 0
      ? line('bad', 'Disconnected', 'Disconnected.', true)
      : line('bad', `Disconnected: ${edits(status.unsavedEdits)} ${status.storedOnDevice ? 'kept on this device' : 'not saved yet'}`, 'Disconnected. Your edits are not saved yet.', true);
  }
  if (connection.state === 'reconnecting') return reconnecting(status, connection.retryInMs);
  if (connection.state === 'connecting') {
    return status.unsavedEdits === 0 ? line('busy', 'Connecting…', '') : { ...reconnecting(status, undefined), canRetry: false };
  }
  if (status.readOnly && status.unsavedEdits === 0) return line('calm', 'Read only', 'Read only. You can read and copy this text.');
  return connected(status);
}
