// The package's client for back ends against a real server: what it tells arrives, what it mints is believed.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { RestError, type ServerClient, createServerClient, mintToken } from '@concord/client/server';
import type { Browser } from 'playwright-core';
import { launchBrowser, openWindow, until } from './harness/browser';
import { type Server, startServer } from './harness/server';
import { TOKEN_FLAGS, TOKEN_KEYS } from './harness/token';

interface Message {
  type: string;
  [field: string]: unknown;
}

interface Socketed {
  socket: WebSocket;
  heard: Message[];
}

/** A person of the tenant on a page of their own, and what comes to it. */
async function connect(browser: Browser, server: Server, user: string): Promise<{ say(message: object): Promise<void>; next(type: string): Promise<Message>; close(): Promise<void> }> {
  const token = await mintToken({ ...TOKEN_KEYS, user, tenant: 'acme', name: user });
  const { context, page } = await openWindow(browser);
  await page.goto(`${server.url}/health/live`);
  await page.evaluate(
    async ([url = '', token = '']) => {
      const socket = new WebSocket(url, ['concord.v1', 'concord.auth']);
      const here: Socketed = Object.assign(globalThis, { socket, heard: [] });
      socket.onmessage = ({ data }) => here.heard.push(JSON.parse(String(data)) as Message);
      await new Promise((resolve) => (socket.onopen = resolve));
      socket.send(JSON.stringify({ type: 'auth', token }));
    },
    [`${server.url.replace('http', 'ws')}/api/socket`, token],
  );
  const say = (message: object) => page.evaluate((text) => (globalThis as unknown as Socketed).socket.send(text), JSON.stringify(message));
  const next = async (type: string): Promise<Message> => {
    let found: Message | undefined;
    await until(`${type} comes`, async () => {
      found = await page.evaluate((wanted) => {
        const { heard } = globalThis as unknown as Socketed;
        const index = heard.findIndex((message) => message.type === wanted);
        return index < 0 ? undefined : heard.splice(index, 1)[0];
      }, type);
      return found !== undefined;
    });
    return found!;
  };
  await next('welcome');
  return { say, next, close: () => context.close() };
}

describe('the client for back ends', () => {
  let server: Server;
  let browser: Browser;
  let concord: ServerClient;
  before(async () => {
    [server, browser] = await Promise.all([startServer(TOKEN_FLAGS), launchBrowser()]);
    concord = createServerClient({ url: server.url, serviceToken: () => mintToken({ ...TOKEN_KEYS, user: 'backend', tenant: 'acme', service: true }) });
  });
  after(() => Promise.all([server.remove(), browser.close()]));

  it('tells a person, the tenant and a topic, and an id once', async () => {
    const ada = await connect(browser, server, 'ada');
    await ada.say({ type: 'watch', topic: 'load' });
    await ada.next('watching');
    assert.deepEqual(await concord.tell({ user: 'ada' }, { name: 'export.ready', data: { n: 1 }, id: 'e-1' }), { id: 'e-1' });
    await concord.tell({ user: 'ada' }, { name: 'export.ready', data: { n: 1 }, id: 'e-1' });
    await concord.tell({ tenant: true }, { name: 'maintenance' });
    const [first, second] = [await ada.next('event'), await ada.next('event')];
    assert.deepEqual([first.room, first.data, second.room, second.data], ['user', { n: 1 }, 'tenant', null]);
    for (let cpu = 0; cpu < 20; cpu++) await concord.publish('load', { cpu });
    const values = [await ada.next('event'), await ada.next('event')];
    assert.deepEqual(values.map(({ data }) => data), [{ cpu: 0 }, { cpu: 19 }], 'the first at once, then the latest of the second');
    assert.ok(Number(values[1]?.time_ms) >= Number(values[0]?.time_ms));
    await ada.close();
  });

  it('stores a notification once for everybody it is for, and it is there after they come back', async () => {
    const ada = await connect(browser, server, 'ada');
    const build = { name: 'build.done', title: 'Build 7 is done', url: '/builds/7', id: 'build-7' };
    assert.deepEqual(await concord.notify(['ada', 'ben'], build), { id: 'build-7' });
    const { notifications } = await ada.next('notified');
    assert.equal((notifications as { about: { title: string } }[])[0]?.about.title, 'Build 7 is done');
    assert.deepEqual(await concord.notify(['ada', 'ben'], build), { id: 'build-7' });
    await ada.close();
    const asked = await fetch(`${server.url}/api/notifications`, { headers: { authorization: `Bearer ${await mintToken({ ...TOKEN_KEYS, user: 'ben', tenant: 'acme' })}` } });
    const page = (await asked.json()) as { unread: number; notifications: unknown[] };
    assert.deepEqual([page.unread, page.notifications.length], [1, 1]);
  });

  it('reads and keeps the documents of its tenant', async () => {
    const made = await concord.documents.create({ title: 'Plans', text: 'The bell.' });
    assert.deepEqual(await concord.documents.text(made.id), { text: 'The bell.', revision: made.revision });
    assert.equal((await concord.documents.rename(made.id, 'Our plans')).title, 'Our plans');
    await concord.documents.sharing.setRole(made.id, 'ada', 'editor');
    const ada = await connect(browser, server, 'ada');
    await ada.say({ type: 'join', doc: made.id, client: '1'.repeat(32) });
    assert.deepEqual([(await ada.next('joined')).role], ['editor']);
    await ada.close();
    await concord.documents.delete(made.id);
    assert.equal((await concord.documents.restore(made.id)).title, 'Our plans');
    assert.equal((await concord.figures()).of, 'own');
  });

  it('is refused with a code where it has no right', async () => {
    const code = (asked: Promise<unknown>) => asked.then(() => 'answered', (error: unknown) => (error instanceof RestError ? `${error.status} ${error.code}` : String(error)));
    const person = createServerClient({ url: server.url, serviceToken: await mintToken({ ...TOKEN_KEYS, user: 'ada' }) });
    const liar = createServerClient({ url: server.url, serviceToken: await mintToken({ ...TOKEN_KEYS, secret: 'x'.repeat(32), user: 'backend', service: true }) });
    assert.deepEqual(await Promise.all([code(person.publish('load', 1)), code(liar.publish('load', 1)), code(concord.figures('server')), code(concord.documents.get('0'.repeat(32)))]), [
      '403 forbidden', '401 unauthenticated', '403 forbidden', '404 not_found',
    ]);
  });
});
