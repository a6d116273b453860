/**
 * Runs inside the browser: a textarea bound to the real engine, and clocks around all that our code does for a key and
 * for a remote operation. Work put off to a frame or a timer counts too; what the browser's own field does by itself
 * (its value read or changed) is told apart.
 */
import { drain, Engine, loadEngine, OK } from '../../src/engine.js';
import { bindTextarea } from '../../src/textarea.js';
import type { Patch, PatchListener, RemoteSelection, Selection16, TextModel } from '../../src/types.js';
import { ada } from '../support/fake-model.js';

/** Milliseconds of one key or one remote operation: of our code, and of the field inside it. */
export interface Spent {
  ours: number;
  field: number;
}

/** A document in the engine, of which everything is acknowledged at once when the clock stands. */
class EngineModel implements TextModel {
  readonly readOnly = false;
  readonly canUndo = true;
  readonly canRedo = false;
  readonly #engine: Engine;
  readonly #listeners = new Set<PatchListener>();
  /** What was sent, so that nothing is left out that a client does for a key. */
  sent = '';

  constructor(text: string) {
    this.#engine = new Engine(text, 0, 1);
  }

  free(): void {
    this.#engine.free();
  }

  text(): string {
    return this.#engine.text();
  }

  edit({ at, deleted, inserted }: Patch): void {
    if (this.#engine.edit(at, deleted, inserted, performance.now(), false) !== OK) throw new Error('an edit was refused');
    this.#engine.flags();
    if (this.#engine.takeSubmission(1_000, 32_768) > 0) this.sent = this.#engine.outstanding();
  }

  editByDiff(): void {
    throw new Error('a key is told as what it changes');
  }

  acknowledge(): void {
    const seq = this.#engine.outstandingSeq();
    if (seq > 0) this.#engine.acknowledge(seq, this.#engine.revision() + 1);
  }

  remote(at: number, length: number, inserted: string): void {
    if (this.#engine.receive([at, inserted, length - at], this.#engine.revision() + 1) !== OK) throw new Error('refused');
    const patches = drain(this.#engine);
    for (const listener of this.#listeners) listener(patches, 'remote');
  }

  setSelection(selection: Selection16 | null): void {
    this.#engine.setSelection(selection?.anchor ?? -1, selection?.head ?? -1);
  }

  remoteSelections(): RemoteSelection[] {
    return [{ session: ada.session, person: ada, ranges: [{ anchor: 5, head: 5 }] }];
  }

  onPatches(listener: PatchListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onSelections = (): (() => void) => () => undefined;
  undo = (): null => null;
  redo = (): null => null;
  breakUndoGroup = (): void => undefined;
  hold = (): void => undefined;
  release = (): void => undefined;
}

const spent: Spent = { ours: 0, field: 0 };

/** Adds what `run` takes to one of the sums. */
function timed<T>(sum: keyof Spent, run: () => T): T {
  const started = performance.now();
  try {
    return run();
  } finally {
    spent[sum] += performance.now() - started;
  }
}

/** Until the next frame is drawn; not timed itself. */
let pause: () => Promise<void>;

/** Puts clocks around the field's own members and around frames and timers. */
function install(): void {
  const field = HTMLTextAreaElement.prototype;
  const setRangeText = Reflect.get(field, 'setRangeText') as (...given: unknown[]) => void;
  field.setRangeText = function (this: HTMLTextAreaElement, ...given: unknown[]) {
    timed('field', () => setRangeText.apply(this, given));
  };
  const value = Object.getOwnPropertyDescriptor(field, 'value');
  if (!value) throw new Error('a field has a value');
  Object.defineProperty(field, 'value', {
    ...value,
    get(this: HTMLTextAreaElement) {
      return timed('field', () => value.get?.call(this) as string);
    },
  });
  const requestAnimationFrame = window.requestAnimationFrame.bind(window);
  const setTimeout = window.setTimeout.bind(window);
  window.requestAnimationFrame = (run) => requestAnimationFrame((now) => timed('ours', () => run(now)));
  window.setTimeout = ((run: () => void, delay: number) => setTimeout(() => timed('ours', run), delay)) as typeof window.setTimeout;
  let began = 0;
  for (const type of ['beforeinput', 'input', 'selectionchange', 'keydown', 'keyup']) {
    window.addEventListener(type, () => (began = performance.now()), true);
    window.addEventListener(type, () => (spent.ours += performance.now() - began));
  }
  pause = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
}

/** One document on the page. Keys come from outside, as a person's do; the rest is asked of this. */
class Speed {
  readonly ready = loadEngine('/engine.wasm');
  #model: EngineModel | undefined;
  #element!: HTMLTextAreaElement;
  #bare: HTMLTextAreaElement | undefined;

  /** A text of so many characters, and the caret in its middle. */
  open(length: number): void {
    const line = 'Many people write one text, each of them in lines of words.\n';
    this.#model = new EngineModel(line.repeat(Math.ceil(length / line.length)).slice(0, length));
    this.#element = document.body.appendChild(document.createElement('textarea'));
    this.#element.style.cssText = 'position:absolute;width:600px;height:400px;font:16px/1.5 sans-serif';
    bindTextarea(this.#element, this.#model);
    this.#element.focus();
    this.#element.setSelectionRange(length >> 1, length >> 1);
  }

  /** From here on it counts. */
  async begin(): Promise<void> {
    await pause();
    Object.assign(spent, { ours: 0, field: 0 });
  }

  /** What it came to, with the frames and timers that were due. */
  async end(): Promise<Spent> {
    for (let i = 0; i < 2; i += 1) await pause();
    const { ours, field } = spent;
    this.#model?.acknowledge();
    return { ours: ours - field, field };
  }

  /** One character of somebody else's, somewhere. */
  remote(index: number): void {
    const model = this.#model;
    if (!model) throw new Error('open() first');
    const length = model.text().length;
    timed('ours', () => model.remote((index * 48_271) % length, length, 'y'));
  }

  /**
   * What the browser alone takes for the same change in a field with nothing of ours: the text changed by a character and
   * laid out, as it must be before anybody can say which lines are to be seen.
   */
  bare(index: number): number {
    const field = (this.#bare ??= this.#plainField());
    const at = (index * 48_271) % field.textLength;
    const started = performance.now();
    field.setRangeText('y', at, at, 'preserve');
    if (field.scrollHeight < 0) throw new Error('it has a height');
    return performance.now() - started;
  }

  #plainField(): HTMLTextAreaElement {
    const field = document.body.appendChild(document.createElement('textarea'));
    field.style.cssText = `${this.#element.style.cssText};left:650px`;
    field.value = this.#element.value;
    return field;
  }

  /** Characters, of which field and engine hold the same ones. */
  length(): number {
    const { value } = this.#element;
    if (value !== this.#model?.text()) throw new Error('field and engine show one text');
    return value.length;
  }
}

declare global {
  interface Window {
    speed: Speed;
  }
}

install();
window.speed = new Speed();
