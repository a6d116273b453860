/**
 * Who may use a client id: one tab at a time. Two tabs with one id would number different edits alike.
 *
 * Web Locks do this exactly; the browser releases them with the tab. They exist in secure contexts only, so for plain
 * http there are leases in `localStorage`, renewed by a timer.
 *
 * # Limitations
 * A lease of a tab that the system froze for longer than `LEASE_MS` looks free. The tab notices when it wakes
 * (`lost`), and stops.
 */
import type { Host } from './host.js';

export interface Lock {
  release(): void;
}

export interface Locks {
  /** Null when another tab holds the name, after waiting at most `waitMs` for it. */
  acquire(name: string, waitMs: number, lost: () => void): Promise<Lock | null>;
}

/** Browsers slow the timers of hidden tabs down to one a minute. */
const LEASE_MS = 150_000;
const RENEW_MS = 20_000;
const POLL_MS = 50;

export function browserLocks(host: Host): Locks {
  const manager = typeof navigator === 'undefined' ? undefined : (navigator as { locks?: LockManager }).locks;
  if (manager) return webLocks(manager, host);
  try {
    return leaseLocks(localStorage, host);
  } catch {
    return soleLocks();
  }
}

export function webLocks(manager: LockManager, host: Host): Locks {
  return {
    acquire: (name, waitMs) =>
      new Promise((resolve) => {
        const abort = new AbortController();
        const timer = waitMs > 0 ? host.setTimeout(() => abort.abort(), waitMs) : undefined;
        const hold = (lock: unknown) => {
          host.clearTimeout(timer);
          if (lock) return new Promise<void>((release) => resolve({ release }));
          resolve(null);
          return undefined;
        };
        const options = waitMs > 0 ? { signal: abort.signal } : { ifAvailable: true };
        manager.request(name, options, hold).catch(() => resolve(null));
      }),
  };
}

/** Without tabs to share with (Node, blocked storage) every name is free to its first taker. */
export function soleLocks(): Locks {
  const taken = new Set<string>();
  return {
    acquire: (name) => {
      if (taken.has(name)) return Promise.resolve(null);
      taken.add(name);
      return Promise.resolve({ release: () => void taken.delete(name) });
    },
  };
}

/** Locks as entries `<owner> <valid until>` of a storage that all tabs share. */
export function leaseLocks(storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>, host: Host): Locks {
  const owner = host.uuid();
  const holder = (name: string): string | undefined => {
    const [who, until] = (storage.getItem(name) ?? '').split(' ');
    return Number(until) > host.now() ? who : undefined;
  };
  const write = (name: string) => {
    try {
      storage.setItem(name, `${owner} ${host.now() + LEASE_MS}`);
    } catch {
      // Full: nothing is taken, and what is held runs out.
    }
  };
  const held = new Set<string>();

  const keep = (name: string, lost: () => void): Lock => {
    held.add(name);
    let timer = host.setTimeout(renew, RENEW_MS);
    function renew(): void {
      const who = holder(name);
      if (who !== undefined && who !== owner) {
        stop();
        lost();
        return;
      }
      write(name);
      host.clearTimeout(timer);
      timer = host.setTimeout(renew, RENEW_MS);
    }
    const unlisten = [host.on('visible', renew), host.on('pagehide', () => storage.removeItem(name))];
    function stop(): void {
      held.delete(name);
      host.clearTimeout(timer);
      unlisten.forEach((fn) => fn());
    }
    return {
      release: () => {
        if (!held.has(name)) return;
        stop();
        storage.removeItem(name);
      },
    };
  };

  const pause = () => new Promise<void>((resolve) => void host.setTimeout(resolve, POLL_MS));
  return {
    acquire: async (name, waitMs, lost) => {
      const deadline = host.now() + waitMs;
      while (holder(name) !== undefined && host.now() < deadline) await pause();
      if (holder(name) !== undefined) return null;
      write(name);
      // Two tabs may have written at once: the later entry wins, and both see it after a pause.
      await pause();
      return holder(name) === owner && !held.has(name) ? keep(name, lost) : null;
    },
  };
}
