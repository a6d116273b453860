import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { type ConcordClient, createClient } from '../src/client.js';
import { type FiguresOf, watchFigures } from '../src/figures.js';
import { memoryStore } from '../src/storage.js';
import { ToyTopics } from './support/topic-server.js';
import { Tab, World } from './support/world.js';

function stage(): { world: World; server: ToyTopics; client: ConcordClient } {
  const world = new World();
  const server = new ToyTopics(world);
  const tab = new Tab(world);
  const client = createClient({ host: tab.host, locks: tab.locks, store: Promise.resolve(memoryStore()) });
  return { world, server, client };
}

const seconds = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ time_ms: from + index, people: 1, documents: 1, operations: 2 }));
const figures = (first: boolean, from: number, to: number, of: FiguresOf = 'server') => ({ type: 'figures', of, first, seconds: seconds(from, to), documents: [] });
const asked = (server: ToyTopics) => server.said.map((said) => said.type + ((said as { of?: string }).of ?? ''));

describe('figures', () => {
  it('begin with what was, go on with what is new, and keep fifteen minutes', async () => {
    const { world, server, client } = stage();
    const watched = watchFigures(client);
    let changes = 0;
    watched.subscribe(() => changes++);
    assert.equal(watched.view.state, 'waiting');
    await world.pass(500);
    server.broadcast(figures(false, 1, 2));
    assert.equal(watched.view.seconds.length, 0, 'more of what was never begun is not taken');
    server.broadcast(figures(true, 1, 898));
    server.broadcast(figures(false, 899, 901));
    assert.deepEqual([watched.view.state, watched.view.of, watched.view.seconds.length, changes], ['live', 'server', 900, 2]);
    assert.deepEqual([watched.view.seconds[0]?.time_ms, watched.view.seconds.at(-1)?.time_ms], [2, 901]);
    watched.close();
    await world.pass(500);
    assert.deepEqual([asked(server), server.connections], [['figures_open', 'figures_close'], 0]);
  });

  it('are asked for again after a lost connection, and stay in sight until then', async () => {
    const { world, server, client } = stage();
    const watched = watchFigures(client);
    await world.pass(500);
    server.broadcast(figures(true, 1, 3));
    server.cut();
    assert.deepEqual([watched.view.state, watched.view.seconds.length], ['waiting', 3]);
    await world.pass(40_000);
    server.broadcast(figures(true, 50, 50));
    assert.deepEqual([watched.view.state, watched.view.seconds.length], ['live', 1]);
    assert.deepEqual(asked(server), ['figures_open', 'figures_open']);
    watched.close();
  });

  it('are of what was asked for last, and of what is left when that is closed', async () => {
    const { world, server, client } = stage();
    const first = watchFigures(client, 'server');
    await world.pass(500);
    server.broadcast(figures(true, 1, 3));
    const second = watchFigures(client, 'own');
    await world.pass(10);
    server.broadcast(figures(false, 4, 4));
    assert.deepEqual([second.view.state, second.view.seconds.length], ['waiting', 0], 'what was on its way is of something else');
    server.broadcast(figures(true, 4, 5, 'own'));
    assert.deepEqual([first.view.of, second.view.seconds.length], ['own', 2]);
    second.close();
    await world.pass(10);
    assert.deepEqual(asked(server), ['figures_openserver', 'figures_openown', 'figures_openserver']);
    first.close();
  });

  it('that are refused for now are asked for again, those that are forbidden are not', async () => {
    const { world, server, client } = stage();
    const watched = watchFigures(client, 'server');
    await world.pass(500);
    server.broadcast({ type: 'figures_refused', code: 'overloaded' });
    assert.deepEqual([watched.view.state, watched.view.code], ['refused', 'overloaded']);
    await world.pass(6_000);
    assert.equal(asked(server).length, 2);
    server.broadcast({ type: 'figures_refused', code: 'forbidden' });
    await world.pass(60_000);
    assert.equal(asked(server).length, 2);
    watched.close();
  });
});
