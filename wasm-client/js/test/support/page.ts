/** A jsdom page with one textarea and hands that edit it the way browsers do: event, change, event. */
import { JSDOM } from 'jsdom';
import { bindTextarea, type Binding, type BindingOptions } from '../../src/textarea.js';
import { FakeModel, type Told } from './fake-model.js';

export interface Edit {
  inputType: string;
  /** What the browser does to the textarea; typing `text` over the selection when left out. */
  text?: string;
  change?: (element: HTMLTextAreaElement) => void;
  /** Phone keyboards may announce nothing. */
  silent?: boolean;
}

export class Page {
  readonly dom = new JSDOM('<form><textarea></textarea><input></form>', { pretendToBeVisual: true });
  readonly element: HTMLTextAreaElement;
  readonly model: FakeModel;
  readonly binding: Binding;

  constructor(marked: string, options?: BindingOptions) {
    const [text, start, end] = unmark(marked);
    this.element = this.dom.window.document.querySelector('textarea') as HTMLTextAreaElement;
    this.model = new FakeModel(text);
    this.binding = bindTextarea(this.element, this.model, options);
    this.element.focus();
    this.element.setSelectionRange(start, end);
    this.element.dispatchEvent(new this.dom.window.Event('select'));
    this.model.told = [];
  }

  /** The text with `|` at the caret, or `[` and `]` around the selection. */
  get shown(): string {
    const { value, selectionStart: start, selectionEnd: end } = this.element;
    const middle = start === end ? '|' : `[${value.slice(start, end)}]`;
    return value.slice(0, start) + middle + value.slice(end);
  }

  /** What was said about the text, without carets and groups. */
  get edits(): Told[] {
    return this.model.told.filter(([kind]) => kind === 'edit' || kind === 'diff');
  }

  /** False when the page kept the browser from doing it. */
  input({ inputType, text, change, silent }: Edit): boolean {
    const { InputEvent } = this.dom.window;
    if (!silent) {
      const before = new InputEvent('beforeinput', { inputType, data: text ?? null, bubbles: true, cancelable: true });
      if (!this.element.dispatchEvent(before)) return false;
    }
    if (change) change(this.element);
    else this.replace(text ?? '');
    this.element.dispatchEvent(new InputEvent('input', { inputType, data: text ?? null, bubbles: true }));
    return true;
  }

  type(text: string): boolean {
    return this.input({ inputType: 'insertText', text });
  }

  replace(text: string, start = this.element.selectionStart, end = this.element.selectionEnd): void {
    this.element.setRangeText(text, start, end, 'end');
  }

  select(start: number, end = start, direction: 'forward' | 'backward' = 'forward'): void {
    this.element.setSelectionRange(start, end, direction);
    this.element.dispatchEvent(new this.dom.window.Event('select', { bubbles: true }));
  }

  key(key: string, init: KeyboardEventInit = {}): boolean {
    const event = new this.dom.window.KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init });
    return this.element.dispatchEvent(event);
  }

  compose(name: 'compositionstart' | 'compositionupdate' | 'compositionend', data = ''): void {
    this.element.dispatchEvent(new this.dom.window.CompositionEvent(name, { data, bubbles: true }));
  }

  /** One step of an input method: the text being composed stands from `start` to `end` and becomes `text`. */
  composed(text: string, start: number, end: number): void {
    this.compose('compositionupdate', text);
    this.input({ inputType: 'insertCompositionText', change: () => this.replace(text, start, end) });
  }

  /** Lets timers of length 0 run. */
  async settle(): Promise<void> {
    await new Promise((done) => setTimeout(done));
    await new Promise((done) => setTimeout(done));
  }
}

/** `ab|c` is a caret after `ab`, `a[b]c` a selection of `b`. */
export function unmark(marked: string): [text: string, start: number, end: number] {
  const caret = marked.indexOf('|');
  if (caret >= 0) return [marked.replace('|', ''), caret, caret];
  const open = marked.indexOf('[');
  const close = marked.indexOf(']');
  if (open < 0) return [marked, marked.length, marked.length];
  return [marked.replace('[', '').replace(']', ''), open, close - 1];
}
