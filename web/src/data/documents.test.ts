import { describe, expect, it } from 'vitest';
import { type DocumentInfo, RestError } from './api';
import { EMPTY, activityMs, reduce } from './documents';

const doc = (id: string, title = id): DocumentInfo => ({
  id, title, created_ms: 1, updated_ms: 10, revision: 0, len_chars: 0, here: 0, role: 'owner',
});
const loaded = (...documents: DocumentInfo[]) => reduce(EMPTY, { type: 'loaded', page: { documents }, query: '' });

describe('the list of documents', () => {
  it('falls back to the kept list, filtered by the search, when the server does not answer', () => {
    const state = reduce(EMPTY, { type: 'failed', error: new RestError('unreachable', '', 0), kept: [doc('a', 'Ábc'), doc('b', 'xyz')], query: 'áB' });
    expect(state.phase).toBe('stale');
    expect(state.documents.map((d) => d.id)).toEqual(['a']);
  });

  it('keeps what is on the screen when a refresh finds no network', () => {
    const state = reduce(loaded(doc('a')), { type: 'failed', error: new RestError('unreachable', '', 0), kept: null, query: '' });
    expect(state).toMatchObject({ phase: 'stale', documents: [{ id: 'a' }] });
  });

  it('is an error, not an empty list, when nothing is known', () => {
    const state = reduce(EMPTY, { type: 'failed', error: new RestError('unreachable', '', 0), kept: null, query: '' });
    expect(state).toMatchObject({ phase: 'error', error: { code: 'unreachable' } });
  });

  it('is an error when the server says so, whatever is kept', () => {
    const error = new RestError('storage_unavailable', 'disk', 503);
    expect(reduce(EMPTY, { type: 'failed', error, kept: [doc('a')], query: '' })).toMatchObject({
      phase: 'error',
      error: { code: 'storage_unavailable' },
    });
  });

  it('takes a proxy that cannot reach the server for no answer', () => {
    const error = new RestError('internal', '', 502);
    expect(reduce(EMPTY, { type: 'failed', error, kept: [doc('a')], query: '' }).phase).toBe('stale');
  });

  it('joins pages without doubling a document that moved between them', () => {
    const state = reduce(loaded(doc('a'), doc('b')), { type: 'more', page: { documents: [doc('b'), doc('c')] } });
    expect(state.documents.map((d) => d.id)).toEqual(['a', 'b', 'c']);
  });

  it('brings a removed document back once', () => {
    const removed = reduce(loaded(doc('a')), { type: 'removed', id: 'a' });
    expect(removed.documents).toEqual([]);
    const back = reduce(removed, { type: 'returned', document: doc('a') });
    expect(reduce(back, { type: 'returned', document: doc('a') }).documents).toHaveLength(1);
  });
});

describe('activityMs', () => {
  it('is the later of the last edit and my last visit', () => {
    expect(activityMs(doc('a'))).toBe(10);
    expect(activityMs({ ...doc('a'), opened_ms: 20 })).toBe(20);
  });
});
