import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { backoffMs, DELAY_MAX_MS, DELAY_MIN_MS, MOVED_ATTEMPT } from '../src/backoff.js';
import { Connection, type ConnectionUser, socketUrl } from '../src/connection.js';
import '../src/fallback.js'; // here already, since these clocks do not wait for a disk
import { CLOSE_RETRY } from '../src/protocol.js';
import { type FakeSocket, Tab, World } from './support/world.js';

const WELCOME = {
  type: 'welcome',
  user: { id: 'g_1', name: 'Quiet Otter', color: 3 },
  limits: { message_bytes_max: 262_144, text_bytes_max: 32_768, components_max: 1_000 },
  heartbeat_ms: 30_000,
};

const silent: ConnectionUser = { opened: () => {}, closed: () => {}, message: () => {} };

/** A server that welcomes and answers pings; `welcomes` may be turned off. */
function start(token?: () => Promise<string>) {
  const world = new World();
  const tab = new Tab(world);
  const network = { welcomes: true, pongs: true };
  world.accept = (socket) =>
    queueMicrotask(() => {
      socket.onsent = (frame) => {
        const message = JSON.parse(frame) as { type: string; t?: number };
        if (message.type === 'ping' && network.pongs) queueMicrotask(() => socket.deliver({ type: 'pong', t: message.t }));
        if (message.type === 'auth') socket.deliver(WELCOME);
      };
      socket.establish();
      if (network.welcomes && !token) socket.deliver(WELCOME);
    });
  const connection = new Connection({ host: tab.host, token });
  const latest = (): FakeSocket => tab.sockets.at(-1) ?? assert.fail('no socket was opened');
  return { world, tab, network, connection, latest };
}

describe('backoff', () => {
  test('delays stay between half a second and half a minute and grow', () => {
    for (let attempt = 0; attempt < 50; attempt++) {
      for (const random of [0, 0.5, 0.999_999]) {
        const delay = backoffMs(attempt, random);
        assert.ok(delay >= DELAY_MIN_MS && delay <= DELAY_MAX_MS, `attempt ${attempt}: ${delay}`);
      }
    }
    assert.ok(backoffMs(0, 0.999) < backoffMs(1, 0.999) && backoffMs(1, 0.999) < backoffMs(2, 0.999));
    assert.equal(backoffMs(0, 0), DELAY_MIN_MS);
  });

  test('who is sent to another server asks sooner, and still at a moment of their own', () => {
    const least = [-3, -2, -1, 0].map((attempt) => backoffMs(attempt, 0));
    const most = [-3, -2, -1, 0].map((attempt) => backoffMs(attempt, 0.999_999));
    assert.equal(MOVED_ATTEMPT, -3);
    assert.deepEqual(least, [63, 125, 250, 500]);
    assert.deepEqual(most, [375, 750, 1_500, 3_000]);
  });

  test('a thousand clients of a restarted server spread: no tenth of a second holds more than 5 %', () => {
    const world = new World();
    const slots = new Map<number, number>();
    for (let client = 0; client < 1_000; client++) {
      const slot = Math.floor(backoffMs(0, world.random()) / 100);
      slots.set(slot, (slots.get(slot) ?? 0) + 1);
    }
    // 50 would be the promise to the server with many clients; 1,000 draws scatter by about 7 around 40.
    assert.ok(Math.max(...slots.values()) <= 65, `fullest slot: ${Math.max(...slots.values())}`);
  });
});

test('the socket address is derived from the page, a path, or a server address', () => {
  const page = 'https://app.example/d/abc?x=1#y';
  assert.equal(socketUrl(undefined, page), 'wss://app.example/api/socket');
  assert.equal(socketUrl('http://localhost:8080', page), 'ws://localhost:8080/api/socket');
  assert.equal(socketUrl('/?r=12ab', page), 'wss://app.example/api/socket?r=12ab');
  assert.equal(socketUrl('/collab', page), 'wss://app.example/collab');
  assert.equal(socketUrl('wss://docs.example/own/path', page), 'wss://docs.example/own/path');
});

