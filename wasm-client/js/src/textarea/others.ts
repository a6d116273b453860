/**
 * Stands before the drawing of other people (`overlay.ts`), which is loaded when it may be needed: somebody else has a
 * caret, or the text is scrolled, where others' edits must not move what is read. Who writes alone in a text that fits
 * its box never loads it.
 *
 * Until it is there nobody is drawn, and a text that others edit keeps its scroll position in pixels. When it cannot be
 * loaded, that stays so, and what happens next tries again.
 */
import type { Overlay, PeopleOptions } from '../overlay.js';
import type { Patch, TextModel } from '../types.js';

/** How long a failed load rests. */
const RETRY_AFTER_MS = 5_000;

let Loaded: typeof Overlay | undefined;
let loading: Promise<void> | undefined;
let failedAt = -RETRY_AFTER_MS;

interface Module {
  Overlay: typeof Overlay;
}

/** Loads the drawing, once per page. Never fails: afterwards it is there or not. Tests give another way to it. */
export function loadOverlay(load: () => Promise<Module> = () => import('../overlay.js')): Promise<void> {
  if (!loading && performance.now() - failedAt < RETRY_AFTER_MS) return Promise.resolve();
  loading ??= load().then(
    (module) => {
      Loaded = module.Overlay;
    },
    () => {
      failedAt = performance.now();
      loading = undefined;
    },
  );
  return loading;
}

export class Others {
  readonly #element: HTMLTextAreaElement;
  readonly #text: () => string;
  readonly #model: Pick<TextModel, 'remoteSelections'>;
  readonly #options: PeopleOptions | false | undefined;
  #overlay: Overlay | undefined;
  #ahead: Patch | null = null;
  #destroyed = false;
  readonly #scrolled = (): void => void loadOverlay();

  /** `text` answers what the textarea shows. */
  constructor(
    element: HTMLTextAreaElement,
    text: () => string,
    model: Pick<TextModel, 'remoteSelections'>,
    options: PeopleOptions | false | undefined,
  ) {
    this.#element = element;
    this.#text = text;
    this.#model = model;
    this.#options = options;
    element.addEventListener('scroll', this.#scrolled, { passive: true });
    this.schedule();
  }

  /** An input method shows this on top of the text the model knows; `null` when it is done. */
  composing(patch: Patch | null): void {
    this.#ahead = patch;
    this.#overlay?.composing(patch);
  }

  /** The textarea's text has changed by these. Nothing is being composed on top of it. */
  edited(patches: readonly Patch[]): void {
    this.#overlay?.edited(patches);
  }

  /** Draws in the next frame. */
  schedule(): void {
    if (this.#overlay) this.#overlay.schedule();
    else if (this.#options !== false && this.#model.remoteSelections().length > 0) this.#use();
  }

  /** Remembers what stands at the top of the view; the answer puts it back after the text has changed. */
  viewport(): (patches: readonly Patch[]) => void {
    const element = this.#element;
    const { scrollTop, scrollLeft } = element;
    if (scrollTop > 0) this.#use();
    if (this.#overlay) return this.#overlay.viewport();
    return () => {
      if (element.scrollTop !== scrollTop) element.scrollTop = scrollTop;
      if (element.scrollLeft !== scrollLeft) element.scrollLeft = scrollLeft;
    };
  }

  /** Scrolls as little as needed to make an offset visible. */
  reveal(offset: number): void {
    const { scrollHeight, scrollWidth, clientHeight, clientWidth } = this.#element;
    if (scrollHeight <= clientHeight && scrollWidth <= clientWidth) return;
    this.#use((overlay) => overlay.reveal(Math.min(offset, this.#text().length)));
  }

  /** Brings a person's caret to the middle of the view. False when that session has no caret. */
  scrollTo(session: number): boolean {
    if (this.#overlay) return this.#overlay.scrollTo(session);
    this.#use((overlay) => overlay.scrollTo(session));
    return this.#model.remoteSelections().some((remote) => remote.session === session);
  }

  destroy(): void {
    this.#destroyed = true;
    this.#element.removeEventListener('scroll', this.#scrolled);
    this.#overlay?.destroy();
  }

  /** Calls with the drawing: now if it is loaded, when it is loaded otherwise. */
  #use(run?: (overlay: Overlay) => void): void {
    if (!this.#overlay && Loaded) {
      this.#overlay = new Loaded(this.#element, this.#text, this.#model, this.#options);
      if (this.#ahead) this.#overlay.composing(this.#ahead);
    }
    if (this.#overlay) run?.(this.#overlay);
    else {
      void loadOverlay().then(() => {
        if (Loaded && !this.#destroyed) this.#use(run);
      });
    }
  }
}
