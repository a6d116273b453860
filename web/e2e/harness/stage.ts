// What a file of tests needs from its first test to its last: one browser, one server, ended whatever happens. With
// CONCORD_TRANSPORT=sse or =poll the browser reaches the server only through a proxy that lets nothing better through.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchBrowser } from './browser';
import { type Network, startNetwork } from './network';
import { type Server, startServer } from './server';

export interface Stage {
  browser: Browser;
  server: Server;
}

/** Call at the head of a file; the fields are filled before its first test. */
export function prepareStage(flags: string[] = []): Stage {
  const stage: Partial<Stage> = {};
  let network: Network | undefined;
  const transport = process.env.CONCORD_TRANSPORT ?? 'websocket';
  before(async () => {
    stage.browser = await launchBrowser();
    stage.server = await startServer(flags);
    if (transport === 'websocket') return;
    network = await startNetwork(stage.server.url);
    network.upgrades = 'refuse';
    network.streams = transport === 'poll' ? 'hold' : 'pass';
    stage.server = { ...stage.server, url: network.url };
  });
  after(async () => {
    await stage.browser?.close();
    await network?.close();
    await stage.server?.remove();
    if (!network) return;
    const { sockets, streams, polls, messages } = network.carried;
    assert.equal(sockets, 0, 'no WebSocket passed');
    const carried = `${transport} carried ${streams} streams, ${polls} polls, ${messages} requests with messages`;
    assert.ok(messages > 0 && (transport === 'poll' ? polls : streams) > 0, carried);
  });
  return stage as Stage;
}
