// Reports of sessions: a server that tells a wrong check, and the program that plays a report.
import { spawnSync } from 'node:child_process';
import type { BrowserContext } from 'playwright-core';
import { PROGRAM } from './server';

export const WRONG_CHECK = 'badc0ffee0ddf00d';

/** Between page and server; once told to lie, the next check that comes through is another one. */
export async function liar(context: BrowserContext): Promise<{ lie(): void; lied(): boolean }> {
  let armed = false;
  let lied = false;
  await context.routeWebSocket(/\/api\/socket/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((message) => server.send(message));
    server.onMessage((message) => {
      const text = String(message);
      const changed = armed ? text.replace(/"check":"[0-9a-f]{16}"/, `"check":"${WRONG_CHECK}"`) : text;
      if (changed !== text) [armed, lied] = [false, true];
      socket.send(changed);
    });
  });
  return { lie: () => (armed = true), lied: () => lied };
}

export interface Played {
  code: number | null;
  outcome: Record<string, unknown>;
}

/** Gives a report to `collab-server replay-trace`. */
export function played(report: string): Played {
  const { status, stdout, stderr } = spawnSync(PROGRAM, ['replay-trace', '-'], { input: report, encoding: 'utf8' });
  if (stdout === '') throw new Error(`replay-trace said nothing on standard output: ${stderr}`);
  return { code: status, outcome: JSON.parse(stdout) as Record<string, unknown> };
}
