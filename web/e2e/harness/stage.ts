// What a file of tests needs from its first test to its last: one browser, one server, ended whatever happens.
import { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchBrowser } from './browser';
import { type Server, startServer } from './server';

export interface Stage {
  browser: Browser;
  server: Server;
}

/** Call at the head of a file; the fields are filled before its first test. */
export function prepareStage(flags: string[] = []): Stage {
  const stage: Partial<Stage> = {};
  before(async () => {
    stage.browser = await launchBrowser();
    stage.server = await startServer(flags);
  });
  after(async () => {
    await stage.browser?.close();
    await stage.server?.remove();
  });
  return stage as Stage;
}
