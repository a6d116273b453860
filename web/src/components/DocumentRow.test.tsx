import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { Tooltip } from 'radix-ui';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DocumentInfo } from '@/data/api';
import { DocumentRow } from './DocumentRow';

const DOCUMENT: DocumentInfo = { id: 'plans', title: 'Plans', created_ms: 1, updated_ms: 10, revision: 1, len_chars: 4, here: 0, role: 'owner' };
const nothing = () => undefined;
const row = (nowMs: number) => (
  <Tooltip.Provider>
    <DocumentRow document={DOCUMENT} nowMs={nowMs} onRename={nothing} onDelete={nothing} onCopyLink={nothing} onRestore={nothing} />
  </Tooltip.Provider>
);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

describe('DocumentRow', () => {
  it('selects the old title once, not again over what was typed when the list is drawn anew', () => {
    const { rerender } = render(row(1));
    fireEvent.keyDown(screen.getByRole('link'), { key: 'F2' });
    const field = screen.getByRole<HTMLInputElement>('textbox', { name: 'New title' });
    act(() => vi.advanceTimersByTime(100));
    expect([field.selectionStart, field.selectionEnd]).toEqual([0, 'Plans'.length]);
    fireEvent.change(field, { target: { value: 'Plans for M' } });
    rerender(row(2));
    act(() => vi.advanceTimersByTime(100));
    expect(field.selectionStart).toBe('Plans for M'.length);
  });
});
