// Documents with a past: edits written through the socket of a window, one revision each, by the person of that window.
import type { Page } from 'playwright-core';
import type { Operation } from '../../src/lib/history/rope';

export const idOf = (address: string): string => new URL(address).pathname.split('/').at(-1) ?? '';

/** Commits operations one after the other; each was made for the text that the one before leaves. */
export async function commit(page: Page, id: string, operations: readonly Operation[]): Promise<void> {
  // The compiler names inner functions by a helper that the page does not have.
  await page.evaluate('globalThis.__name ??= (named) => named');
  const { revision: head } = (await (await page.request.get(new URL(`/api/documents/${id}`, page.url()).href)).json()) as { revision: number };
  await page.evaluate(
    ([doc, ops, head]) =>
      new Promise<void>((resolve, reject) => {
        const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/api/socket`, 'concord.v1');
        const client = crypto.randomUUID().replaceAll('-', '');
        let channel = 0;
        let revision = 0;
        let next = 0;
        const say = (message: object) => socket.send(JSON.stringify(message));
        const submit = () => {
          if (next < ops.length) return say({ type: 'submit', ch: channel, seq: next + 1, rev: revision, op: ops[next++] });
          socket.close();
          resolve();
        };
        socket.onopen = () => say({ type: 'join', doc, client });
        socket.onerror = () => reject(new Error('the socket failed'));
        socket.onmessage = ({ data }) => {
          const message = JSON.parse(String(data)) as { type: string; ch: number; rev: number; ops: { ack?: number; to?: number; check?: string }[] };
          if (message.type === 'joined') {
            channel = message.ch;
            revision = message.rev;
            if (revision >= head) submit();
          } else if (message.type === 'ops') {
            revision = message.rev;
            for (const entry of message.ops) revision = entry.check ? revision : (entry.to ?? revision + 1);
            // A join may be answered with an older text and what came after it.
            const caughtUp = next === 0 && revision >= head;
            if (caughtUp || message.ops.some((entry) => entry.ack !== undefined)) submit();
          } else if (message.type === 'reject' || message.type === 'error') {
            reject(new Error(String(data)));
          }
        };
      }),
    [id, operations, head] as const,
  );
}

/** Types `text` at an offset of a text of `length` characters, in pieces: the operations of that. */
export function typing(text: string, at: number, length: number, piece = 1): Operation[] {
  const chars = [...text];
  const operations: Operation[] = [];
  for (let done = 0; done < chars.length; done += piece) {
    const part = chars.slice(done, done + piece).join('');
    const before = at + done;
    const after = length + done - before;
    operations.push([...(before > 0 ? [before] : []), part, ...(after > 0 ? [after] : [])]);
  }
  return operations;
}

/** Numbers that look random and are the same in every run. */
export function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Moves the slider as a hand does, one place a frame, and measures from the last move until that text is drawn. */
export async function seekAndWait(page: Page, revisions: number[]): Promise<number> {
  await page.evaluate('globalThis.__name ??= (named) => named');
  return page.evaluate(async (places) => {
    const input = document.querySelector<HTMLInputElement>('input[type=range]')!;
    const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!;
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    let started = 0;
    for (const place of places) {
      await frame();
      started = performance.now();
      setValue.call(input, String(place));
      input.dispatchEvent(new Event('input', { bubbles: true }));
    }
    const label = `Text at revision ${places.at(-1)!.toLocaleString()}`;
    const deadline = started + 30_000;
    while (document.querySelector('.history-text')?.getAttribute('aria-label') !== label) {
      if (performance.now() > deadline) throw new Error(`${label} was not shown`);
      await frame();
    }
    return performance.now() - started;
  }, revisions);
}
