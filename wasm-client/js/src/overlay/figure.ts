/**
 * What is drawn of one remote session: carets, selections, a flag with the name. Lengths are CSS pixels from the top
 * left corner of the textarea's padding box at scroll position 0.
 */
import type { Person } from '../types.js';
import type { Rect } from './mirror.js';

/** A selected line end or empty line is shown this wide. */
const LINE_END_PX = 5;
/** Room a flag needs above its caret; with less it hangs below. */
const FLAG_HEIGHT_PX = 22;
const FLAG_VISIBLE_MS = 2_000;
/** How near the pointer must come to a caret for its name. */
const NEAR_PX = 8;

/** Hue every 30°; dark enough for white letters, light enough for dark paper. */
const defaultColor = (index: number): string => `oklch(55% 0.13 ${(index * 30 + 25) % 360})`;

/** The property an application sets, else the colour it resolved itself, else ours. */
export function colorOf({ color, colorHex }: Person): string {
  const index = ((Math.trunc(color) % 12) + 12) % 12 || 0;
  const fallback = colorHex && /^#[\da-f]{3,8}$/i.test(colorHex) ? colorHex : defaultColor(index);
  return `var(--concord-person-${index}, ${fallback})`;
}

export const FIGURE_CSS = `
.layer{position:absolute;left:0;top:0;will-change:transform}
.mirror{position:absolute;visibility:hidden}
.mirror>div{unicode-bidi:inherit}
.person{forced-color-adjust:none}
.selection{position:absolute;left:0;top:0;background:var(--c);opacity:.18;border-radius:2px}
.caret{position:absolute;left:-1px;top:0;width:2px;background:var(--c);border-radius:1px}
.flag{position:absolute;left:0;bottom:100%;max-width:16em;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;
padding:1px 6px 2px;border-radius:4px 4px 4px 0;background:var(--c);color:var(--concord-person-ink,#fff);
font:550 12px/1.4 var(--concord-flag-font,system-ui,sans-serif);unicode-bidi:plaintext;opacity:0;transition:opacity .14s ease-out}
.shown{opacity:1}
.below .flag{bottom:auto;top:100%;border-radius:0 4px 4px 4px}
.flipped .flag{left:auto;right:0;border-radius:4px 4px 0 4px}
.below.flipped .flag{border-radius:4px 0 4px 4px}
@media (prefers-reduced-motion:reduce){.flag{transition:none}}
@media print{:host{display:none!important}}`;

/** Where one session's figure goes, measured before anything is written. */
export interface Pose {
  carets: Rect[];
  boxes: Rect[];
  lineHeight: number;
}

export class Figure {
  readonly element: HTMLElement;
  /** The moving end of the first range, carried along with edits, so that only the person's own moves count. */
  head = -1;
  readonly #page: Document;
  #flag: HTMLElement;
  #carets: HTMLElement[] = [];
  #boxes: HTMLElement[] = [];
  #pose: Pose | null = null;
  #flagWidth = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(page: Document) {
    this.#page = page;
    this.element = this.#part('person');
    this.#flag = this.#part('flag');
  }

  #part(name: string): HTMLElement {
    const part = this.#page.createElement('div');
    part.className = name;
    part.setAttribute('part', name);
    return part;
  }

  /** Read phase: how wide the name is. */
  measure(): void {
    this.#flagWidth ||= this.#flag.offsetWidth;
  }

  name(person: Person): void {
    this.element.style.setProperty('--c', colorOf(person));
    if (this.#flag.textContent === person.name) return;
    this.#flag.textContent = person.name;
    this.#flagWidth = 0;
  }

  /** Write phase. `view` is the visible part of the text. */
  place(pose: Pose, view: Rect): void {
    this.#pose = pose;
    pose.boxes.forEach((box, index) => {
      const part = (this.#boxes[index] ??= this.#grow('selection'));
      const height = Math.max(box.height, pose.lineHeight);
      move(part, box.left, box.top - (height - box.height) / 2);
      part.style.width = `${Math.max(box.width, LINE_END_PX)}px`;
      part.style.height = `${height}px`;
    });
    pose.carets.forEach((caret, index) => {
      const part = (this.#carets[index] ??= this.#grow('caret'));
      if (index === 0 && this.#flag.parentNode !== part) part.append(this.#flag);
      move(part, caret.left, caret.top);
      part.style.height = `${caret.height}px`;
      part.classList.toggle('below', caret.top - view.top < FLAG_HEIGHT_PX);
      const room = view.left + view.width - caret.left;
      part.classList.toggle('flipped', room < this.#flagWidth && caret.left - view.left > room);
    });
    for (const part of this.#boxes.splice(pose.boxes.length)) part.remove();
    for (const part of this.#carets.splice(pose.carets.length)) part.remove();
  }

  #grow(name: string): HTMLElement {
    const part = this.#part(name);
    if (name === 'selection') this.element.prepend(part);
    else this.element.append(part);
    return part;
  }

  /** Shows the name for two seconds. */
  show(): void {
    clearTimeout(this.#timer);
    this.#flag.classList.add('shown');
    this.#timer = setTimeout(() => this.#flag.classList.remove('shown'), FLAG_VISIBLE_MS);
  }

  isNear(x: number, y: number): boolean {
    return !!this.#pose?.carets.some(
      ({ left, top, height }) => Math.abs(x - left) <= NEAR_PX && y >= top - NEAR_PX / 2 && y <= top + height + NEAR_PX / 2,
    );
  }

  remove(): void {
    clearTimeout(this.#timer);
    this.element.remove();
  }
}

function move(part: HTMLElement, x: number, y: number): void {
  part.style.transform = `translate(${x}px,${y}px)`;
}
