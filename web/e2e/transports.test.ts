// Networks that break WebSockets: the editor works over what is left, and comes back to a WebSocket by itself.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { until } from './harness/browser';
import { caretAfter, converged, makeDocument, openEditor, run, saved, textOf, type } from './harness/editor';
import { type Network, startNetwork } from './harness/network';
import { prepareStage } from './harness/stage';

const stage = prepareStage();

describe('a network that breaks WebSockets', () => {
  let network: Network;
  before(async () => {
    network = await startNetwork(stage.server.url);
  });
  after(() => network.close());

  /** A document seen through the network, and by somebody whose network is good. */
  async function twoWindows(text: string) {
    const direct = await makeDocument(stage.server.url, { text });
    const through = network.url + new URL(direct).pathname;
    const [ada, ben] = await Promise.all([openEditor(stage.browser, through), openEditor(stage.browser, direct)]);
    const close = async () => {
      assert.deepEqual([...ada.faults, ...ben.faults], []);
      await Promise.all([ada.context.close(), ben.context.close()]);
    };
    return { ada, ben, close };
  }

  it('is written through over a stream, and left for a WebSocket in mid-typing, with nothing lost or doubled', async () => {
    network.upgrades = 'refuse';
    network.streams = 'pass';
    const before = { ...network.carried };
    const { ada, ben, close } = await twoWindows('ada: \nben: ');
    assert.ok(network.carried.streams > before.streams);
    assert.equal(network.carried.sockets, before.sockets);
    await caretAfter(ada.page, 'ada: ');
    await caretAfter(ben.page, 'ben: ');
    const typing = Promise.all([type(ada.page, run('A', 400), 20), type(ben.page, run('b', 400), 20)]);
    await until('half of it is there', async () => (await textOf(ben.page)).includes(run('A', 100)));
    assert.equal(network.carried.sockets, before.sockets);
    network.upgrades = 'pass';
    // Else it would be tried in half a minute.
    await ada.page.evaluate(() => window.dispatchEvent(new Event('online')));
    await until('a WebSocket carries it', () => network.carried.sockets > before.sockets);
    assert.notEqual((await textOf(ada.page)).length, 'ada: \nben: '.length + 800, 'they are still typing');
    await typing;
    assert.equal(await converged(ada.page, ben.page), `ada: ${run('A', 400)}\nben: ${run('b', 400)}`);
    const { messages } = network.carried;
    await caretAfter(ada.page, 'ada: ');
    await type(ada.page, 'more ');
    await saved(ada.page);
    assert.equal(network.carried.messages, messages, 'nothing goes over HTTP any more');
    await close();
  });

  it('is polled through where it keeps streams back, and a reload remembers that', async () => {
    network.upgrades = 'refuse';
    network.streams = 'hold';
    const before = { ...network.carried };
    const { ada, ben, close } = await twoWindows('ada: \nben: ');
    assert.ok(network.carried.polls > before.polls);
    await caretAfter(ada.page, 'ada: ');
    await caretAfter(ben.page, 'ben: ');
    await Promise.all([type(ada.page, run('A', 200)), type(ben.page, run('b', 200))]);
    const text = `ada: ${run('A', 200)}\nben: ${run('b', 200)}`;
    assert.equal(await converged(ada.page, ben.page), text);
    const { streams } = network.carried;
    await ada.page.reload();
    await until('the text is back', async () => (await textOf(ada.page)) === text);
    await caretAfter(ada.page, run('A', 200));
    await type(ada.page, ' again');
    await saved(ada.page);
    assert.equal(network.carried.streams, streams, 'no stream is tried again');
    await close();
  });

  it('that lets upgrades hang costs one attempt', async () => {
    network.upgrades = 'hang';
    network.streams = 'pass';
    const direct = await makeDocument(stage.server.url, { text: 'here' });
    const { context, page } = await openEditor(stage.browser, network.url + new URL(direct).pathname);
    assert.equal(await textOf(page), 'here');
    await caretAfter(page, 'here');
    await type(page, ' and there');
    await saved(page);
    await context.close();
  });
});
