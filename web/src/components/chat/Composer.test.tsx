import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { Tooltip } from 'radix-ui';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Composer } from './Composer';

const field = () => screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Message' });
const nothing = () => undefined;

/** What the field holds after a key, with the caret at `caret`. */
function write(text: string, caret = text.length): void {
  fireEvent.change(field(), { target: { value: text } });
  field().setSelectionRange(caret, caret);
  fireEvent.select(field());
}

function open(): void {
  render(
    <Tooltip.Provider>
      <Composer
        canWrite
        people={[{ user: 'u-ben', name: 'Ben', color: 3 }]}
        passage={null}
        editing={null}
        onSend={nothing}
        onTyping={nothing}
        onQuote={nothing}
        onEscape={nothing}
      />
    </Tooltip.Provider>,
  );
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

describe('Composer', () => {
  it('puts the caret behind a completed name at once, in the middle of a message too', () => {
    open();
    write('Ask @be about it', 'Ask @be'.length);
    fireEvent.keyDown(field(), { key: 'Enter' });
    expect(field().value).toBe('Ask @Ben  about it');
    expect(field().selectionStart).toBe('Ask @Ben '.length);
  });

  it('leaves the caret to who types on before the browser has drawn the completed name', () => {
    open();
    write('@be');
    fireEvent.keyDown(field(), { key: 'Enter' });
    write('@Ben typed on');
    vi.advanceTimersByTime(1_000);
    expect(field().selectionStart).toBe('@Ben typed on'.length);
  });
});
