/**
 * The engine as TypeScript sees it, and how it is loaded.
 *
 * The engine is the Rust crate `wasm-client`, compiled to WebAssembly; its `abi.rs` says what crosses and how. Offsets
 * at this surface count UTF-16 code units of the text the editor shows, except those of presence, which come from the
 * wire in Unicode scalar values. Texts must have no lone surrogates (`plain.ts` sees to it).
 */
import { decoder, encoder, fromField, toFields, upgraded } from './fields.js';
import type { OperationJson } from './protocol.js';
import type { Patch, Selection16 } from './types.js';

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

type Call = (...numbers: number[]) => number;
/** What the engine exports, besides its memory. */
type Name =
  | 'acknowledge' | 'break_undo_group' | 'edit' | 'edit_by_diff' | 'flags'
  | 'free' | 'hash' | 'hold' | 'new' | 'outstanding' | 'outstanding_seq'
  | 'presence' | 'raise_seq' | 'receive' | 'reject' | 'reset' | 'restore'
  | 'revision' | 'save' | 'selection' | 'set_presence' | 'set_selection'
  | 'take_patch_text' | 'take_patches' | 'take_submission' | 'text' | 'travel'
  | 'scratch';

let memory: WebAssembly.Memory;
let call: Record<Name, Call>;
let loading: Promise<void> | undefined;

/** Engines that are forgotten without `free`. */
const forgotten = new FinalizationRegistry<number>((id) => call.free(id));

/** Loads the engine once per page; after a failure the next call tries again. */
export function loadEngine(source?: string | URL | BufferSource): Promise<void> {
  const load = async () => {
    try {
      // Written so that bundlers see the file and ship it.
      const file = source ?? new URL('../wasm/wasm_client_bg.wasm', import.meta.url);
      const { exports } = await instantiate(file);
      call = exports as Record<Name, Call>;
      memory = exports.memory as WebAssembly.Memory;
    } catch (error) {
      loading = undefined;
      throw error;
    }
  };
  return (loading ??= load());
}

async function instantiate(file: string | URL | BufferSource): Promise<WebAssembly.Instance> {
  let bytes = file;
  if (typeof bytes === 'string' || bytes instanceof URL) {
    const response = await fetch(bytes);
    if (!response.ok) throw new Error(`the engine did not load from ${response.url}: ${response.status}`);
    // Browsers compile while they download, if the server names the type.
    if (response.headers.get('content-type') === 'application/wasm') {
      return (await WebAssembly.instantiateStreaming(response)).instance;
    }
    bytes = await response.arrayBuffer();
  }
  return (await WebAssembly.instantiate(bytes)).instance;
}

/** The engine's buffer, `length` bytes long. Calls into the engine make the view invalid. */
function scratch(length: number): Uint8Array<ArrayBuffer> {
  const at = call.scratch(length) >>> 0;
  return new Uint8Array(memory.buffer, at, length);
}

function write(bytes: Uint8Array): void {
  scratch(bytes.length).set(bytes);
}

const writeText = (text: string): void => write(encoder.encode(text));
const readText = (length: number): string => decoder.decode(scratch(length));
// Copied, for the buffer need not lie at a multiple of four.
const readNumbers = (length: number): Uint32Array => new Uint32Array(scratch(length).slice().buffer);

/** One document as one tab edits it. */
export class Engine {
  readonly #id: number;

