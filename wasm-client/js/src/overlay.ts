/**
 * Draws other people's carets, selections and names over a textarea, and answers where text stands in it.
 *
 * The drawing lives in a shadow root beside the textarea: hidden from assistive technology, transparent for the
 * pointer, out of reach of the page's styles. It is measured on a hidden copy of the text (`Mirror`), which is made
 * when first needed. Reads come before writes, at most once per frame, and after the browser's own layout of that frame:
 * to ask earlier would make it lay out a long text while our code waits.
 *
 * Style it by `--concord-person-0` … `-11`, `--concord-person-ink` and `--concord-flag-font`.
 *
 * # Limitations
 * A textarea inside a scrolling box needs that box positioned (`position: relative`), or the drawing is not cut off at
 * its edges. Rotated and skewed textareas are drawn as if they stood straight.
 */
import type { Patch, RemoteSelection, TextModel } from './types.js';
import { Listeners } from './listen.js';
import { Figure, FIGURE_CSS, type Pose } from './overlay/figure.js';
import { Mirror, type Rect } from './overlay/mirror.js';
import type { Gate } from './textarea/gate.js';
import { mapOffset } from './textarea/selection.js';

export interface PeopleOptions {
  /** Where the drawing is put; beside the textarea when left out. */
  parent?: HTMLElement;
}

type View = Window & typeof globalThis;

export class Overlay {
  readonly #element: HTMLTextAreaElement;
  readonly #text: () => string;
  readonly #model: Pick<TextModel, 'remoteSelections'>;
  readonly #options: PeopleOptions | false | undefined;
  readonly #page: Document;
  readonly #view: View | null;
  readonly #listeners = new Listeners();
  readonly #figures = new Map<number, Figure>();
  readonly #size: ResizeObserver | undefined;
  #host: HTMLElement | null = null;
  #layer: HTMLElement | null = null;
  #mirror: Mirror | null = null;
  #frame = 0;
  #framedAt = 0;
  #kept: Kept | null = null;
  #offset = { x: 0, y: 0 };
  #padding = { left: 0, top: 0 };
  #contentWidth = 0;
  #ahead: Patch | null = null;

