/**
 * Binds a `<textarea>` to a shared text.
 *
 * The textarea is uncontrolled: the browser edits it, this binding reads what happened and tells the model; what other
 * people do is written into it as the smallest splice, with caret, direction of the selection and scroll position
 * kept. Offsets count UTF-16 code units, line ends are LF.
 *
 * Invariant: outside a composition, `shown` is both the textarea's value and the model's text, unless a script has
 * set `value` behind our back. That is noticed at the next input, focus or remote change and taken as the person's
 * edit. A form reset is not an edit: the shared text is put back.
 *
 * # Limitations
 * Writing to a textarea clears the browser's own undo stack, so undo and redo are the model's. A composition that
 * pauses for long keeps remote text waiting on this screen (the own text is sent).
 */
import type { Patch, PatchListener, PatchOrigin, Selection16, TextModel } from './types.js';
import { Listeners } from './listen.js';
import { Overlay, type PeopleOptions } from './overlay.js';
import { plain } from './plain.js';
import { Gate } from './textarea/gate.js';
import { historyStepOfInput, historyStepOfKey, type HistoryStep } from './textarea/keys.js';
import { caretAfter, mapOffset, mapSelection, readSelection, sameSelection, writeSelection } from './textarea/selection.js';
import { applyPatch, difference, isEmpty, spliceAtCaret, spliceByEnds, together } from './textarea/splice.js';
import { Throttle } from './textarea/throttle.js';

/** At most 20 caret positions a second leave this editor. */
const SELECTION_INTERVAL_MS = 50;
/** A composition that rests this long is sent as far as it is: phone keyboards keep the last word open for ever. */
const COMPOSITION_PAUSE_MS = 1_500;
/** Input types whose change need not lie at the caret: they are found by comparing the texts. */
const ELSEWHERE = /^(insertReplacementText|insertFromDrop|deleteByDrag|insertTranspose|)$/;

export interface BindingOptions {
  /** How other people's carets and selections are drawn; `false` draws none. */
  people?: PeopleOptions | false;
}

/** The live connection between one textarea and one text. */
export interface Binding {
  readonly element: HTMLTextAreaElement;
  /** Undoes this person's last edit; the caret goes to the change. False when there is nothing to undo. */
  undo(): boolean;
  /** Takes the last undo back. */
  redo(): boolean;
  /** Scrolls to a person's caret and shows the name. False when that session shows no caret here. */
  scrollTo(session: number): boolean;
  /** Tells the model what it does not know yet: an open composition, a value set by a script. */
  flush(): void;
  /** Reads `model.readOnly` again. */
  refresh(): void;
  /** Unbinds; the textarea keeps its text. May be called twice. */
  destroy(): void;
}

const bound = new WeakMap<HTMLTextAreaElement, TextareaBinding>();

/**
 * Shows `model` in `element` and keeps both the same until `destroy()`. A textarea has one binding: an earlier one is
 * destroyed. The element's value is replaced by the model's text.
 *
 * ```ts
 * const binding = bindTextarea(document.querySelector('textarea'), session);
 * ```
 */
export function bindTextarea(element: HTMLTextAreaElement, model: TextModel, options: BindingOptions = {}): Binding {
  bound.get(element)?.destroy();
  const binding = new TextareaBinding(element, model, options);
  bound.set(element, binding);
  return binding;
}