  /** The server's text at a revision; submissions are numbered from `nextSeq`. */
  constructor(text: string, revision: number, nextSeq: number);
  /** @internal */
  constructor(id: number);
  constructor(text: string | number, revision?: number, nextSeq?: number) {
    if (typeof text === 'string') {
      writeText(text);
      this.#id = call.new(revision as number, nextSeq as number);
    } else {
      this.#id = text;
    }
    forgotten.register(this, this.#id, this);
  }

  /** What `export` has written, also that of an older build; without `keepPending` only the committed text. */
  static restore(state: string, keepPending: boolean): Engine | undefined {
    try {
      writeText(upgraded(state));
    } catch {
      return undefined;
    }
    const id = call.restore(+keepPending);
    return id === 0 ? undefined : new Engine(id);
  }

  /** No other method may be called after this. */
  free(): void {
    forgotten.unregister(this);
    call.free(this.#id);
  }

  /** Text, revision and pending work as one text. */
  export(): string {
    return readText(call.save(this.#id));
  }

  /** The text the editor shows. */
  text(): string {
    return readText(call.text(this.#id));
  }

  /** The latest revision taken in. */
  revision(): number {
    return call.revision(this.#id);
  }

  /** Hash of the text, 16 hexadecimal digits, comparable with the server's while nothing is pending. */
  hash(): string {
    return readText(call.hash(this.#id));
  }

  /** What holds now: a sum of `PENDING` and the others. */
  flags(): number {
    return call.flags(this.#id);
  }

  /** The editor has replaced `deleted` code units at `at`. With `widen`, ends inside a character take it in whole. */
  edit(at: number, deleted: number, inserted: string, now: number, widen: boolean): number {
    writeText(inserted);
    return call.edit(this.#id, at, deleted, now, +widen);
  }

  /** The editor shows `text` now; a negative `caret` is unknown. Whether anything has changed. */
  editByDiff(text: string, caret: number, now: number): boolean {
    writeText(text);
    return call.edit_by_diff(this.#id, caret, now) !== 0;
  }

  /** Takes back the last own edits, or with `redo` the last undo; where the caret goes, -1 when there was nothing. */
  travel(redo: boolean): number {
    return call.travel(this.#id, +redo);
  }

  /** The next edit begins a new undo step. */
  breakUndoGroup(): void {
    call.break_undo_group(this.#id);
  }

  /** Patches wait from now on, or are handed over. */
  hold(wait: boolean): void {
    call.hold(this.#id, +wait);
  }

  /** This person's selection; none when `anchor` is negative. */
  setSelection(anchor: number, head: number): void {
    call.set_selection(this.#id, anchor, head);
  }

  /** This person's selection as JSON of the protocol. */
  selection(): string {
    return readText(call.selection(this.#id));
  }

  /** A committed operation of somebody else that leads to a revision. */
  receive(operation: OperationJson, revision: number): number {
    writeText(toFields(operation));
    return call.receive(this.#id, revision);
  }

  /** The outstanding submission is committed. */
  acknowledge(seq: number, revision: number): number {
    return call.acknowledge(this.#id, seq, revision);
  }

  /** The outstanding submission is refused for good; its text, or nothing when there is none. */
  reject(seq: number): string {
    return readText(call.reject(this.#id, seq));
  }

  /** Continues from the server's text; what was pending becomes a new submission. */
  reset(text: string, revision: number, lastSeq: number): number {
    writeText(text);
    return call.reset(this.#id, revision, lastSeq);
  }

  /** Submissions are numbered above this from now on. */
  raiseSeq(lastSeq: number): void {
    call.raise_seq(this.#id, lastSeq);
  }

  /** Freezes what may be sent: 0 nothing, `WHOLE` all pending edits, 2 a part of them. */
  takeSubmission(componentsMax: number, textBytesMax: number): number {
    return call.take_submission(this.#id, componentsMax, textBytesMax);
  }

  /** The outstanding submission's number, 0 when there is none. */
  outstandingSeq(): number {
    return call.outstanding_seq(this.#id);
  }

  /** The outstanding submission's fields as JSON without the braces, the same every time. There must be one. */
  outstanding(): string {
    const [seq, rev, ranges, ...op] = readText(call.outstanding(this.#id)).split('\0');
    return `"seq":${seq},"rev":${rev},"op":${JSON.stringify(op.map(fromField))}${ranges && `,"ranges":${ranges}`}`;
  }

  /** A remote session's selections, anchor and head in turn, in characters at the revision; none when it has gone. */
  setPresence(session: number, ranges: Uint32Array): void {
    write(new Uint8Array(ranges.buffer, ranges.byteOffset, ranges.byteLength));
    call.set_presence(this.#id, session);
  }

  /** Changes for the editor: `at`, `deleted`, length of the inserted text, over and over. */
  takePatches(): Uint32Array {
    return readNumbers(call.take_patches(this.#id));
  }

  /** The inserted texts of the patches taken last, end to end. */
  takePatchText(): string {
    return readText(call.take_patch_text(this.#id));
  }

  /** Remote selections: session, count, then anchor and head of each. */
  presence(): Uint32Array {
    return readNumbers(call.presence(this.#id));
  }
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
