import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { type ConcordClient, createClient } from '../src/client.js';
import { memoryStore } from '../src/storage.js';
import { onEvent, TellError, topic } from '../src/topics.js';
import { ToyTopics } from './support/topic-server.js';
import { Tab, World } from './support/world.js';

function stage(): { world: World; server: ToyTopics; client: ConcordClient } {
  const world = new World();
  const server = new ToyTopics(world);
  const tab = new Tab(world);
  const client = createClient({ host: tab.host, locks: tab.locks, store: Promise.resolve(memoryStore()) });
  return { world, server, client };
}

const refused = (code: string) => (error: unknown) => error instanceof TellError && error.code === code;

describe('a topic', () => {
  it('is heard by everybody on the page who wants it, over one watch, until the last one closes it', async () => {
    const { world, server, client } = stage();
    const heard: string[] = [];
    const [first, second] = [topic<number>(client, 'load'), topic<number>(client, 'load')];
    const end = first.subscribe((event) => heard.push(`first ${event.data}`));
    second.subscribe((event) => heard.push(`second ${event.data} ${event.name}`));
    assert.equal(first.state, 'waiting');
    await world.pass(500);
    assert.deepEqual([first.state, second.state, server.watched], ['watching', 'watching', ['load']]);
    server.tell('load', 1);
    end();
    server.tell('load', 2, 'cpu');
    first.close();
    first.close();
    server.tell('load', 3);
    assert.deepEqual(heard, ['first 1', 'second 1 message', 'second 2 cpu', 'second 3 message']);
    second.close();
    await world.pass(500);
    assert.deepEqual([server.watched, server.connections], [[], 0]);
    assert.equal(server.said.filter((said) => said.type === 'watch').length, 1);
  });

  it('is watched again after a lost connection', async () => {
    const { world, server, client } = stage();
    const board = topic(client, 'board:7');
    const states: string[] = [];
    board.onState(() => states.push(board.state));
    await world.pass(500);
    server.cut();
    assert.equal(board.state, 'waiting');
    await world.pass(40_000);
    assert.deepEqual([states, server.watched], [['watching', 'waiting', 'watching'], ['board:7']]);
    board.close();
  });

  it('is told something, which comes to oneself too and is answered', async () => {
    const { world, server, client } = stage();
    const board = topic<{ card: number }>(client, 'board');
    const heard: unknown[] = [];
    board.subscribe(({ name, data, by }) => heard.push([name, data, by]));
    await assert.rejects(board.tell({ card: 0 }), refused('not_connected'));
    await world.pass(500);
    await Promise.all([board.tell({ card: 1 }), board.tell({ card: 2 }, 'moved'), world.pass(10)]);
    assert.deepEqual(heard, [['message', { card: 1 }, 'g_me'], ['moved', { card: 2 }, 'g_me']]);
    server.refuse = 'forbidden';
    await Promise.all([assert.rejects(board.tell({ card: 3 }), refused('forbidden')), world.pass(10)]);
    server.silent = true;
    await Promise.all([assert.rejects(board.tell({ card: 4 }), refused('no_answer')), world.pass(11_000)]);
    const cut = assert.rejects(board.tell({ card: 5 }), refused('not_connected'));
    server.cut();
    await cut;
    board.close();
    await assert.rejects(board.tell({ card: 6 }), refused('closed'));
  });

  it('says when the server will not have it watched, and asks again after too much at once', async () => {
    const { world, server, client } = stage();
    server.refuse = 'too_many_topics';
    const board = topic(client, 'board');
    await world.pass(500);
    assert.equal(board.state, 'refused');
    board.close();
    await world.pass(10);
    server.refuse = 'slow_down';
    const load = topic(client, 'load');
    await world.pass(500);
    assert.equal(load.state, 'refused');
    await world.pass(1_000);
    assert.equal(load.state, 'watching');
    load.close();
  });

  it('tells how many events were lost', async () => {
    const { world, server, client } = stage();
    const board = topic(client, 'board');
    const missed: number[] = [];
    board.onMissed((events) => missed.push(events));
    await world.pass(500);
    server.broadcast({ type: 'missed', room: 'topic', topic: 'board', events: 12 });
    server.broadcast({ type: 'missed', room: 'topic', topic: 'other', events: 1 });
    assert.deepEqual(missed, [12]);
    board.close();
  });
});

describe('events of a back end', () => {
  it('come to a page that listens, and not to topics', async () => {
    const { world, server, client } = stage();
    const heard: unknown[] = [];
    const stop = onEvent<string>(client, ({ room, name, data }) => heard.push([room, name, data]));
    await world.pass(500);
    assert.equal(server.connections, 1);
    const event = { type: 'event', name: 'ready', data: 'x', id: 'e', time_ms: 5 };
    server.broadcast({ ...event, room: 'user' });
    server.broadcast({ ...event, room: 'tenant' });
    server.broadcast({ ...event, room: 'topic', topic: 'board' });
    assert.deepEqual(heard, [['user', 'ready', 'x'], ['tenant', 'ready', 'x']]);
    stop();
    await world.pass(500);
    assert.equal(server.connections, 0);
  });
});
