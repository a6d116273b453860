// A real collab-server on a free port with its own folder: started, killed without warning, started again.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { OUT } from './app';
import { until } from './browser';

export const PROGRAM = process.env.CONCORD_SERVER ?? path.resolve(import.meta.dirname, '../../../target/debug/collab-server');

export interface Server {
  readonly url: string;
  /** SIGKILL: no goodbye, nothing flushed. */
  kill(): Promise<void>;
  /** On the same port, with the same data. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

const isReady = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(`${url}/health/ready`)).ok;
  } catch {
    return false;
  }
};

/** Starts a server and waits until it is ready. `flags` are further settings. */
export async function startServer(flags: string[] = []): Promise<Server> {
  if (!existsSync(PROGRAM)) throw new Error(`no server at ${PROGRAM}: run "cargo build -p collab-server", or set CONCORD_SERVER`);
  const folder = mkdtempSync(path.join(tmpdir(), 'concord-e2e-'));
  const log = path.join(folder, 'server.log');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const settings = ['--listen', `127.0.0.1:${port}`, '--database', `sqlite:${path.join(folder, 'concord.db')}`, '--web-dir', OUT];
  let child: ChildProcess | null = null;

  const start = async () => {
    const output = openSync(log, 'a');
    const started = spawn(PROGRAM, [...settings, ...flags], { cwd: folder, stdio: ['ignore', output, output] });
    child = started;
    await until(`the server at ${url} is ready`, async () => {
      if (started.exitCode !== null) throw new Error(`the server ended:\n${readFileSync(log, 'utf8').slice(-4000)}`);
      return isReady(url);
    });
  };
  const kill = async () => {
    const running = child;
    child = null;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  };
  const remove = async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  await start();
  return { url, kill, start, remove };
}
