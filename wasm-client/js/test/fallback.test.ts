import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Connection, type ConnectionUser } from '../src/connection.js';
import { BACK_MAX_MS, BACK_MIN_MS } from '../src/fallback.js';
import { EventReader } from '../src/fallback/events.js';
import { FIRST_BYTE_MS } from '../src/fallback/http-socket.js';
import type { ServerMessage } from '../src/protocol.js';
import type { ConnectionState, Transport } from '../src/types.js';
import { HttpFront } from './support/http-front.js';
import { Stage } from './support/stage.js';
import { type FakeSocket, Tab, World } from './support/world.js';

const WELCOME = {
  type: 'welcome',
  user: { id: 'g_1', name: 'Quiet Otter', color: 3 },
  limits: { message_bytes_max: 262_144, text_bytes_max: 32_768, components_max: 1_000 },
  heartbeat_ms: 30_000,
};

interface Options {
  token?: () => Promise<string>;
  transports?: Transport[];
  memory?: Map<string, string>;
}

/** A network without WebSockets in front of a server that welcomes and answers pings. */
function start({ token, transports, memory }: Options = {}) {
  const world = new World();
  const tab = new Tab(world, memory);
  const serve = (socket: FakeSocket) =>
    queueMicrotask(() => {
      socket.onsent = (frame) => {
        const message = JSON.parse(frame) as { type: string; t?: number; token?: string };
        if (message.type === 'ping') queueMicrotask(() => socket.deliver({ type: 'pong', t: message.t }));
        if (message.type === 'auth' && message.token === 'bad') queueMicrotask(() => socket.drop(4401));
        else if (message.type === 'auth') socket.deliver(WELCOME);
      };
      socket.establish();
      if (!token) socket.deliver(WELCOME);
    });
  const front = new HttpFront(world, serve);
  const connection = new Connection({ host: tab.host, token, transports });
  const heard: string[] = [];
  const messages: ServerMessage[] = [];
  const user: ConnectionUser = {
    opened: () => heard.push('opened'),
    closed: () => heard.push('closed'),
    message: (message) => messages.push(message),
  };
  return { world, tab, front, serve, connection, user, heard, messages };
}

/** Time passes until the connection is carried by this. The module comes from the disk, in real time. */
async function carriedBy({ world, connection }: { world: World; connection: { state: ConnectionState } }, transport: Transport, ms = 60_000): Promise<void> {
  const end = world.time + ms;
  const isThere = () => connection.state.state === 'connected' && connection.state.transport === transport;
  while (!isThere() && world.time < end) await world.pass(100);
  assert.equal(connection.state.transport, transport, JSON.stringify(connection.state));
}

