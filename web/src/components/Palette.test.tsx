import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type DocumentInfo, api } from '@/data/api';
import { Palette } from './Palette';

const named = (id: string, title: string) => ({ id, title, updated_ms: 1 }) as DocumentInfo;
const [ink, oak, river] = [named('1', 'Ink'), named('2', 'Oak'), named('3', 'River')];

beforeAll(() => {
  // cmdk measures its list and scrolls to its selection; jsdom does neither.
  vi.stubGlobal('ResizeObserver', class { observe() {} unobserve() {} disconnect() {} });
  Element.prototype.scrollIntoView = () => undefined;
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const selected = () => screen.getAllByRole('option').filter((option) => option.getAttribute('aria-selected') === 'true').map((option) => option.textContent);

describe('Palette', () => {
  it('keeps an item selected when the selected one leaves the list together with others', async () => {
    let answer: (documents: DocumentInfo[]) => void = () => undefined;
    vi.spyOn(api, 'list').mockImplementation(() => new Promise((resolve) => { answer = (documents) => resolve({ documents }); }));
    render(<Palette open onOpenChange={vi.fn()} onCreate={vi.fn()} onHelp={vi.fn()} onMe={vi.fn()} />);
    const arrives = async (documents: DocumentInfo[]) => {
      await vi.waitFor(() => expect(api.list).toHaveBeenCalled());
      await act(async () => answer(documents));
      vi.mocked(api.list).mockClear();
    };
    await arrives([ink, oak, river]);
    fireEvent.change(screen.getByRole('combobox'), { target: { value: 'r' } });
    await arrives([ink, oak, river]);
    expect(selected()).toEqual(['Ink']);
    fireEvent.change(screen.getByRole('combobox'), { target: { value: 'ri' } });
    await arrives([river]);
    expect(selected()).toEqual(['River']);
  });

  it('keeps what the arrow keys chose while more is found', async () => {
    let answer: (documents: DocumentInfo[]) => void = () => undefined;
    vi.spyOn(api, 'list').mockImplementation(() => new Promise((resolve) => { answer = (documents) => resolve({ documents }); }));
    render(<Palette open onOpenChange={vi.fn()} onCreate={vi.fn()} onHelp={vi.fn()} onMe={vi.fn()} />);
    expect(selected()).toEqual(['New document']);
    fireEvent.keyDown(screen.getByRole('combobox'), { key: 'ArrowDown' });
    expect(selected()).toEqual(['Recently deleted']);
    await vi.waitFor(() => expect(api.list).toHaveBeenCalled());
    await act(async () => answer([ink, oak]));
    expect(selected()).toEqual(['Recently deleted']);
  });
});
