/**
 * Runs inside the browser: a textarea bound to the real engine, and clocks around all that our code does for a key and
 * for a remote operation: every listener, and what it puts off to a frame, a timer or an observer. What the field's own
 * members take inside of it is told apart; the layouts that our code forces are found in a trace (`layouts.ts`).
 */
import { drain, Engine, loadEngine, OK } from '../../src/engine.js';
import { bindTextarea } from '../../src/textarea.js';
import type { Patch, PatchListener, RemoteSelection, Selection16, TextModel } from '../../src/types.js';
import { ada } from '../support/fake-model.js';

/** Milliseconds of one key or one remote operation: of our code with all it asks for, and of the field inside of it. */
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
const running: Record<keyof Spent, boolean> = { ours: false, field: false };

/** Adds what `run` takes to one of the sums; what runs inside of it already counts there. */
function timed<T>(sum: keyof Spent, run: () => T): T {
  if (running[sum]) return run();
  running[sum] = true;
  const started = performance.now();
  try {
    return run();
  } finally {
    spent[sum] += performance.now() - started;
    running[sum] = false;
  }
}

/** Until the next frame is drawn; not timed itself. */
let pause: () => Promise<void>;

type Run = (this: unknown, ...given: unknown[]) => unknown;

/** Puts clocks around what the field is asked and told. */
function clockField(): void {
  const field = HTMLTextAreaElement.prototype;
  // Its name is found in the trace.
  const clocked = (run: Run): Run =>
    function fieldItself(...given) {
      return timed('field', () => run.apply(this, given));
    };
  for (const name of ['setRangeText', 'setSelectionRange'] as const) {
    Reflect.set(field, name, clocked(Reflect.get(field, name) as Run));
  }
  for (const name of ['value', 'textLength', 'selectionStart', 'selectionEnd', 'selectionDirection']) {
    const property: object = Object.getOwnPropertyDescriptor(field, name) ?? {};
    for (const side of ['get', 'set']) {
      const run = Reflect.get(property, side) as Run | undefined;
      if (run) Reflect.set(property, side, clocked(run));
    }
    Object.defineProperty(field, name, property);
  }
}

/** Puts clocks around everything by which the browser can call our code. */
function clockCalls(): void {
  const requestAnimationFrame = window.requestAnimationFrame.bind(window);
  const setTimeout = window.setTimeout.bind(window);
  const ours = (run: unknown): never => {
    const called: Run = function (...given) {
      return timed('ours', () => (run as Run).apply(this, given));
    };
    return called as never;
  };
  window.requestAnimationFrame = (run) => requestAnimationFrame(ours(run));
  window.setTimeout = ((run: () => void, delay: number) => setTimeout(ours(run), delay)) as typeof window.setTimeout;
  const listen = Reflect.get(EventTarget.prototype, 'addEventListener') as Run;
  EventTarget.prototype.addEventListener = function (this: EventTarget, type: string, run: unknown, ...rest: unknown[]) {
    listen.call(this, type, ours(run), ...rest);
  };
  for (const name of ['ResizeObserver', 'MutationObserver', 'IntersectionObserver'] as const) {
    const Observer = window[name] as new (...given: unknown[]) => object;
    const Clocked = class extends Observer {
      constructor(run: unknown, ...rest: unknown[]) {
        super(ours(run), ...rest);
      }
    };
    Reflect.set(window, name, Clocked);
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
    performance.mark('begin');
  }

  /** What it came to, with the frames and timers that were due. */
  async end(): Promise<Spent> {
    for (let i = 0; i < 2; i += 1) await pause();
    performance.mark('end');
    const { ours, field } = spent;
    this.#model?.acknowledge();
    return { ours, field };
  }

  /** One character of somebody else's, somewhere. */
  remote(index: number): void {
    const model = this.#model;
    if (!model) throw new Error('open() first');
    const length = this.#element.textLength;
    timed('ours', () => model.remote((index * 48_271) % length, length, 'y'));
  }

  /** The same change by a script in a field with nothing of ours, which is then drawn: what the browser takes alone. */
  async bare(index: number): Promise<Spent> {
    const field = (this.#bare ??= this.#plainField());
    const at = (index * 48_271) % field.textLength;
    await this.begin();
    field.setRangeText('y', at, at, 'preserve');
    return this.end();
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

clockField();
clockCalls();
window.speed = new Speed();