describe('connection', () => {
  test('opens for its first user, names the subprotocol, measures latency, closes after the last', async () => {
    const { world, connection, latest } = start();
    assert.equal(connection.state.state, 'closed');
    const detach = connection.attach(silent);
    assert.equal(connection.state.state, 'connecting');
    await world.pass(10);
    assert.deepEqual(latest().protocols, ['concord.v1']);
    assert.equal(connection.state.state, 'connected');
    assert.equal(connection.state.latencyMs, 0);
    detach();
    assert.equal(connection.state.state, 'closed');
    assert.equal(latest().open, false);
    assert.deepEqual(world.waiting, [], 'no timer is left behind');
  });

  test('a token is the first message and is asked for anew on each connection', async () => {
    let asked = 0;
    const { world, connection, latest } = start(() => Promise.resolve(`token ${++asked}`));
    connection.attach(silent);
    await world.pass(10);
    assert.deepEqual(latest().messages[0], { type: 'auth', token: 'token 1' });
    assert.deepEqual(latest().protocols, ['concord.v1', 'concord.auth'], 'so that no cookie speaks first');
    latest().drop(1012);
    await world.pass(4_000);
    assert.deepEqual(latest().messages[0], { type: 'auth', token: 'token 2' });
    assert.equal(connection.state.state, 'connected');
  });

  test('a server that sends its clients to another one costs them less than half a second', async () => {
    const { world, tab, connection, latest } = start();
    connection.attach(silent);
    await world.pass(6_000);
    latest().drop(1012);
    await world.pass(380);
    assert.equal(connection.state.state, 'connected');
    assert.equal(tab.sockets.length, 2);
  });

  test('who is sent on after a second or more does not wait longer for it', async () => {
    const { world, tab, connection, latest } = start();
    connection.attach(silent);
    for (let round = 1; round <= 5; round++) {
      await world.pass(1_400);
      assert.equal(connection.state.state, 'connected');
      assert.equal(tab.sockets.length, round);
      latest().drop(1012);
    }
  });

  test('a connection that did not last is no reason to hurry, whatever it is closed with', async () => {
    const { world, tab, connection, latest } = start();
    connection.attach(silent);
    for (let round = 0; round < 20; round++) {
      await world.pass(10);
      if (connection.state.state === 'connected') latest().drop(1012);
      await world.pass(990);
    }
    assert.ok(tab.sockets.length <= 8, `${tab.sockets.length} sockets in 20 s`);
  });

  test('the server that one is sent to may be late, and that is no sign of a network without WebSockets', async () => {
    const { world, tab, connection, latest } = start();
    connection.attach(silent);
    await world.pass(6_000);
    const serve = world.accept;
    world.accept = (socket) => queueMicrotask(() => socket.drop(1006));
    latest().drop(1012);
    await world.pass(750);
    assert.ok(tab.sockets.length >= 3, 'it has asked again by then');
    world.accept = serve;
    await world.pass(1_500);
    assert.equal(connection.state.state, 'connected');
    assert.equal(connection.state.transport, 'websocket');
  });

  test('nothing is given to a socket that closes, and who sends is told so', async () => {
    let asked: (token: string) => void = () => undefined;
    const token = () => new Promise<string>((resolve) => (asked = resolve));
    const { world, connection, latest } = start(token);
    connection.attach(silent);
    await world.pass(10);
    asked('first');
    await world.pass(10);
    const { sent } = latest();
    const before = sent.length;
    assert.equal(connection.send({ type: 'ping', t: 1 }), true);
    assert.equal(sent.length, before + 1);
    latest().closing = true;
    assert.equal(connection.send({ type: 'ping', t: 2 }), false);
    latest().drop(4401);
    await world.pass(4_000);
    latest().closing = true;
    asked('second, too late');
    await world.pass(10);
    assert.deepEqual(latest().sent, []);
    assert.notEqual(connection.state.state, 'connected');
  });

  test('refused tokens end in a closed connection, not in a loop', async () => {
    const { world, tab, connection } = start(() => Promise.resolve('bad'));
    world.accept = (socket) =>
      queueMicrotask(() => {
        socket.establish();
        queueMicrotask(() => socket.drop(4401));
      });
    connection.attach(silent);
    await world.pass(600_000);
    assert.equal(tab.sockets.length, 3);
    assert.deepEqual(connection.state, { state: 'closed', code: 'unauthenticated' });
  });

  test('a token that runs out is followed by a fresh one on the same connection', async () => {
    const lifetimes = [600, 60, 600];
    const tokens: string[] = [];
    let now = () => 0;
    let fails = false;
    const token = () => {
      if (fails) return Promise.reject(new Error('the host page does not answer'));
      const exp = now() / 1000 + (lifetimes[tokens.length] ?? 600);
      const payload = Buffer.from(JSON.stringify({ sub: 'zoë?>', exp })).toString('base64url');
      tokens.push(`e30.${payload}.c2ln`);
      return Promise.resolve(tokens.at(-1) ?? '');
    };
    const { world, tab, connection, latest } = start(token);
    now = () => tab.host.now();
    connection.attach(silent);
    await world.pass(299_000);
    assert.equal(tokens.length, 1);
    await world.pass(1_500);
    assert.equal(tokens.length, 2, 'half way');
    await world.pass(31_000);
    assert.deepEqual(latest().messages.filter(({ type }) => type === 'auth'), tokens.map((each) => ({ type: 'auth', token: each })));
    assert.equal(tokens.length, 3);
    fails = true;
    await world.pass(400_000);
    assert.deepEqual([tab.sockets.length, connection.state.state], [1, 'connected'], 'without a fresh one it goes on until the server ends it');
    fails = false;
    latest().drop(4401);
    await world.pass(4_000);
    assert.deepEqual([tab.sockets.length, tokens.length, connection.state.state], [2, 4, 'connected']);
    connection.close();
    assert.deepEqual(world.waiting, [], 'no timer is left behind');
  });

  test('a token that is run out, or says nothing about it, is not asked for again and again', async () => {
    const jwt = (payload: object) => `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`;
    for (const token of ['opaque', 'a.b', jwt({}), jwt({ exp: 'soon' }), jwt({ exp: 1 }), jwt({ exp: 1e300 })]) {
      let asked = 0;
      const { world, connection } = start(() => (asked++, Promise.resolve(token)));
      connection.attach(silent);
      await world.pass(60_000);
      assert.deepEqual([asked, connection.state.state], [1, 'connected'], token);
      connection.close();
    }
    // One that the host page keeps handing out although it ends soon.
    let asked = 0;
    const { world, tab, connection } = start(() => (asked++, Promise.resolve(stale)));
    const stale = jwt({ exp: tab.host.now() / 1000 + 3_600 });
    connection.attach(silent);
    await world.pass(3_600_000);
    assert.ok(asked < 20, `asked ${asked} times in an hour`);
    connection.close();
  });

  test('a lost socket is opened again after a counted-down delay', async () => {
    const { world, tab, connection, latest } = start();
    const heard: string[] = [];
    connection.attach({ opened: () => heard.push('opened'), closed: () => heard.push('closed'), message: () => {} });
    await world.pass(10);
    latest().drop(1006);
    const { state, retryInMs = -1 } = connection.state;
    assert.equal(state, 'reconnecting');
    assert.ok(retryInMs >= 500 && retryInMs <= 3_000, `first delay ${retryInMs}`);
    await world.pass(3_000);
    assert.equal(tab.sockets.length, 2);
    assert.equal(connection.state.state, 'connected');
    assert.deepEqual(heard, ['opened', 'closed', 'opened']);
  });

  test('the countdown is told once a second', async () => {
    const { world, connection } = start();
    world.accept = (socket) => queueMicrotask(() => socket.drop(1006));
    const told: number[] = [];
    connection.attach(silent);
    await world.pass(60_000);
    connection.subscribe(() => told.push(connection.state.retryInMs ?? -1));
    await world.pass(120_000);
    const waits = told.filter((ms) => ms > 0);
    assert.ok(waits.length > 20, `${waits.length} updates`);
    assert.ok(waits.every((ms) => ms <= DELAY_MAX_MS));
  });

  test('a server that closes at once is not hammered', async () => {
    const { world, tab, connection } = start();
    world.accept = (socket) =>
      queueMicrotask(() => {
        socket.establish();
        socket.deliver(WELCOME);
        socket.drop(1011);
      });
    connection.attach(silent);
    await world.pass(10 * 60_000);
    assert.ok(tab.sockets.length < 60, `${tab.sockets.length} attempts in ten minutes`);
    assert.ok(tab.sockets.length > 20, `${tab.sockets.length} attempts in ten minutes`);
  });

  test('the network coming back and the page becoming visible skip the delay', async () => {
    for (const event of ['online', 'visible'] as const) {
      const { world, tab, connection } = start();
      const accept = world.accept;
      world.accept = (socket) => queueMicrotask(() => socket.drop(1006));
      connection.attach(silent);
      await world.pass(60_000);
      const before = tab.sockets.length;
      world.accept = accept;
      tab.fire(event);
      assert.equal(tab.sockets.length, before + 1, event);
      await world.pass(1);
      assert.equal(connection.state.state, 'connected', event);
    }
  });

  test('going offline says so at once, and attempts go on', async () => {
    const { world, tab, connection } = start();
    connection.attach(silent);
    await world.pass(10);
    world.setOnline(false, [tab]);
    assert.deepEqual(connection.state, { state: 'offline' });
    await world.pass(120_000);
    assert.equal(connection.state.state, 'offline');
    assert.ok(tab.sockets.length > 3);
    world.setOnline(true, [tab]);
    await world.pass(1);
    assert.equal(connection.state.state, 'connected');
  });

  test('a dead link is noticed within 20 s although nobody types', async () => {
    const { world, tab, connection, latest } = start();
    connection.attach(silent);
    await world.pass(1_000);
    latest().deafDown = true;
    await world.pass(20_000);
    assert.equal(tab.sockets[0]?.open, false);
  });

  test('an attempt that is never answered is given up', async () => {
    const { world, tab, network, connection } = start();
    network.welcomes = false;
    connection.attach(silent);
    await world.pass(15_000);
    assert.ok(tab.sockets.length >= 2);
    assert.equal(tab.sockets[0]?.open, false);
  });

  test('each close code is honoured: no attempt after a final one, until the person asks', async () => {
    for (const [code, retry] of Object.entries(CLOSE_RETRY)) {
      const { world, tab, connection, latest } = start();
      connection.attach(silent);
      await world.pass(10);
      latest().drop(Number(code));
      if (retry === 'later') assert.ok(connection.state.state === 'reconnecting', code);
      await world.pass(120_000);
      assert.equal(tab.sockets.length, retry === 'no' ? 1 : 2, `close code ${code}`);
      if (retry !== 'no') continue;
      assert.equal(connection.state.state, 'closed');
      assert.ok(connection.state.code, `close code ${code} has a name`);
      connection.retryNow();
      await world.pass(10);
      assert.equal(connection.state.state, 'connected', `asked after ${code}`);
    }
  });

  test('after close nobody opens it again', async () => {
    const { world, tab, connection } = start();
    connection.attach(silent);
    await world.pass(10);
    connection.close();
    connection.attach(silent);
    connection.retryNow();
    await world.pass(60_000);
    assert.equal(tab.sockets.length, 1);
    assert.equal(connection.state.state, 'closed');
    assert.deepEqual(world.waiting, [], 'no timer is left behind');
  });

  test('a wall clock set back by an hour makes no countdown longer', async () => {
    const { world, connection, latest } = start();
    connection.attach(silent);
    for (let tries = 0; tries < 20 && (connection.state.retryInMs ?? 0) < 2_000; tries++) {
      await world.pass(DELAY_MAX_MS);
      latest().drop(1013);
    }
    world.set = -3_600_000;
    await world.pass(1_500);
    assert.equal(connection.state.state, 'reconnecting');
    assert.ok((connection.state.retryInMs ?? Infinity) < DELAY_MAX_MS);
    await world.pass(DELAY_MAX_MS);
    assert.equal(connection.state.state, 'connected');
    assert.equal(connection.state.latencyMs, 0);
  });

  test('frames that are no messages are ignored', async () => {
    const { world, connection, latest } = start();
    const heard: string[] = [];
    connection.attach({ ...silent, message: (message) => heard.push(message.type) });
    await world.pass(10);
    for (const data of ['', '{', '[]', '1', '{"no":"type"}', new ArrayBuffer(2)]) {
      latest().onmessage?.({ data } as MessageEvent);
    }
    latest().deliver({ type: 'something_new' });
    assert.deepEqual(heard, ['something_new']);
    assert.equal(connection.state.state, 'connected');
  });
});