  /** `text` answers what the textarea shows; `gate` hears how long a layout took that was awaited here. */
  constructor(
    element: HTMLTextAreaElement,
    text: () => string,
    model: Pick<TextModel, 'remoteSelections'>,
    options: PeopleOptions | false | undefined,
    gate: Gate,
  ) {
    this.#element = element;
    this.#text = text;
    this.#model = model;
    this.#options = options;
    this.#page = element.ownerDocument;
    this.#view = this.#page.defaultView;
    // Observers run after layout and before paint: no frame shows old places.
    this.#size = this.#view?.ResizeObserver && new this.#view.ResizeObserver((entries) => {
      for (const entry of entries) {
        if (entry.target === element) this.#contentWidth = entry.contentBoxSize[0]?.inlineSize ?? 0;
      }
      if (this.#framedAt) gate.laidOut(performance.now() - this.#framedAt);
      this.#framedAt = 0;
      this.settle();
      this.#draw();
    });
    this.schedule();
  }

  // ---- what the binding tells ----

  /** An input method shows this on top of the text the model knows; `null` when it is done. */
  composing(patch: Patch | null): void {
    const { at, deleted, inserted } = this.#ahead ?? NOTHING;
    this.#mirror?.apply({ at, deleted: inserted.length, inserted: this.#text().slice(at, at + deleted) });
    this.#ahead = patch;
    if (patch) this.#mirror?.apply(patch);
    this.schedule();
  }

  /** The textarea's text has changed by these. Nothing is being composed on top of it. */
  edited(patches: readonly Patch[]): void {
    for (const patch of patches) this.#mirror?.apply(patch);
    for (const figure of this.#figures.values()) figure.head = mapOffset(figure.head, patches, 'before');
    const kept = this.#kept;
    if (kept) kept.first = mapOffset(kept.first, patches, 'after');
    this.schedule();
  }

  /** Draws in the next frame. */
  schedule(): void {
    if (this.#frame || !this.#view) return;
    this.#frame = this.#view.requestAnimationFrame(() => {
      this.#frame = 0;
      this.#framedAt = performance.now();
      // Who is observed anew is told of in this very frame.
      this.#size?.unobserve(this.#element);
      this.#size?.observe(this.#element);
    });
  }

  // ---- scrolling ----

  /** Before others change the text: what stands at the top of the view shall stand there in the next frame. */
  keep(): void {
    const { scrollTop } = this.#element;
    if (this.#kept || scrollTop <= 0) return;
    const mirror = this.#measured();
    if (!mirror) return;
    const first = mirror.offsetAt(Math.max(0, scrollTop - this.#padding.top));
    this.#kept = { scrollTop, first, top: mirror.caret(first).top };
  }

  /** Scrolls now to where the next frame would; a layout that is due is done for it. */
  settle(): void {
    const kept = this.#kept;
    const mirror = this.#mirror;
    this.#kept = null;
    if (!kept || !mirror) return;
    const moved = mirror.caret(kept.first).top - kept.top;
    const element = this.#element;
    const { scrollTop } = element;
    // A shorter text may have ended the scrolling earlier. Anything else has been the person, meanwhile.
    const untouched = Math.abs(scrollTop - Math.min(kept.scrollTop, element.scrollHeight - element.clientHeight)) < 1;
    if (Math.abs(moved) >= 0.5) element.scrollTop = (untouched ? kept.scrollTop : scrollTop) + moved;
  }

  /** Scrolls as little as needed to make an offset visible. */
  reveal(offset: number): void {
    const element = this.#element;
    const { clientHeight, clientWidth } = element;
    if (element.scrollHeight <= clientHeight && element.scrollWidth <= clientWidth) return;
    const caret = this.#measured()?.caret(offset);
    if (!caret) return;
    const top = caret.top + this.#padding.top;
    const left = caret.left + this.#padding.left;
    element.scrollTop = nearest(element.scrollTop, top - caret.height, top + caret.height * 2, clientHeight);
    if (element.scrollWidth > clientWidth) element.scrollLeft = nearest(element.scrollLeft, left - 8, left + 8, clientWidth);
  }

  /** Brings a person's caret to the middle of the view and shows the name. False when that session has no caret. */
  scrollTo(session: number): boolean {
    const found = this.#model.remoteSelections().find((remote) => remote.session === session);
    const range = found?.ranges[0];
    const caret = range && this.#measured()?.caret(this.#inside(range.head));
    if (!caret) return false;
    const element = this.#element;
    const top = caret.top + this.#padding.top + caret.height / 2 - element.clientHeight / 2;
    const calm = this.#view?.matchMedia('(prefers-reduced-motion: reduce)').matches;
    const x = caret.left + this.#padding.left;
    const left = nearest(element.scrollLeft, x - 8, x + 8, element.clientWidth);
    element.scrollTo({ top, left, behavior: calm ? 'instant' : 'smooth' });
    this.schedule();
    this.#figures.get(session)?.show();
    return true;
  }

  // ---- geometry ----

  /** The copy, dressed and in place; `null` while the textarea is not laid out. */
  #measured(budgetMs = Infinity): Mirror | null {
    const element = this.#element;
    const view = this.#view;
    if (!view || !element.isConnected || element.clientWidth === 0) return null;
    this.settle(); // who measures may scroll next
    const mirror = this.#mirror ?? this.#attach(view);
    const style = view.getComputedStyle(element);
    this.#padding = { left: parseFloat(style.paddingLeft), top: parseFloat(style.paddingTop) };
    const whole = element.clientWidth - this.#padding.left - parseFloat(style.paddingRight);
    // The observer knows the fraction of a pixel, `clientWidth` whether there is a scroll bar this very moment.
    mirror.dress(style, Math.abs(this.#contentWidth - whole) <= 1 ? this.#contentWidth : whole);
    mirror.element.style.left = `${this.#padding.left}px`;
    mirror.element.style.top = `${this.#padding.top}px`;
    if (mirror.grow(budgetMs)) return mirror;
    this.schedule();
    return null;
  }

  #attach(view: View): Mirror {
    const page = this.#page;
    const host = page.createElement('div');
    host.setAttribute('aria-hidden', 'true');
    host.setAttribute('translate', 'no');
    host.setAttribute('data-concord-people', '');
    host.style.cssText =
      'all:initial;position:absolute;left:0;top:0;contain:strict;pointer-events:none;user-select:none';
    const root = host.attachShadow({ mode: 'open' });
    adoptStyle(root, page, view);
    this.#layer = page.createElement('div');
    this.#layer.className = 'layer';
    root.append(this.#layer);
    const mirror = new Mirror(page, this.#text());
    if (this.#ahead) mirror.apply(this.#ahead);
    this.#layer.append(mirror.element);
    const parent = this.#options && this.#options.parent;
    if (parent) parent.append(host);
    else this.#element.after(host);
    this.#host = host;
    this.#mirror = mirror;
    this.#observe(view);
    return mirror;
  }

  #observe(view: View): void {
    const element = this.#element;
    const listeners = this.#listeners;
    const again = (): void => this.schedule();
    listeners.on(element, 'scroll', () => this.#scrolled(), { passive: true });
    listeners.on(element, 'pointermove', (event) => this.#pointed(event), { passive: true });
    listeners.on(element, 'transitionend', again);
    listeners.on(view, 'resize', again);
    // An outer box may carry the textarea away from a drawing that is anchored farther out.
    listeners.on(this.#page, 'scroll', again, { passive: true, capture: true });
    listeners.on(this.#page.fonts, 'loadingdone', again);
    if (element.parentElement) this.#size?.observe(element.parentElement);
    const attributes = new view.MutationObserver(again);
    attributes.observe(element, { attributeFilter: ['class', 'style', 'dir', 'lang', 'wrap', 'rows', 'cols'] });
    attributes.observe(this.#page.documentElement, { attributeFilter: ['class', 'style', 'dir', 'data-theme'] });
    listeners.add(() => attributes.disconnect());
  }

  /** Lays the drawing over the textarea's padding box, wherever the page has put both. */
  #cover(host: HTMLElement): void {
    const element = this.#element;
    const { clientWidth, clientHeight } = element;
    host.style.width = `${clientWidth}px`;
    host.style.height = `${clientHeight}px`;
    const own = host.getBoundingClientRect();
    const target = element.getBoundingClientRect();
    const scale = own.width / clientWidth || 1;
    const x = this.#offset.x + (target.left - own.left) / scale + element.clientLeft;
    const y = this.#offset.y + (target.top - own.top) / scale + element.clientTop;
    if (Math.abs(x - this.#offset.x) < 0.01 && Math.abs(y - this.#offset.y) < 0.01) return;
    this.#offset = { x, y };
    host.style.transform = `translate(${x}px,${y}px)`;
  }

  /** Where an offset of the model's text stands in the mirror. */
  #inside(offset: number): number {
    const known = Math.min(Math.max(0, offset), this.#text().length);
    return this.#ahead ? mapOffset(known, [this.#ahead], 'before') : known;
  }

  // ---- drawing ----

  #draw(): void {
    if (this.#options === false) return;
    const remote = this.#model.remoteSelections().filter(isVisible);
    this.#forget(remote);
    const mirror = remote.length > 0 ? this.#measured(FIRST_LAYOUT_MS) : null;
    const host = this.#host;
    if (!mirror || !host) return;
    host.style.zIndex = this.#view?.getComputedStyle(this.#element).zIndex ?? 'auto';
    this.#cover(host);
    const view = this.#visible();
    const drawn = remote.map((one) => ({ one, figure: this.#figure(one), pose: this.#pose(mirror, one, view) }));
    for (const { figure } of drawn) figure.measure();
    for (const { one, figure, pose } of drawn) {
      figure.place(pose, view);
      const head = one.ranges[0]?.head ?? 0;
      if (figure.head !== head) figure.show();
      figure.head = head;
    }
    this.#scrollLayer(view);
  }

  #forget(remote: readonly RemoteSelection[]): void {
    const here = new Set(remote.map((one) => one.session));
    for (const [session, figure] of this.#figures) {
      if (here.has(session)) continue;
      figure.remove();
      this.#figures.delete(session);
    }
  }

  #figure({ session, person }: RemoteSelection): Figure {
    let figure = this.#figures.get(session);
    if (!figure) {
      figure = new Figure(this.#page);
      this.#figures.set(session, figure);
      this.#layer?.append(figure.element);
    }
    figure.name(person);
    return figure;
  }

  #visible(): Rect {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.#element;
    return { left: scrollLeft, top: scrollTop, width: clientWidth, height: clientHeight };
  }

  #pose(mirror: Mirror, { ranges }: RemoteSelection, view: Rect): Pose {
    const { left, top } = this.#padding;
    const width = parseFloat(mirror.element.style.width);
    const wraps = !/^(pre|nowrap)$/.test(mirror.element.style.whiteSpace);
    const shift = (rect: Rect): Rect => ({ ...rect, left: rect.left + left, top: rect.top + top });
    const carets = ranges.map(({ head }) => {
      const caret = mirror.caret(this.#inside(head));
      // Spaces at the end of a full line hang over its edge; their carets do not.
      if (wraps) caret.left = Math.min(Math.max(0, caret.left), width);
      return shift(caret);
    });
    const boxes = ranges.flatMap(({ anchor, head }) => {
      const start = this.#inside(Math.min(anchor, head));
      const end = this.#inside(Math.max(anchor, head));
      // Half a view more on both sides, for scrolling between two frames.
      const [above, below] = [view.top - top - view.height / 2, view.top - top + view.height * 1.5];
      return start === end ? [] : mirror.boxes(start, end, above, below).map(shift);
    });
    return { carets, boxes, lineHeight: parseFloat(mirror.element.style.lineHeight) || 0 };
  }

  #scrolled(): void {
    if (this.#figures.size === 0) return;
    this.#scrollLayer(this.#visible());
    this.schedule();
  }

  #scrollLayer({ left, top }: Rect): void {
    if (this.#layer) this.#layer.style.transform = `translate(${-left}px,${-top}px)`;
  }

  #pointed(event: PointerEvent): void {
    const host = this.#host;
    if (!host || this.#figures.size === 0) return;
    const box = host.getBoundingClientRect();
    const scale = box.width / host.offsetWidth || 1;
    const x = (event.clientX - box.left) / scale + this.#element.scrollLeft;
    const y = (event.clientY - box.top) / scale + this.#element.scrollTop;
    for (const figure of this.#figures.values()) if (figure.isNear(x, y)) figure.show();
  }

  destroy(): void {
    this.#size?.disconnect();
    this.#listeners.end();
    this.#view?.cancelAnimationFrame(this.#frame);
    this.#frame = -1; // none is asked for any more
    for (const figure of this.#figures.values()) figure.remove();
    this.#figures.clear();
    this.#host?.remove();
    this.#host = this.#layer = this.#mirror = null;
  }
}

/** What stood at the top of the view, and where, before others changed the text. */
interface Kept {
  scrollTop: number;
  /** The first character of that line, carried along, … */
  first: number;
  /** … and its height in the text as it was. */
  top: number;
}

/** What one frame may spend on laying out a long text for the first time. */
const FIRST_LAYOUT_MS = 8;
const NOTHING: Patch = { at: 0, deleted: 0, inserted: '' };

/** The scroll position nearest to `position` at which `start` to `end` is in view. */
function nearest(position: number, start: number, end: number, size: number): number {
  return start < position ? start : end > position + size ? end - size : position;
}

function isVisible({ ranges, person }: RemoteSelection): boolean {
  return ranges.length > 0 && !person.self;
}

/** A constructed sheet passes any content security policy; old engines get an element. */
function adoptStyle(root: ShadowRoot, page: Document, view: View): void {
  try {
    const sheet = new view.CSSStyleSheet();
    sheet.replaceSync(FIGURE_CSS);
    root.adoptedStyleSheets = [sheet];
  } catch {
    const style = page.createElement('style');
    style.textContent = FIGURE_CSS;
    root.append(style);
  }
}