class TextareaBinding implements Binding {
  readonly element: HTMLTextAreaElement;
  readonly #model: TextModel;
  readonly #others: Overlay;
  readonly #listeners = new Listeners();
  readonly #selections: Throttle<Selection16>;
  readonly #gate: Gate;
  /** What the application itself had set, given back at the end. */
  readonly #own: { readOnly: boolean; autocomplete: string | null };
  #shown = '';
  #selection: Selection16;
  /** The selection before the input that is under way; `null` when no `beforeinput` has announced one. */
  #before: Selection16 | null = null;
  #destroyed = false;
  /** The form is about to take the text away, or has just done so. */
  #resetting = false;
  /** By this the model knows which editor speaks. */
  readonly #hear: PatchListener = (patches, origin) => this.#receive(patches, origin);
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(element: HTMLTextAreaElement, model: TextModel, options: BindingOptions) {
    this.element = element;
    this.#model = model;
    this.#own = { readOnly: element.readOnly, autocomplete: element.getAttribute('autocomplete') };
    // Browsers refill forms after a reload; an old text would come back as this person's edit.
    element.setAttribute('autocomplete', 'off');
    this.#shown = model.text();
    this.#selection = this.#takeOver();
    this.#gate = new Gate(model, () => this.#noticeValue());
    this.#others = new Overlay(element, () => this.#shown, model, options.people, this.#gate);
    this.#selections = new Throttle((selection) => this.#model.setSelection(selection), SELECTION_INTERVAL_MS);
    this.#listen();
    this.refresh();
    if (this.#focused) this.#selections.push(this.#selection);
  }

  /** Shows the model's text. In an element that has shown an earlier one, the caret keeps its place. */
  #takeOver(): Selection16 {
    const { element } = this;
    const before = element.value;
    const patch = difference(before, this.#shown);
    if (!patch) return readSelection(element);
    const selection = mapSelection(readSelection(element), [patch]);
    this.#fill();
    if (before) writeSelection(element, selection);
    return readSelection(element);
  }

  #listen(): void {
    const { element } = this;
    const model = this.#model;
    const page = element.ownerDocument;
    const listeners = this.#listeners;
    const on = (target: EventTarget, names: string, run: (event: Event) => void): void =>
      listeners.on(target, names, run);
    listeners.on(element, 'beforeinput', (event) => this.#beforeInput(event));
    listeners.on(element, 'keydown', (event) => this.#key(event));
    on(element, 'input', () => this.#input());
    on(element, 'compositionstart', () => this.#compositionStart());
    on(element, 'compositionend', () => this.#compositionEnd());
    on(element, 'select keyup pointerup selectionchange', () => this.#noticeSelection());
    on(page, 'selectionchange', (event) => {
      if (event.target === page) this.#noticeSelection(); // else it has come up from the textarea, or is not its
    });
    on(element, 'focus', () => this.#focus());
    on(element, 'blur', () => this.#blur());
    on(page, 'visibilitychange', () => this.flush());
    on(page, 'reset', (event) => {
      if (event.target !== element.form || event.defaultPrevented) return;
      this.#resetting = true;
      setTimeout(() => {
        this.#unreset();
        this.#resetting = false;
      });
    });
    // In a frame without a window (a detached document) there is nothing to leave.
    if (page.defaultView) on(page.defaultView, 'pagehide', () => this.flush());
    listeners.add(model.onPatches(this.#hear));
    listeners.add(model.subscribe?.(() => this.refresh()) ?? (() => undefined));
    listeners.add(
      model.onSelections(() => {
        this.refresh();
        this.#others.schedule();
      }),
    );
  }

  // ---- what the person does ----

  #beforeInput(event: InputEvent): void {
    if (this.#model.readOnly) {
      event.preventDefault();
      return;
    }
    this.#others.settle(); // what is typed may scroll
    const step = historyStepOfInput(event.inputType);
    if (step) {
      event.preventDefault();
      if (!this.#gate.composing) this.#step(step);
      return;
    }
    if (this.#gate.composing) return;
    this.#noticeValue();
    this.#noticeSelection();
    this.#before = ELSEWHERE.test(event.inputType) ? null : this.#selection;
  }

  #input(): void {
    this.#unreset();
    if (this.#gate.composing) {
      this.#others.composing(this.#composed());
      this.#awaitPause();
      return;
    }
    const before = this.#before;
    this.#before = null;
    const text = this.element.value;
    const start = before && Math.min(before.anchor, before.head);
    const patch = start === null ? null : spliceAtCaret(this.#shown, start, text, this.element.selectionEnd);
    if (patch) this.#say(patch, text);
    else this.#noticeValue();
  }

  #key(event: KeyboardEvent): void {
    const step = event.defaultPrevented || this.#gate.composing ? null : historyStepOfKey(event);
    if (!step) return;
    event.preventDefault();
    if (!this.#model.readOnly) this.#step(step);
  }

  /** Tells the model one replacement which the textarea shows already as `text`. */
  #say(patch: Patch, text: string): void {
    if (isEmpty(patch)) {
      this.#noticeSelection();
      return;
    }
    const inserted = plain(patch.inserted);
    if (inserted !== patch.inserted) {
      this.element.setRangeText(inserted, patch.at, patch.at + patch.inserted.length, 'end');
      text = this.element.value;
      patch = { ...patch, inserted };
    }
    this.#moved(patch, text);
    this.#model.edit(patch, this.#selection, this.#hear);
  }

  /** A change of unknown place: the engine compares the texts. */
  #sayByDiff(text: string): void {
    const kept = plain(text);
    if (kept !== text) {
      this.element.value = kept;
      text = this.element.value;
    }
    const patch = spliceByEnds(this.#shown, text, this.element.selectionEnd);
    if (isEmpty(patch)) return;
    this.#moved(patch, text);
    this.#model.editByDiff(text, this.#selection, this.#hear);
  }

  #moved(patch: Patch, text: string): void {
    this.#shown = text;
    this.#selection = readSelection(this.element);
    this.#selections.cancel();
    this.#others.edited([patch]);
  }

  /** Takes a value that no input event has explained as an edit. */
  #noticeValue(): void {
    this.#unreset();
    const text = this.element.value;
    if (text === this.#shown) this.#noticeSelection();
    else if (this.#model.readOnly) this.#restore();
    else this.#sayByDiff(text);
  }

  #noticeSelection(): void {
    if (this.#gate.composing) return;
    const selection = readSelection(this.element);
    if (sameSelection(selection, this.#selection) || !this.#focused) return;
    // Between an input and its event the selection is ahead of the text that the model knows.
    if (this.element.textLength !== this.#shown.length) return;
    this.#selection = selection;
    this.#model.breakUndoGroup();
    this.#selections.push(selection);
  }

  /** The long way round, once the person leaves: screen and model compared in full. The screen is what was meant. */
  #settle(): void {
    if (this.#gate.holds || this.#model.text() === this.#shown) return;
    if (!this.#model.readOnly) this.#model.editByDiff(this.#shown, this.#selection, this.#hear);
  }

  get #focused(): boolean {
    return (this.element.getRootNode() as Document | ShadowRoot).activeElement === this.element;
  }

  #focus(): void {
    this.refresh();
    this.#noticeValue();
    this.#selection = readSelection(this.element);
    this.#selections.push(this.#selection);
  }

  #blur(): void {
    this.flush();
    this.#settle();
    this.#model.breakUndoGroup();
    this.#selections.cancel();
    this.#model.setSelection(null);
  }

  // ---- input methods ----

  #compositionStart(): void {
    if (this.#model.readOnly) return;
    if (!this.#gate.composing) this.#noticeValue();
    this.#before = null;
    this.#gate.compositionStarts();
  }

  #awaitPause(): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#sayComposed(), COMPOSITION_PAUSE_MS);
  }

  /** What the input method has done so far, as far as the model has not heard of it. */
  #composed(): Patch {
    return spliceByEnds(this.#shown, this.element.value, this.element.selectionEnd);
  }

  #sayComposed(): void {
    clearTimeout(this.#pause);
    this.#unreset();
    this.#others.composing(null);
    this.#say(this.#composed(), this.element.value);
  }

  #compositionEnd(): void {
    if (!this.#gate.composing) return;
    this.#sayComposed();
    this.#gate.compositionEnds();
    this.#noticeSelection();
  }

  // ---- what comes from the model ----

  #receive(patches: Patch[], origin: PatchOrigin): void {
    if (patches.length === 0) return;
    this.#unreset();
    const { element } = this;
    const started = performance.now();
    const stray = element.value !== this.#shown;
    const foreign = stray ? this.#foreignEdit() : null;
    const selection = mapSelection(readSelection(element), patches);
    this.#others.keep();
    if (stray) {
      this.#shown = patches.reduce(applyPatch, this.#shown);
      this.#fill();
    } else this.#splice(patches);
    this.#others.edited(patches);
    const own = origin === 'undo' || origin === 'redo' ? caretAfter(patches) : null;
    this.#place(own ?? selection);
    if (own && this.#focused) this.#others.reveal(own.head);
    this.refresh();
    if (foreign) this.#repeat(foreign, patches);
    if (origin === 'remote' && !this.#destroyed) this.#gate.written(performance.now() - started);
  }

  /** Writes the least that will do. The field's own string is kept: to compare it with itself takes no time. */
  #splice(patches: readonly Patch[]): void {
    const { at, deleted, inserted } = together(patches, this.#shown);
    this.element.setRangeText(inserted, at, at + deleted, 'preserve');
    this.#shown = this.element.value;
  }

  /** What a script has written since we last looked; only before the model's text changes under it. */
  #foreignEdit(): Patch | null {
    if (this.#model.readOnly) return null;
    return spliceByEnds(this.#shown, plain(this.element.value), this.element.selectionEnd);
  }

  /** Makes a script's edit again, on the text the model has now. */
  #repeat(foreign: Patch, patches: readonly Patch[]): void {
    const at = mapOffset(foreign.at, patches, 'after');
    const end = Math.max(at, mapOffset(foreign.at + foreign.deleted, patches, 'before'));
    this.element.setRangeText(foreign.inserted, at, end, 'preserve');
    this.#say({ at, deleted: end - at, inserted: foreign.inserted }, this.element.value);
  }

  #place(selection: Selection16): void {
    writeSelection(this.element, selection);
    this.#selection = readSelection(this.element);
  }

  #fill(): void {
    const { element } = this;
    const { scrollTop } = element;
    element.value = this.#shown;
    element.scrollTop = scrollTop;
  }

  /** A reset follows its event: whatever comes next, or at the latest the next task, puts the text back. */
  #unreset(): void {
    if (!this.#resetting || this.element.value === this.#shown) return;
    this.#resetting = false;
    this.#restore();
  }

  #restore(): void {
    if (this.#destroyed || this.element.value === this.#shown) return;
    this.#fill();
    this.#place(this.#selection);
  }

  // ---- commands ----

  #step(step: HistoryStep): boolean {
    this.flush();
    this.#gate.wake();
    const caret = step === 'undo' ? this.#model.undo() : this.#model.redo();
    if (!caret) return false;
    this.#place(caret);
    this.#others.reveal(caret.head);
    if (this.#focused) this.#selections.push(this.#selection);
    return true;
  }

  undo(): boolean {
    return !this.#gate.composing && this.#model.canUndo && this.#step('undo');
  }

  redo(): boolean {
    return !this.#gate.composing && this.#model.canRedo && this.#step('redo');
  }

  scrollTo(session: number): boolean {
    return this.#others.scrollTo(session);
  }

  flush(): void {
    if (this.#gate.composing) this.#sayComposed();
    else this.#noticeValue();
  }

  refresh(): void {
    const readOnly = this.#own.readOnly || this.#model.readOnly;
    if (this.element.readOnly !== readOnly) this.element.readOnly = readOnly;
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.flush();
    this.#destroyed = true;
    clearTimeout(this.#pause);
    this.#gate.end();
    this.#listeners.end();
    this.#selections.stop();
    this.#others.destroy();
    this.element.readOnly = this.#own.readOnly;
    const { autocomplete } = this.#own;
    if (autocomplete === null) this.element.removeAttribute('autocomplete');
    else this.element.setAttribute('autocomplete', autocomplete);
    bound.delete(this.element);
  }
}
