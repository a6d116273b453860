import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SaveLine } from '@/lib/save-state';
import { SaveState } from './SaveState';

const saved: SaveLine = { tone: 'calm', text: 'Saved', short: 'Saved', spoken: 'Saved', canRetry: false };
const saving: SaveLine = { tone: 'busy', text: 'Saving…', short: 'Saving…', spoken: '', canRetry: false };
const offline: SaveLine = { tone: 'warn', text: 'Offline: 3 edits kept on this device', short: 'Offline', spoken: 'Offline. Kept.', canRetry: true };
const shown = () => screen.getByTestId('save-state').textContent;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

describe('SaveState', () => {
  it('leaves Saved at once and returns to it only after a calm moment', () => {
    const { rerender } = render(<SaveState line={saved} />);
    rerender(<SaveState line={saving} />);
    expect(shown()).toBe('Saving…');
    rerender(<SaveState line={saved} />);
    expect(shown()).toBe('Saving…');
    rerender(<SaveState line={saving} />);
    act(() => vi.advanceTimersByTime(5_000));
    expect(shown()).toBe('Saving…');
    rerender(<SaveState line={saved} />);
    act(() => vi.advanceTimersByTime(600));
    expect(shown()).toBe('Saved');
  });

  it('says trouble at once, aloud too, and nothing aloud on arrival', () => {
    const { rerender } = render(<SaveState line={saved} onRetry={() => undefined} />);
    expect(screen.getByRole('status').textContent).toBe('');
    rerender(<SaveState line={offline} onRetry={() => undefined} />);
    expect(shown()).toBe(offline.text);
    expect(screen.getByRole('status').textContent).toBe('Offline. Kept.');
    expect(screen.getByRole('button', { name: 'try now' })).toBeTruthy();
  });

  it('does not speak with every keystroke', () => {
    const { rerender } = render(<SaveState line={saved} />);
    rerender(<SaveState line={offline} />);
    rerender(<SaveState line={saving} />);
    expect(screen.getByRole('status').textContent).toBe('Offline. Kept.');
    rerender(<SaveState line={saved} />);
    act(() => vi.advanceTimersByTime(600));
    expect(screen.getByRole('status').textContent).toBe('Saved');
  });
});
