// The keys of the app, in one list: the help shows it, the pages listen by it.

export interface Shortcut {
  combo: string;
  what: string;
}

export const EDITOR_SHORTCUTS: Shortcut[] = [
  { combo: 'mod+z', what: 'Undo my last change' },
  { combo: 'mod+shift+z', what: 'Redo it' },
  { combo: 'mod+s', what: 'Tell me whether everything is saved' },
  { combo: 'F2', what: 'Rename the document' },
  { combo: 'alt+shift+p', what: 'Go to the next person' },
  { combo: 'alt+shift+h', what: 'Look at the history' },
  { combo: 'alt+shift+s', what: 'Share the document' },
  { combo: 'alt+shift+c', what: 'Open or close the chat' },
  { combo: 'Esc', what: 'From the title back to the text' },
];

export const HISTORY_SHORTCUTS: Shortcut[] = [
  { combo: 'Space', what: 'Play and pause' },
  { combo: '←', what: 'One change back' },
  { combo: '→', what: 'One change on' },
  { combo: 'Home', what: 'To the beginning (on the slider)' },
  { combo: 'End', what: 'To now (on the slider)' },
  { combo: '[', what: 'The named version before' },
  { combo: ']', what: 'The next named version' },
  { combo: 'Esc', what: 'Back to the document' },
];

export const APP_SHORTCUTS: Shortcut[] = [
  { combo: 'mod+k', what: 'Search documents and commands' },
  { combo: 'mod+/', what: 'Show these keys' },
];

export const HOME_SHORTCUTS: Shortcut[] = [
  { combo: 'Enter', what: 'Open the document in focus' },
  { combo: 'F2', what: 'Rename the document in focus' },
  { combo: 'Delete', what: 'Delete the document in focus' },
];

const APPLE: Record<string, string> = { mod: '⌘', shift: '⇧', alt: '⌥', ctrl: '⌃' };
const OTHER: Record<string, string> = { mod: 'Ctrl', shift: 'Shift', alt: 'Alt', ctrl: 'Ctrl' };

/** `mod+shift+z` as the names on the keys: ⌘ ⇧ Z, or Ctrl Shift Z. */
export function keyNames(combo: string, apple: boolean): string[] {
  const names = apple ? APPLE : OTHER;
  return combo.split('+').map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part));
}

type KeyPress = Pick<KeyboardEvent, 'key' | 'code' | 'metaKey' | 'ctrlKey' | 'shiftKey' | 'altKey'>;

/** Whether a key press is this combination. Letters are compared by what they type, or, with Alt, by their place. */
export function isCombo(event: KeyPress, combo: string, apple: boolean): boolean {
  const parts = combo.split('+');
  const key = parts.at(-1) ?? '';
  const wants = (name: string) => parts.slice(0, -1).includes(name);
  const mod = apple ? event.metaKey : event.ctrlKey;
  const otherMod = apple ? event.ctrlKey : event.metaKey;
  if (mod !== wants('mod') || otherMod) return false;
  if (event.altKey !== wants('alt')) return false;
  // A sign such as "/" needs Shift on some keyboards.
  if (event.shiftKey !== wants('shift') && /^[a-z]$|^.{2,}$/i.test(key)) return false;
  const name = key === 'Esc' ? 'escape' : key.toLowerCase();
  return event.key.toLowerCase() === name || (event.altKey && event.code === `Key${key.toUpperCase()}`);
}
