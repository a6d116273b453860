import { cleanup, render, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReportSheet } from './ReportSheet';

const copied = vi.fn(() => Promise.resolve());

beforeEach(() => {
  copied.mockClear();
  Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText: copied } });
});
afterEach(cleanup);

const write = (hideWords: boolean) => Promise.resolve(hideWords ? 'xxx' : 'words of mine');

function sheet(given: Partial<Parameters<typeof ReportSheet>[0]> = {}) {
  const onOpenChange = vi.fn();
  render(<ReportSheet open onOpenChange={onOpenChange} failed write={write} {...given} />);
  return onOpenChange;
}

const button = (name: string) => screen.getByRole<HTMLButtonElement>('button', { name });
const written = () => waitFor(() => expect(button('Copy report').disabled).toBe(false));

describe('ReportSheet', () => {
  it('hides the words unless asked to leave them in, and says which', async () => {
    const onOpenChange = sheet();
    await written();
    expect(screen.getByText(/the words are replaced/)).toBeTruthy();
    button('Copy report').click();
    await waitFor(() => expect(onOpenChange).toHaveBeenCalledWith(false));
    expect(copied).toHaveBeenLastCalledWith('xxx');
  });

  it('copies the words when the box is cleared, after saying that they are in it', async () => {
    sheet();
    await written();
    screen.getByRole('checkbox', { name: 'Hide the words' }).click();
    await waitFor(() => expect(screen.getByText(/the text of this document and what was typed/)).toBeTruthy());
    await written();
    button('Copy report').click();
    await waitFor(() => expect(copied).toHaveBeenLastCalledWith('words of mine'));
  });

  it('offers nothing to copy where there is no report', async () => {
    sheet({ write: () => Promise.resolve(undefined) });
    await waitFor(() => expect(screen.getByRole('status').textContent).toBe('There is nothing to report.'));
    expect([button('Copy report').disabled, button('Download').disabled]).toEqual([true, true]);
  });

  it('says what the report is for', () => {
    sheet({ failed: false });
    expect(screen.getByText(/what happened in this document lately/)).toBeTruthy();
  });
});
