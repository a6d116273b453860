import { describe, expect, it } from 'vitest';
import { isCombo, keyNames } from './shortcuts';

const press = (key: string, held: Partial<KeyboardEvent> = {}) => ({
  key, code: '', metaKey: false, ctrlKey: false, shiftKey: false, altKey: false, ...held,
});

describe('isCombo', () => {
  it('takes ⌘ on Apple keyboards and Ctrl elsewhere, never the other one', () => {
    expect(isCombo(press('k', { metaKey: true }), 'mod+k', true)).toBe(true);
    expect(isCombo(press('k', { ctrlKey: true }), 'mod+k', true)).toBe(false);
    expect(isCombo(press('k', { ctrlKey: true }), 'mod+k', false)).toBe(true);
    expect(isCombo(press('k'), 'mod+k', false)).toBe(false);
  });

  it('accepts Shift for a sign that needs it', () => {
    expect(isCombo(press('/', { ctrlKey: true, shiftKey: true }), 'mod+/', false)).toBe(true);
    expect(isCombo(press('K', { ctrlKey: true, shiftKey: true }), 'mod+k', false)).toBe(false);
  });

  it('finds a letter by its place when Alt makes it type something else', () => {
    expect(isCombo(press('∏', { altKey: true, shiftKey: true, code: 'KeyP' }), 'alt+shift+p', true)).toBe(true);
  });
});

describe('keyNames', () => {
  it('names keys as they are printed', () => {
    expect(keyNames('mod+shift+z', true)).toEqual(['⌘', '⇧', 'Z']);
    expect(keyNames('mod+shift+z', false)).toEqual(['Ctrl', 'Shift', 'Z']);
    expect(keyNames('F2', false)).toEqual(['F2']);
  });
});