describe('where WebSockets do not pass', () => {
  test('two attempts without a welcome bring in a stream, and messages pass in order', async () => {
    const stage = start();
    stage.connection.attach(stage.user);
    await carriedBy(stage, 'sse');
    assert.ok(stage.tab.sockets.length >= 2);
    for (let t = 0; t < 20; t++) stage.connection.send({ type: 'ping', t });
    stage.connection.send({ type: 'leave', ch: 1 });
    await stage.world.pass(1_000);
    assert.ok((stage.connection.state.latencyMs ?? -1) >= 0);
    const batches = stage.front.asked.filter(({ path }) => path === '/messages').map(({ body }) => body.split('\n').length);
    assert.ok(Math.max(...batches) > 5, `what waits goes together: ${batches.join()}`);
  });

  test('a hanging attempt is enough', async () => {
    const stage = start();
    stage.world.accept = () => undefined;
    stage.connection.attach(stage.user);
    await carriedBy(stage, 'sse', 20_000);
  });

  test('a proxy that keeps streams back is found out, and polls are used', async () => {
    const stage = start();
    stage.front.holdsStreams = true;
    stage.connection.attach(stage.user);
    await carriedBy(stage, 'poll', 20_000 + FIRST_BYTE_MS);
    await stage.world.pass(60_000);
    assert.deepEqual(stage.heard, ['opened']);
  });

  test('a stream that is cut after every event loses and doubles nothing', async () => {
    const stage = start();
    stage.front.cutsStreamsAfter = 1;
    stage.connection.attach(stage.user);
    await carriedBy(stage, 'sse');
    for (const event of ['one', 'two', 'three', 'four']) {
      stage.front.broadcast({ type: event });
      await stage.world.pass(50);
    }
    await stage.world.pass(5_000);
    assert.deepEqual(stage.messages.map(({ type }): string => type), ['one', 'two', 'three', 'four']);
    assert.deepEqual(stage.heard, ['opened']);
  });

  test('messages whose answers are lost are sent again and taken once', async () => {
    const stage = start();
    stage.connection.attach(stage.user);
    await carriedBy(stage, 'sse');
    await stage.world.pass(100);
    stage.front.losesAnswers = 3;
    for (const ch of [1, 2, 3]) stage.connection.send({ type: 'leave', ch });
    await stage.world.pass(10_000);
    const sent = stage.front.sockets.flatMap((socket) => socket.messages).filter(({ type }) => type === 'leave');
    assert.deepEqual(sent.map(({ ch }) => ch), [1, 2, 3]);
    assert.deepEqual(stage.heard, ['opened']);
  });

  test('a token is the first message there too, and a refused one ends it', async () => {
    const tokens = ['good', 'bad', 'bad', 'bad'];
    const stage = start({ token: () => Promise.resolve(tokens.shift() ?? 'bad'), transports: ['sse', 'poll'] });
    stage.connection.attach(stage.user);
    await carriedBy(stage, 'sse');
    stage.front.drop(1012);
    await stage.world.pass(600_000);
    assert.deepEqual(stage.connection.state, { state: 'closed', code: 'unauthenticated' });
  });

  test('a session that the server has forgotten is replaced by a new one', async () => {
    const stage = start();
    stage.connection.attach(stage.user);
    await carriedBy(stage, 'sse');
    stage.front.forget();
    await stage.world.pass(20_000);
    await carriedBy(stage, 'sse');
    assert.deepEqual(stage.heard, ['opened', 'closed', 'opened']);
  });

  test('a request that reaches a server which does not know the session costs less than a second', async () => {
    const stage = start();
    stage.connection.attach(stage.user);
    await carriedBy(stage, 'sse');
    await stage.world.pass(6_000);
    stage.front.forget();
    stage.connection.send({ type: 'leave', ch: 1 });
    await stage.world.pass(900);
    assert.deepEqual(stage.heard, ['opened', 'closed', 'opened']);
  });

  test('who closes tells the server, and leaves no timer behind', async () => {
    const stage = start();
    stage.connection.attach(stage.user);
    await carriedBy(stage, 'sse');
    stage.connection.close();
    await stage.world.pass(10);
    assert.equal(stage.front.open, 0);
    assert.deepEqual(stage.world.waiting, []);
  });
});

describe('coming back to WebSockets', () => {
  test('a network that lets them through again is noticed, and the welcomed socket is used', async () => {
    const stage = start();
    stage.connection.attach(stage.user);
    await carriedBy(stage, 'sse');
    const before = stage.tab.sockets.length;
    stage.world.accept = stage.serve;
    await carriedBy(stage, 'websocket', 2 * BACK_MIN_MS);
    assert.equal(stage.tab.sockets.length, before + 1, 'one socket was opened for it');
    assert.equal(stage.front.open, 0, 'the session was ended');
    assert.deepEqual(stage.heard, ['opened', 'closed', 'opened']);
    await stage.world.pass(60_000);
    assert.deepEqual(stage.heard.length, 3, 'it stays there');
    assert.equal(stage.tab.memory.get('concord-transport'), '');
  });

  test('a token opens it before anybody leaves what works', async () => {
    let asked = 0;
    const stage = start({ token: () => Promise.resolve(`token ${++asked}`) });
    stage.connection.attach(stage.user);
    await carriedBy(stage, 'sse');
    stage.world.accept = stage.serve;
    await carriedBy(stage, 'websocket', 2 * BACK_MIN_MS);
    const auths = stage.tab.sockets.at(-1)?.messages.filter(({ type }) => type === 'auth');
    assert.equal(auths?.length, 1, 'it says who it is once');
  });

  test('attempts come at growing intervals, and disturb nobody', async () => {
    const stage = start();
    stage.connection.attach(stage.user);
    await carriedBy(stage, 'sse');
    const before = stage.tab.sockets.length;
    await stage.world.pass(2 * 3_600_000);
    const attempts = stage.tab.sockets.length - before;
    assert.ok(attempts >= 7_200_000 / (1.25 * BACK_MAX_MS) && attempts <= 20, `${attempts} attempts in two hours`);
    assert.deepEqual(stage.heard, ['opened']);
    assert.equal(stage.front.count('POST', ''), 1);
  });

  test('sockets that open and stay silent are left alone', async () => {
    const stage = start();
    stage.world.accept = (socket) => queueMicrotask(() => socket.establish());
    stage.connection.attach(stage.user);
    await carriedBy(stage, 'sse', 40_000);
    await stage.world.pass(300_000);
    assert.equal(stage.connection.state.transport, 'sse');
    assert.deepEqual(stage.heard, ['opened']);
  });

  test('a server that was away is met over a WebSocket again', async () => {
    const stage = start();
    const { answer } = stage.world;
    stage.world.answer = () => Promise.reject(new TypeError('nobody there'));
    stage.connection.attach(stage.user);
    await stage.world.pass(60_000);
    [stage.world.answer, stage.world.accept] = [answer, stage.serve];
    await stage.world.pass(40_000);
    assert.equal(stage.connection.state.state, 'connected');
    await carriedBy(stage, 'websocket', 2 * BACK_MIN_MS);
  });
});

