/** Which keys and input types ask for undo or redo. */

export type HistoryStep = 'undo' | 'redo';

/** Ctrl/Cmd+Z, Ctrl/Cmd+Shift+Z and Ctrl+Y; nothing while an input method composes or Alt is held. */
export function historyStepOfKey(event: KeyboardEvent): HistoryStep | null {
  if (event.altKey || event.isComposing || !(event.ctrlKey || event.metaKey)) return null;
  const key = event.key.toLowerCase();
  if (key === 'z') return event.shiftKey ? 'redo' : 'undo';
  return key === 'y' && event.ctrlKey && !event.shiftKey ? 'redo' : null;
}

/** The browser's own menu and gestures (a shaken phone) arrive as these. */
export function historyStepOfInput(inputType: string): HistoryStep | null {
  if (inputType === 'historyUndo') return 'undo';
  return inputType === 'historyRedo' ? 'redo' : null;
}
