/** A text model in memory with a scripted remote person; it keeps what the binding told it. Offsets in UTF-16. */
import type { Patch, PatchOrigin, Person, RemoteSelection, Selection16, TextModel } from '../../src/types.js';
import { mapOffset } from '../../src/textarea/selection.js';
import { applyPatch, isEmpty, spliceByEnds } from '../../src/textarea/splice.js';

export type Told =
  | ['edit', number, number, string]
  | ['diff', string]
  | ['select', Selection16 | null]
  | ['break' | 'hold' | 'release' | 'undo' | 'redo'];

export const ada: Person = { session: 7, user: 'g_ada', name: 'Ada', color: 3 };

export class FakeModel implements TextModel {
  readOnly = false;
  /** Everything the binding said, in order. */
  told: Told[] = [];
  remotes: RemoteSelection[] = [];
  /** The selection that came with the last edit. */
  selection: Selection16 | null = null;
  #text: string;
  /** What the editor shows while patches wait. */
  #shown: string | null = null;
  /** They lead from the shown text to the merged one. */
  #waiting: Patch[] = [];
  #undo: Patch[] = [];
  #redo: Patch[] = [];
  #patchListeners = new Set<(patches: Patch[], origin: PatchOrigin) => void>();
  #selectionListeners = new Set<() => void>();

  constructor(text = '') {
    this.#text = text;
  }

  /** The text with everything that waits. */
  get merged(): string {
    return this.#text;
  }

  text(): string {
    return this.#shown ?? this.#text;
  }

  get canUndo(): boolean {
    return this.#undo.length > 0;
  }

  get canRedo(): boolean {
    return this.#redo.length > 0;
  }

  edit(patch: Patch, selection: Selection16 | null): void {
    this.told.push(['edit', patch.at, patch.deleted, patch.inserted]);
    this.selection = selection;
    this.#take(patch);
  }

  editByDiff(newText: string, selection: Selection16 | null): void {
    this.told.push(['diff', newText]);
    this.#take(spliceByEnds(this.text(), newText, selection?.head ?? newText.length));
  }

  #take(patch: Patch): void {
    if (patch.at < 0 || patch.at + patch.deleted > this.text().length) throw new RangeError('edit outside the text');
    if (/\r|\0|\p{Cs}/u.test(patch.inserted)) throw new RangeError('forbidden character');
    this.#redo = [];
    let merged = patch;
    if (this.#shown !== null) {
      this.#shown = applyPatch(this.#shown, patch);
      this.#waiting = this.#waiting.map((waiting) => {
        const over = carried(waiting, merged, 'before');
        merged = carried(merged, waiting, 'after');
        return over;
      });
    }
    this.#push(this.#undo, merged, this.#text);
    this.#text = applyPatch(this.#text, merged);
    this.#carry([patch]);
  }

  #carry(patches: Patch[]): void {
    const carry = (offset: number): number => mapOffset(offset, patches, 'before');
    for (const remote of this.remotes) {
      remote.ranges = remote.ranges.map(({ anchor, head }) => ({ anchor: carry(anchor), head: carry(head) }));
    }
  }

  #push(stack: Patch[], { at, deleted, inserted }: Patch, before: string): void {
    stack.push({ at, deleted: inserted.length, inserted: before.slice(at, at + deleted) });
  }

  undo(): Selection16 | null {
    this.told.push(['undo']);
    return this.#step(this.#undo, this.#redo, 'undo');
  }

  redo(): Selection16 | null {
    this.told.push(['redo']);
    return this.#step(this.#redo, this.#undo, 'redo');
  }

  #step(from: Patch[], to: Patch[], origin: PatchOrigin): Selection16 | null {
    const patch = from.pop();
    if (!patch) return null;
    this.#push(to, patch, this.#text);
    this.#text = applyPatch(this.#text, patch);
    this.#deliver([patch], origin);
    const caret = patch.at + patch.inserted.length;
    return { anchor: caret, head: caret };
  }

  breakUndoGroup(): void {
    this.told.push(['break']);
  }

  setSelection(selection: Selection16 | null): void {
    this.told.push(['select', selection]);
  }

  hold(): void {
    this.told.push(['hold']);
    this.#shown = this.#text;
  }

  release(): void {
    this.told.push(['release']);
    if (this.#shown === null) return;
    const exact = this.#waiting.reduce(applyPatch, this.#shown) === this.#text;
    const patches = exact ? this.#waiting : [spliceByEnds(this.#shown, this.#text, 0)];
    this.#shown = null;
    this.#waiting = [];
    if (patches.some((patch) => !isEmpty(patch))) this.#deliver(patches, 'remote');
  }

  /** Somebody else edits; offsets count in the merged text. */
  remote(...patches: Patch[]): void {
    for (const patch of patches) {
      this.#text = applyPatch(this.#text, patch);
      const carry = (undone: Patch): Patch => ({ ...undone, at: mapOffset(undone.at, [patch], 'after') });
      this.#undo = this.#undo.map(carry);
      this.#redo = this.#redo.map(carry);
    }
    if (this.#shown === null) this.#deliver(patches, 'remote');
    else this.#waiting.push(...patches);
  }

  /** Somebody's caret or selection; no ranges: it is gone. */
  point(person: Person, ...ranges: Selection16[]): void {
    this.remotes = this.remotes.filter((remote) => remote.session !== person.session);
    if (ranges.length > 0) this.remotes.push({ session: person.session, person, ranges });
    for (const fn of this.#selectionListeners) fn();
  }

  #deliver(patches: Patch[], origin: PatchOrigin): void {
    this.#carry(patches);
    for (const fn of this.#patchListeners) fn(patches, origin);
  }

  onPatches(fn: (patches: Patch[], origin: PatchOrigin) => void): () => void {
    this.#patchListeners.add(fn);
    return () => this.#patchListeners.delete(fn);
  }

  remoteSelections(): RemoteSelection[] {
    return this.remotes;
  }

  onSelections(fn: () => void): () => void {
    this.#selectionListeners.add(fn);
    return () => this.#selectionListeners.delete(fn);
  }
}

/** A replacement as it reads after another one that was made on the same text. */
function carried(patch: Patch, over: Patch, side: 'before' | 'after'): Patch {
  const at = mapOffset(patch.at, [over], side);
  const end = patch.deleted === 0 ? at : mapOffset(patch.at + patch.deleted, [over], 'before');
  return { at, deleted: Math.max(0, end - at), inserted: patch.inserted };
}
