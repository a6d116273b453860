import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TitleField } from './TitleField';

const field = () => screen.getByRole<HTMLInputElement>('textbox', { name: 'Title' });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

describe('TitleField', () => {
  it('sends a title after a pause, cleaned of needless space, and once', () => {
    const onRename = vi.fn();
    render(<TitleField title="Old" onRename={onRename} />);
    fireEvent.focus(field());
    fireEvent.change(field(), { target: { value: '  New   title ' } });
    expect(onRename).not.toHaveBeenCalled();
    act(() => vi.advanceTimersByTime(1_000));
    expect(onRename.mock.calls).toEqual([['New title']]);
  });

  it('sends what waits, once, when the page goes away, is hidden, or the field goes', () => {
    const goings: [string, (unmount: () => void) => void][] = [
      ['closed', () => window.dispatchEvent(new Event('pagehide'))],
      ['put away', () => {
        vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
        document.dispatchEvent(new Event('visibilitychange'));
        window.dispatchEvent(new Event('pagehide'));
      }],
      ['another page', (unmount) => unmount()],
    ];
    for (const [what, go] of goings) {
      const onRename = vi.fn();
      const { unmount, rerender } = render(<TitleField title="Old" onRename={vi.fn()} />);
      rerender(<TitleField title="Old" onRename={onRename} />);
      fireEvent.change(field(), { target: { value: 'N' } });
      fireEvent.change(field(), { target: { value: 'New' } });
      go(unmount);
      expect(onRename.mock.calls, what).toEqual([['New']]);
      act(() => vi.advanceTimersByTime(1_000));
      unmount();
      expect(onRename, what).toHaveBeenCalledOnce();
      vi.restoreAllMocks();
    }
    const onRename = vi.fn();
    const { unmount } = render(<TitleField title="Old" onRename={onRename} />);
    fireEvent.change(field(), { target: { value: 'Nonsense' } });
    fireEvent.keyDown(field(), { key: 'Escape' });
    unmount();
    expect(onRename, 'given up').not.toHaveBeenCalled();
  });

  it('follows the others, but not while I am writing', () => {
    const { rerender } = render(<TitleField title="Old" onRename={vi.fn()} />);
    rerender(<TitleField title="Theirs" onRename={vi.fn()} />);
    expect(field().value).toBe('Theirs');
    fireEvent.change(field(), { target: { value: 'Mine' } });
    rerender(<TitleField title="Theirs again" onRename={vi.fn()} />);
    expect(field().value).toBe('Mine');
  });

  it('keeps the old title when it is emptied or given up', () => {
    const onRename = vi.fn();
    const onDone = vi.fn();
    render(<TitleField title="Old" onRename={onRename} onDone={onDone} />);
    fireEvent.focus(field());
    fireEvent.change(field(), { target: { value: '   ' } });
    fireEvent.blur(field());
    fireEvent.change(field(), { target: { value: 'Nonsense' } });
    fireEvent.keyDown(field(), { key: 'Escape' });
    expect(onRename).not.toHaveBeenCalled();
    expect(onDone).toHaveBeenCalledOnce();
    expect(field().value).toBe('Old');
  });

  it('leaves Enter and Escape to an input method that composes', () => {
    const onDone = vi.fn();
    render(<TitleField title="Old" onRename={vi.fn()} onDone={onDone} />);
    fireEvent.keyDown(field(), { key: 'Enter', isComposing: true });
    expect(onDone).not.toHaveBeenCalled();
  });
});
