/**
 * The engine as TypeScript sees it, and how it is loaded.
 *
 * The engine is the Rust crate `wasm-client`, compiled to WebAssembly. Offsets at this surface count UTF-16 code
 * units of the text the editor shows, except those of presence, which come from the wire in Unicode scalar values.
 */
import initialise, { Engine } from '../wasm/wasm_client.js';
import type { Patch, Selection16 } from './types.js';

export { Engine };

/** What `edit`, `editByDiff`, `receive`, `acknowledge` and `reset` answer. */
export const OK = 0;
/** The edit starts or ends inside a surrogate pair; nothing has happened. */
export const INSIDE_PAIR = 1;

/** What `takeSubmission` answers. */
export const WHOLE = 1;

/** The sum `flags` answers is made of these. */
export const PENDING = 1;
export const OUTSTANDING = 2;
export const BUFFERED = 4;
export const UNDOABLE = 8;
export const REDOABLE = 16;
export const TELLS_SELECTION = 32;

let loading: Promise<void> | undefined;

/** Loads the engine once per page; after a failure the next call tries again. */
export function loadEngine(source?: string | URL): Promise<void> {
  const load = async () => {
    try {
      // Written so that bundlers see the file and ship it.
      const file = source ?? new URL('../wasm/wasm_client_bg.wasm', import.meta.url);
      await initialise({ module_or_path: file });
    } catch (error) {
      loading = undefined;
      throw error;
    }
  };
  return (loading ??= load());
}

/** Takes the changes that the editor has not seen yet. */
export function drain(engine: Engine): Patch[] {
  const numbers = engine.takePatches();
  if (numbers.length === 0) return [];
  const text = engine.takePatchText();
  const patches: Patch[] = [];
  let from = 0;
  for (let i = 0; i + 2 < numbers.length; i += 3) {
    const [at = 0, deleted = 0, length = 0] = numbers.subarray(i, i + 3);
    patches.push({ at, deleted, inserted: text.slice(from, (from += length)) });
  }
  return patches;
}

/** Remote selections by session number. */
export function selections(engine: Engine): Map<number, Selection16[]> {
  const numbers = engine.presence();
  const result = new Map<number, Selection16[]>();
  for (let i = 0; i < numbers.length; ) {
    const [session = 0, count = 0] = numbers.subarray(i, (i += 2));
    const ranges: Selection16[] = [];
    for (const end = i + 2 * count; i < end; i += 2) ranges.push({ anchor: numbers[i] ?? 0, head: numbers[i + 1] ?? 0 });
    result.set(session, ranges);
  }
  return result;
}
