// What the bar says about my work, in one line that is always true: a pure function of the document's status, the
// connection and the clock.
import type { ConnectionState, DocumentStatus } from '@/data/live';
import { counted } from './count';
import { canWrite, readerBadge } from './role';
import { duration } from './time';

/** How the line looks: its dot, and whether it needs the eye. Words carry the meaning; colour only helps. */
export type SaveTone = 'calm' | 'busy' | 'warn' | 'bad';

export interface SaveLine {
  tone: SaveTone;
  text: string;
  /** The same in a word or two, for a phone's bar; the whole line then stands at the foot of the page. */
  short: string;
  /** Offer an immediate attempt to connect. */
  canRetry: boolean;
  /** Stands as a badge: who only reads has nothing that could be saved. */
  isBadge?: boolean;
  /** The same news for a screen reader: no countdown, so it changes only when something happens. */
  spoken: string;
}

/** Edits younger than this are simply on their way. */
export const ON_ITS_WAY_MS = 3_000;

type SaveStatus = Pick<DocumentStatus, 'phase' | 'save' | 'unsavedEdits' | 'oldestUnsavedMs' | 'storedOnDevice' | 'readOnly' | 'pace'>;

const edits = (n: number) => counted(n, 'edit', 'edits');
/** Where unsaved edits are: never "on this device" before they are. */
const whereabouts = ({ unsavedEdits: n, storedOnDevice }: SaveStatus) =>
  storedOnDevice ? `${edits(n)} kept on this device` : `${edits(n)} not saved yet`;

const calm = (text: string, spoken = text): SaveLine => ({ tone: 'calm', text, short: text, spoken, canRetry: false });
const busy = (text: string): SaveLine => ({ tone: 'busy', text, short: text, spoken: '', canRetry: false });

function offline(status: SaveStatus): SaveLine {
  const waiting = status.unsavedEdits > 0;
  const stored = status.storedOnDevice;
  return {
    tone: waiting && !stored ? 'bad' : 'warn',
    text: waiting ? `Offline: ${whereabouts(status)}` : 'Offline: everything is saved',
    short: 'Offline',
    spoken: !waiting ? 'Offline. Everything is saved.' : stored ? 'Offline. Your edits are kept on this device.' : 'Offline. Your edits are not saved yet.',
    canRetry: true,
  };
}

function reconnecting(status: SaveStatus, retryInMs: number | undefined): SaveLine {
  const waiting = status.unsavedEdits > 0;
  const inSeconds = retryInMs === undefined ? null : Math.max(1, Math.ceil(retryInMs / 1000));
  return {
    tone: 'warn',
    text: (inSeconds === null ? 'Reconnecting…' : `Reconnecting in ${inSeconds} s`) + (waiting ? ` · ${whereabouts(status)}` : ''),
    short: 'Reconnecting',
    spoken: waiting ? 'Reconnecting. Your edits will be sent as soon as the connection is back.' : 'Reconnecting.',
    canRetry: true,
  };
}

function closed(status: SaveStatus): SaveLine {
  const waiting = status.unsavedEdits > 0;
  return {
    tone: 'bad',
    text: waiting ? `Disconnected: ${whereabouts(status)}` : 'Disconnected',
    short: 'Disconnected',
    spoken: waiting ? 'Disconnected. Your edits are not saved yet.' : 'Disconnected.',
    canRetry: true,
  };
}

function signedOut(status: SaveStatus): SaveLine {
  const waiting = status.unsavedEdits > 0;
  return {
    tone: waiting && !status.storedOnDevice ? 'bad' : 'warn',
    text: waiting ? `Signed out: ${whereabouts(status)}` : 'Signed out: everything is saved',
    short: 'Signed out',
    spoken: waiting ? 'You are signed out. Your edits are sent as soon as you have signed in.' : 'You are signed out.',
    canRetry: false,
  };
}

function revoked(status: SaveStatus): SaveLine {
  const text = status.unsavedEdits > 0 ? `${edits(status.unsavedEdits)} not sent` : 'No access';
  return { tone: 'bad', text, short: 'No access', spoken: status.unsavedEdits > 0 ? 'You may no longer open this document. Your latest edits were not sent.' : 'You may no longer open this document.', canRetry: false };
}

function failed(status: SaveStatus): SaveLine {
  const text = status.unsavedEdits > 0 ? `${edits(status.unsavedEdits)} not saved` : 'Not connected';
  return { tone: 'bad', text, short: text, spoken: status.unsavedEdits > 0 ? 'Your latest edits are not saved.' : text, canRetry: false };
}

function connected(status: SaveStatus): SaveLine {
  if (status.save === 'saved' || status.unsavedEdits === 0) return calm('Saved');
  const ageMs = status.oldestUnsavedMs ?? 0;
  if (status.pace === 'parts') return { ...busy('Saving a large edit in parts…'), short: 'Saving…' };
  if (ageMs < ON_ITS_WAY_MS) return busy('Saving…');
  if (status.pace === 'slowed') {
    return {
      tone: 'busy',
      text: `Saving more slowly: the server asked for a pause · ${edits(status.unsavedEdits)}`,
      short: 'Saving slowly',
      spoken: 'Saving takes longer: the server has asked for a pause. Nothing is lost.',
      canRetry: false,
    };
  }
  return {
    tone: 'warn',
    text: `${edits(status.unsavedEdits)} not saved yet · ${duration(ageMs)}`,
    short: 'Not saved yet',
    spoken: 'Your latest edits are not saved yet.',
    canRetry: false,
  };
}

export interface Circumstances {
  /** What I may do, once it is known. */
  role?: string;
  isSignedOut?: boolean;
}

/** The one line about my work. `retryInMs` and `oldestUnsavedMs` are as of now. */
export function saveLine(status: SaveStatus, connection: ConnectionState, { role = '', isSignedOut = false }: Circumstances = {}): SaveLine {
  if (status.phase === 'loading') return busy('Opening…');
  if (status.phase === 'error') return failed(status);
  if (status.phase === 'revoked') return revoked(status);
  if (isSignedOut) return signedOut(status);
  switch (connection.state) {
    case 'offline':
      return offline(status);
    case 'closed':
      return closed(status);
    case 'reconnecting':
      return reconnecting(status, connection.retryInMs);
    case 'connecting':
      return status.unsavedEdits === 0 ? busy('Connecting…') : { ...reconnecting(status, undefined), canRetry: false };
    case 'connected':
      if (status.unsavedEdits === 0 && !canWrite(role) && status.readOnly) {
        const words = readerBadge(role);
        return { ...calm(words, `${words}. You can read and copy this text.`), isBadge: true };
      }
      return connected(status);
  }
}
