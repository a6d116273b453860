import { describe, expect, it } from 'vitest';
import type { ConnectionState, DocumentStatus } from '@/data/live';
import { saveLine } from './save-state';

const ready: DocumentStatus = {
  phase: 'ready',
  save: 'saved',
  unsavedEdits: 0,
  storedOnDevice: true,
  storageAvailable: true,
  readOnly: false,
};
const unsaved = (n: number, ageMs = 0, storedOnDevice = true): DocumentStatus => ({
  ...ready,
  save: 'unsaved',
  unsavedEdits: n,
  oldestUnsavedMs: ageMs,
  storedOnDevice,
});
const connected: ConnectionState = { state: 'connected' };
const offline: ConnectionState = { state: 'offline' };
const words = (status: DocumentStatus, connection: ConnectionState) => saveLine(status, connection).text;

describe('saveLine', () => {
  it('says Saved only when the server has committed everything', () => {
    expect(words(ready, connected)).toBe('Saved');
    for (const connection of [connected, offline, { state: 'reconnecting' }, { state: 'closed' }] as ConnectionState[]) {
      expect(words(unsaved(1), connection)).not.toMatch(/^Saved|everything is saved/);
    }
  });

  it('counts edits and their age once they are late', () => {
    expect(words(unsaved(3, 2_999), connected)).toBe('Saving…');
    expect(words(unsaved(3, 12_400), connected)).toBe('3 edits not saved yet · 12 s');
    expect(words(unsaved(1, 61_000), connected)).toBe('1 edit not saved yet · 1 min');
  });

  it('claims "on this device" only when it is stored there', () => {
    expect(words(unsaved(14), offline)).toBe('Offline: 14 edits kept on this device');
    expect(words(unsaved(14, 0, false), offline)).toBe('Offline: 14 edits not saved yet');
    expect(saveLine(unsaved(14, 0, false), offline).tone).toBe('bad');
    expect(words(ready, offline)).toBe('Offline: everything is saved');
  });

  it('counts down to the next attempt and offers one now', () => {
    const line = saveLine(ready, { state: 'reconnecting', retryInMs: 3_200 });
    expect(line.text).toBe('Reconnecting in 4 s');
    expect(line.canRetry).toBe(true);
    expect(words(unsaved(2), { state: 'reconnecting', retryInMs: 100 })).toBe('Reconnecting in 1 s · 2 edits kept on this device');
    expect(words(ready, { state: 'reconnecting' })).toBe('Reconnecting…');
  });

  it('has a short form for a phone’s bar', () => {
    expect(saveLine(unsaved(14), offline).short).toBe('Offline');
    expect(saveLine(ready, { state: 'reconnecting', retryInMs: 20_000 }).short).toBe('Reconnecting');
    expect(saveLine(unsaved(3, 20_000), connected).short.length).toBeLessThan(16);
  });

  it('speaks without numbers that tick', () => {
    const now = saveLine(unsaved(3, 12_000), connected).spoken;
    const later = saveLine(unsaved(9, 40_000), connected).spoken;
    expect(now).toBe(later);
    expect(now).toBe('Your latest edits are not saved yet.');
  });

  it('tells a reader that the text is read only, unless something of theirs waits', () => {
    const reader = (role: string) => saveLine({ ...ready, readOnly: true }, connected, { role });
    expect([reader('viewer').text, reader('commenter').text]).toEqual(['View only', 'Comment only']);
    expect([reader('viewer').isBadge, saveLine(ready, connected, { role: 'editor' }).isBadge]).toEqual([true, undefined]);
    expect(words({ ...unsaved(2, 5_000), readOnly: true }, connected)).toBe('2 edits not saved yet · 5 s');
  });

  it('says calmly why saving takes its time', () => {
    const late = unsaved(3, 12_000);
    expect(words({ ...late, pace: 'parts' }, connected)).toBe('Saving a large edit in parts…');
    expect(words({ ...late, pace: 'slowed' }, connected)).toBe('Saving more slowly: the server asked for a pause · 3 edits');
    expect(words({ ...unsaved(3, 100), pace: 'slowed' }, connected)).toBe('Saving…');
    for (const pace of ['parts', 'slowed'] as const) expect(saveLine({ ...late, pace }, connected).tone).toBe('busy');
    expect(words({ ...late, pace: 'parts' }, offline)).toMatch(/^Offline/);
  });

  it('tells who lost the document, or is signed out, where their edits are', () => {
    expect(words({ ...unsaved(2), phase: 'revoked' }, connected)).toBe('2 edits not sent');
    expect(words({ ...ready, phase: 'revoked' }, connected)).toBe('No access');
    const away: ConnectionState = { state: 'reconnecting', retryInMs: 4_000 };
    const line = saveLine(unsaved(2), away, { isSignedOut: true });
    expect([line.text, line.canRetry]).toEqual(['Signed out: 2 edits kept on this device', false]);
    expect(saveLine(unsaved(2, 0, false), away, { isSignedOut: true }).tone).toBe('bad');
  });

  it('admits that edits are not saved when the document failed', () => {
    expect(words({ ...unsaved(2), phase: 'error' }, connected)).toBe('2 edits not saved');
  });
});
