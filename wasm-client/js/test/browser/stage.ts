/** Runs inside the browser: one textarea, a model in memory, and what the tests want to know about the screen. */
import { bindTextarea, type Binding } from '../../src/textarea.js';
import type { Person } from '../../src/types.js';
import { ada, FakeModel } from '../support/fake-model.js';

export interface Scene {
  text: string;
  css?: string;
  attributes?: Record<string, string>;
  /** Style of the box around the textarea. */
  box?: string;
}

export class Stage {
  element!: HTMLTextAreaElement;
  model!: FakeModel;
  binding: Binding | undefined;

  set({ text, css = '', attributes = {}, box = '' }: Scene): void {
    this.binding?.destroy();
    document.body.replaceChildren();
    const around = document.body.appendChild(document.createElement('div'));
    around.style.cssText = `position:relative;${box}`;
    this.element = around.appendChild(document.createElement('textarea'));
    this.element.style.cssText = `width:400px;height:200px;padding:12px 16px;border:1px solid;margin:8px;font:16px/1.5 sans-serif;${css}`;
    for (const [name, value] of Object.entries(attributes)) this.element.setAttribute(name, value);
    this.model = new FakeModel(text);
    this.binding = bindTextarea(this.element, this.model);
  }

  /** After everything due in this frame and the next has been drawn. */
  async frame(): Promise<void> {
    for (let i = 0; i < 2; i += 1) await new Promise((done) => requestAnimationFrame(done));
    await new Promise((done) => setTimeout(done));
  }

  get root(): ShadowRoot | null {
    return document.querySelector('[data-concord-people]')?.shadowRoot ?? null;
  }

  rects(selector: string): DOMRect[] {
    return [...(this.root?.querySelectorAll(selector) ?? [])].map((part) => part.getBoundingClientRect());
  }

  /** The character offset the browser itself finds in the textarea at a point of the screen. */
  offsetAt(x: number, y: number): number | null {
    const found = document.caretPositionFromPoint(x, y);
    return found?.offsetNode === this.element ? found.offset : null;
  }

  /** Puts Ada's caret at each offset in turn and lists where the browser would put a click on the drawn caret. */
  async probe(offsets: number[], nudge = 0.3): Promise<{ offset: number; found: number | null; x: number; y: number }[]> {
    const results = [];
    for (const offset of offsets) {
      this.model.point(ada, { anchor: offset, head: offset });
      this.binding?.scrollTo(ada.session);
      await this.frame();
      const [rect] = this.rects('.caret');
      if (!rect) throw new Error(`no caret at ${offset}`);
      const x = rect.left + rect.width / 2 + nudge;
      const y = rect.top + rect.height / 2;
      results.push({ offset, found: this.offsetAt(x, y), x, y });
    }
    return results;
  }

  /** The text of the line at the top of the view, found by the browser. */
  topLine(): string {
    const box = this.element.getBoundingClientRect();
    const style = getComputedStyle(this.element);
    const x = box.left + this.element.clientLeft + parseFloat(style.paddingLeft) + 1;
    const offset = this.offsetAt(x, box.top + this.element.clientTop + 2) ?? -1;
    return this.element.value.slice(offset, offset + 24);
  }

  person(session: number, name: string, color = session): Person {
    return { session, user: `g_${session}`, name, color };
  }

  /** Pieces of the mirror that the layout had to touch while `run` ran. */
  async touched(run: () => void): Promise<{ pieces: number; touched: number }> {
    const mirror = this.root?.querySelector('.mirror');
    if (!mirror) throw new Error('no mirror');
    const seen = new Set<Node>();
    const observer = new MutationObserver((records) => records.forEach((record) => seen.add(record.target)));
    observer.observe(mirror, { subtree: true, childList: true, characterData: true });
    run();
    await this.frame();
    observer.disconnect();
    return { pieces: mirror.childElementCount, touched: seen.size };
  }
}

declare global {
  interface Window {
    stage: Stage;
  }
}

window.stage = new Stage();
