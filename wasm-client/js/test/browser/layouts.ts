/**
 * Which layouts a trace of the browser holds, and whose they are: a layout (or a computing of styles) that began while
 * a script ran was asked for by the script; any other is the browser's own, which it does once for each frame and, for
 * a person's key, inside the key itself.
 */

/** Milliseconds between two marks. */
export interface Layouts {
  /** Begun because a script asked for something that depends on it. */
  forced: number;
  /** As much of it as began inside the script's function of the given name. */
  within: number;
  /** Begun by the browser. */
  own: number;
}

/** What a trace must be asked for. */
export const CATEGORIES = [
  '-*', 'devtools.timeline', 'disabled-by-default-devtools.timeline', 'disabled-by-default-devtools.timeline.stack',
  'blink.user_timing',
];

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Microseconds. */
  ts: number;
  dur?: number;
  args: { beginData?: { stackTrace?: { functionName: string }[] } };
}

const LAYOUT = /^(Layout|UpdateLayoutTree)$/;

/** One entry for each pair of marks `begin` and `end`, in their order. */
export function layoutsIn(trace: Buffer, begin: string, end: string, within: string): Layouts[] {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const marks = traceEvents.filter(({ name, ph }) => (name === begin || name === end) && /^[IRn]$/.test(ph)).sort((a, b) => a.ts - b.ts);
  const first = marks[0];
  const layouts = traceEvents.filter(({ name, pid, tid }) => LAYOUT.test(name) && pid === first?.pid && tid === first.tid);
  return marks.flatMap((mark, index) => {
    const until = marks[index + 1];
    if (mark.name !== begin || until?.name !== end) return [];
    const sum = { forced: 0, within: 0, own: 0 };
    for (const { ts, dur = 0, args } of layouts) {
      if (ts < mark.ts || ts >= until.ts) continue;
      const stack = args.beginData?.stackTrace;
      sum[stack ? 'forced' : 'own'] += dur / 1_000;
      if (stack?.some(({ functionName }) => functionName === within)) sum.within += dur / 1_000;
    }
    return [sum];
  });
}
