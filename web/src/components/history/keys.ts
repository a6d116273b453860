// The keys of the history view, wherever its focus is.
import { useEffect, useEffectEvent } from 'react';

export interface HistoryKeys {
  toggle(): void;
  /** One revision on, or back. */
  step(by: 1 | -1): void;
  /** To the next named version, or the one before. */
  mark(direction: 1 | -1): void;
  back(): void;
}

const WRITTEN_IN = 'input:not([type=range]), textarea, select, [contenteditable=true]';
const IN_FRONT = '[role=dialog], [role=menu], [role=listbox]';

export function useHistoryKeys(keys: HistoryKeys): void {
  // The editor under the view holds the focus it had until the next frame: who sees no field writes in none.
  const press = useEffectEvent((event: KeyboardEvent) => {
    const target = event.target instanceof Element ? event.target : null;
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target?.closest(WRITTEN_IN)?.checkVisibility() || document.querySelector(IN_FRONT)) return;
    const run = meaningOf(event.key, target, keys);
    if (!run) return;
    event.preventDefault();
    run();
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => press(event);
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}

function meaningOf(key: string, target: Element | null, keys: HistoryKeys): (() => void) | null {
  const forward = document.documentElement.dir === 'rtl' ? -1 : 1;
  const onSlider = target?.matches('[type=range]') ?? false;
  switch (key) {
    case ' ':
      // A button in focus is pressed by it.
      return target?.closest('button, a') ? null : () => keys.toggle();
    case 'ArrowLeft':
      return onSlider ? null : () => keys.step(forward === 1 ? -1 : 1);
    case 'ArrowRight':
      return onSlider ? null : () => keys.step(forward === 1 ? 1 : -1);
    case '[':
      return () => keys.mark(-1);
    case ']':
      return () => keys.mark(1);
    case 'Escape':
      return () => keys.back();
    default:
      return null;
  }
}