describe('what may be used', () => {
  test('what worked is remembered for the tab', async () => {
    const stage = start();
    stage.connection.attach(stage.user);
    await carriedBy(stage, 'sse');
    const reloaded = start({ memory: new Map(stage.tab.memory) });
    reloaded.connection.attach(reloaded.user);
    await carriedBy(reloaded, 'sse', 1_000);
    assert.equal(reloaded.tab.sockets.length, 0, 'no WebSocket was tried');
  });

  test('the application may name it', async () => {
    for (const transport of ['sse', 'poll'] as const) {
      const stage = start({ transports: [transport] });
      stage.world.accept = stage.serve;
      stage.connection.attach(stage.user);
      await carriedBy(stage, transport, 1_000);
      await stage.world.pass(2 * BACK_MAX_MS);
      assert.equal(stage.tab.sockets.length, 0, transport);
    }
    const stage = start({ transports: ['websocket'] });
    stage.connection.attach(stage.user);
    await stage.world.pass(120_000);
    assert.equal(stage.front.asked.length, 0);
    assert.notEqual(stage.connection.state.state, 'connected');
  });
});

test('a person types on while the way changes, and nothing is lost or doubled', async () => {
  const stage = new Stage('');
  const { world } = stage;
  const accept = world.accept;
  new HttpFront(world, accept);
  world.accept = (socket) => queueMicrotask(() => socket.drop(1006));
  const ada = await stage.open();
  await carriedBy({ world, connection: { get state() { return ada.client.connection; } } }, 'sse');
  const words: string[] = [];
  for (let word = 0; word < 200; word++) {
    words.push(`${word} `);
    ada.editor.type(`${word} `);
    if (word === 50) world.accept = accept;
    await world.pass(400);
  }
  await stage.quiet(ada);
  assert.equal(stage.server.text, words.join(''));
  assert.equal(ada.client.connection.transport, 'websocket');
});

describe('the reader of events', () => {
  const stream = ': concord\n\nid: 1\ndata: {"a":"\\n\\n"}\n\n:\n\nid: 2\ndata: {"é":"😀"}\n\nevent: close\ndata: {"code":1012}\n\n';
  const expected = [{ id: 1, data: '{"a":"\\n\\n"}' }, { id: 2, data: '{"é":"😀"}' }, { close: 1012 }];

  test('finds them however the stream is cut', () => {
    for (let size = 1; size <= stream.length; size++) {
      const reader = new EventReader();
      const found = [];
      for (let at = 0; at < stream.length; at += size) found.push(...reader.push(stream.slice(at, at + size)));
      assert.deepEqual(found, expected, `pieces of ${size}`);
    }
  });

  test('joins a long event once', () => {
    const reader = new EventReader();
    const piece = 'x'.repeat(16_384);
    reader.push('id: 1\ndata: ');
    for (let n = 0; n < 512; n++) assert.deepEqual(reader.push(piece), []);
    const [event] = reader.push('\n\n');
    assert.ok(event && 'data' in event && event.data.length === 512 * 16_384);
  });
});
