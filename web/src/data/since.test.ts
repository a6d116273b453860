import { act, renderHook } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { api } from './api';
import { useSince } from './since';

const ADA = { user: 'ada', name: 'Ada', color: 1 };
const BEN = { user: 'ben', name: 'Ben', color: 2 };

/** A server where I have seen revision 5 of 8, and `authors` wrote the rest. */
function server(authors = [BEN], seen: { revision: number; time_ms?: number; head: number } = { revision: 5, time_ms: Date.now(), head: 8 }) {
  vi.spyOn(api.history, 'seen').mockResolvedValue(seen);
  vi.spyOn(api.history, 'page').mockResolvedValue({ revision: 8, entries: [], authors });
  vi.spyOn(api.history, 'diff').mockResolvedValue({ from: 5, to: 8, op: [9, 'x', 9, -1] });
  return vi.spyOn(api.history, 'markSeen').mockResolvedValue({ revision: 8, head: 8 });
}

const look = (me: string | undefined = 'ada') => renderHook((person: string | undefined) => useSince('doc', person, () => 8), { initialProps: me });
const turn = () => act(() => vi.advanceTimersByTimeAsync(1));
const show = (state: DocumentVisibilityState) => {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state);
  document.dispatchEvent(new Event('visibilitychange'));
};

describe('useSince', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('visible');
    return () => vi.useRealTimers();
  });

  it('tells what others changed, and marks it when it is dismissed', async () => {
    const marked = server([ADA, BEN]);
    const { result } = look();
    await turn();
    expect(result.current.news).toEqual({ revision: 5, words: '2 changes by Ben in the last 1 min' });
    expect(marked).not.toHaveBeenCalled();
    act(() => result.current.dismiss());
    expect(result.current.news).toBeNull();
    expect(marked).toHaveBeenCalledExactlyOnceWith('doc', 8);
  });

  it('has nothing to tell of my own changes, of none, and at the first visit', async () => {
    const states = [[[ADA]], [[], { revision: 8, time_ms: 1, head: 8 }], [[BEN], { revision: 0, head: 8 }]] as Parameters<typeof server>[];
    for (const state of states) {
      const marked = server(...state);
      marked.mockClear();
      const { result, unmount } = look();
      await turn();
      expect(result.current.news).toBeNull();
      expect(marked).toHaveBeenCalledExactlyOnceWith('doc', 8);
      unmount();
    }
  });

  it('marks nothing that came in while the page was out of sight', async () => {
    const marked = server([], { revision: 8, time_ms: 1, head: 8 });
    const { unmount } = look();
    await turn();
    show('hidden');
    marked.mockClear();
    await act(() => vi.advanceTimersByTimeAsync(300_000));
    window.dispatchEvent(new Event('pagehide'));
    unmount();
    expect(marked).not.toHaveBeenCalled();
  });

  it('asks once, however often the connection comes back', async () => {
    server();
    const { result, rerender } = look();
    await turn();
    act(() => result.current.dismiss());
    rerender(undefined);
    rerender('ada');
    await turn();
    expect(api.history.seen).toHaveBeenCalledTimes(1);
    expect(result.current.news).toBeNull();
  });

  it('marks nothing when the server did not answer', async () => {
    const marked = server();
    vi.spyOn(api.history, 'seen').mockRejectedValue(new Error('offline'));
    const { unmount } = look();
    await turn();
    unmount();
    expect(marked).not.toHaveBeenCalled();
  });
});
