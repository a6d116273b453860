/** Watches an engine: what it is asked and what it answers goes into a log. Reading it leaves no trace. */
import type { Engine } from '../engine.js';
import type { OperationJson } from '../protocol.js';
import { difference } from '../textarea/splice.js';
import type { Claims, Log } from './log.js';

type Asked = [kind: string, fields: object, claims?: Claims];

/** Fields that are left out where they say the usual. */
const unless = (usual: unknown, name: string, value: unknown): object => (value === usual ? {} : { [name]: value });

/** What of the engine is watched: the event that a call is, told once it has been answered. */
function watched(engine: Engine, log: Log, since: () => number): Record<string, (...args: never[]) => (answer: never) => Asked | undefined> {
  const time = (now: number): number => Math.trunc(now - since());
  const travelled = (redo: boolean) => (caret: number): Asked => [redo ? 'redo' : 'undo', { caret }, 'claims'];
  return {
    edit: (at: number, deleted: number, inserted: string, now: number, widen: boolean) => (answer: number) =>
      ['edit', { at, deleted, inserted, now: time(now), ...unless(false, 'widen', widen), ...unless(0, 'answer', answer) }, 'claims'],
    editByDiff: (text: string, caret: number, now: number) => {
      // Two texts would fill the log; the change between them says the same.
      const patch = difference(engine.text(), text, caret < 0 ? undefined : caret) ?? { at: 0, deleted: 0, inserted: '' };
      return (changed: boolean) => ['diff', { ...patch, caret, now: time(now), changed }, 'claims'];
    },
    travel: (redo: boolean) => travelled(redo),
    breakUndoGroup: () => () => ['break', {}],
    hold: (wait: boolean) => () => [wait ? 'hold' : 'release', {}, 'claims'],
    setSelection: (anchor: number, head: number) => () => ['select', { anchor, head }],
    takeSubmission: (components: number, bytes: number) => (answer: number) =>
      answer === 0 ? undefined : ['freeze', { components, bytes, answer }, 'claims'],
    receive: (operation: OperationJson, to: number) => {
      const expected = JSON.stringify(operation) === log.coming.ops.shift();
      return (answer: number) => ['receive', { to, ...(!expected && { op: operation }), ...unless(0, 'answer', answer) }, 'claims'];
    },
    acknowledge: (seq: number, to: number) => (answer: number) => ['ack', { seq, to, ...unless(0, 'answer', answer) }, 'claims'],
    reject: (seq: number) => () => ['reject', { seq }, 'claims'],
    reset: (text: string, to: number, last: number) => {
      const other = text === log.coming.text ? {} : { text };
      return (answer: number) => ['reset', { to, last, ...other, ...unless(0, 'answer', answer) }, 'claims'];
    },
    raiseSeq: (seq: number) => () => ['raise', { seq }, 'claims'],
  };
}

/** The event that a call has to be told as before it is made: for states that are due first. */
const KINDS: Record<string, string> = { travel: 'undo', breakUndoGroup: 'break', hold: 'hold', setSelection: 'select' };

/**
 * The same engine, watched. `since` is the wall clock's time from which times of edits are told; `ended` is called when
 * the engine is let go.
 */
export function tapped(engine: Engine, log: Log, since: () => number, ended: () => void): Engine {
  const notes = watched(engine, log, since);
  const calls = new Map<PropertyKey, unknown>();
  const call = (name: string, method: (...args: unknown[]) => unknown): unknown => {
    const note = notes[name] as ((...args: unknown[]) => (answer: unknown) => Asked | undefined) | undefined;
    if (name === 'free') {
      return () => {
        ended();
        method.call(engine);
      };
    }
    if (!note) return method.bind(engine);
    return (...args: unknown[]): unknown => {
      log.settle(KINDS[name] ?? name);
      const asked = note(...args);
      let answer: unknown;
      try {
        answer = method.apply(engine, args);
      } catch (error) {
        const [kind, fields] = asked(0) ?? [name, {}];
        log.add(kind, { ...fields, threw: true });
        log.keep('engine_broke');
        throw error;
      }
      const event = asked(answer);
      if (event) log.add(...event);
      return answer;
    };
  };
  return new Proxy(engine, {
    get(target, name) {
      const method = calls.get(name);
      if (method !== undefined) return method;
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function' || typeof name !== 'string') return value;
      const made = call(name, value as (...args: unknown[]) => unknown);
      calls.set(name, made);
      return made;
    },
  });
}
