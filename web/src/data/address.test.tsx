import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { correct, go, useSearch, visit } from './address';

function Shown({ renders = 0 }: { renders?: number }) {
  return (
    <p role="status" data-renders={renders}>
      {useSearch()}
    </p>
  );
}
const shown = () => screen.getByRole('status').textContent;

/** What a router does late: it writes an address that was left already, and nobody hears of it. */
const writeLate = (search: string) => window.history.replaceState(window.history.state, '', `/d/x${search}`);

/** The browser's back button: the address changes, then whoever listens is told. */
const goBack = () =>
  act(() => {
    writeLate('');
    window.dispatchEvent(new PopStateEvent('popstate'));
  });

beforeEach(() => window.history.replaceState(null, '', '/d/x'));
afterEach(cleanup);

describe('the address', () => {
  it('shows where one goes, and where the back button leads', () => {
    render(<Shown />);
    act(() => go('history'));
    expect([shown(), window.location.search]).toEqual(['history', '?history']);
    goBack();
    expect(shown()).toBe('');
  });

  it('stays where one is while an address that was left is written again for a moment', () => {
    const { rerender } = render(<Shown />);
    act(() => go('history'));
    goBack();
    writeLate('?history');
    rerender(<Shown renders={1} />);
    expect(shown()).toBe('');
  });

  it('is corrected only where the correction was asked for', () => {
    render(<Shown />);
    act(() => go('history'));
    const there = visit();
    act(() => correct(there, 'history&revision=3'));
    expect(window.location.search).toBe('?history&revision=3');
    goBack();
    act(() => correct(there, 'history'));
    expect([shown(), window.location.search]).toEqual(['', '']);
  });

  it('is read anew when a page begins', () => {
    const { unmount } = render(<Shown />);
    act(() => go('history'));
    unmount();
    writeLate('?history&revision=7');
    render(<Shown />);
    expect(shown()).toBe('history&revision=7');
  });
});
