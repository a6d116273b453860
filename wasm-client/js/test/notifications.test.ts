import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createClient } from '../src/client.js';
import { type MarkStore, type NotificationsSession, openNotifications } from '../src/notifications.js';
import { memoryStore } from '../src/storage.js';
import { ToyNotifications } from './support/notification-server.js';
import { Tab, World } from './support/world.js';

interface Device {
  session: NotificationsSession;
  close: () => void;
  /** What was announced: the titles of each time. */
  news: string[][];
}

const titleOf = ({ about }: { about: { title: string } }) => about.title;
const titles = ({ view }: NotificationsSession) => view.list.map(titleOf);
const unreadOf = ({ view }: NotificationsSession) => view.list.filter(({ read }) => !read).map(titleOf);

interface Options {
  token?: () => Promise<string>;
  url?: string;
}

function memoryMarks(): MarkStore & { kept: Set<string | number> } {
  const kept = new Set<string | number>();
  return {
    kept,
    list: () => ({
      ids: [...kept].filter((mark) => typeof mark === 'string'),
      to: Math.max(0, ...[...kept].filter((mark) => typeof mark === 'number')),
    }),
    put: (_, mark) => kept.add(mark),
    delete: (_, mark) => kept.delete(mark),
  };
}

function device(world: World, options: Options = {}, marks: MarkStore = memoryMarks()): Device {
  const tab = new Tab(world);
  const client = createClient({ host: tab.host, locks: tab.locks, store: Promise.resolve(memoryStore()), ...options });
  const { session, close } = openNotifications(client, marks);
  const news: string[][] = [];
  session.onNew((told) => news.push(told.map(titleOf)));
  return { session, close, news };
}

function stage(): { world: World; server: ToyNotifications } {
  const world = new World();
  return { world, server: new ToyNotifications(world) };
}

describe('notifications', () => {
  it('are read once and then heard, latest first, and only what is new is announced', async () => {
    const { world, server } = stage();
    server.tell('old');
    const { session, news, close } = device(world);
    assert.deepEqual([session.view.phase, session.view.live, session.view.unread], ['loading', false, 0]);
    await world.pass(100);
    server.tell('first');
    server.tell('second');
    assert.deepEqual([titles(session), session.view.unread, session.view.live], [['second', 'first', 'old'], 3, true]);
    assert.deepEqual(news, [['first'], ['second']]);
    assert.deepEqual(server.asked, ['GET /api/notifications']);
    close();
    await world.pass(500);
    assert.equal(server.connections, 0);
  });

  it('are opened once on a page, whoever uses them', async () => {
    const { world, server } = stage();
    const tab = new Tab(world);
    const client = createClient({ host: tab.host, locks: tab.locks, store: Promise.resolve(memoryStore()) });
    const [one, two] = [openNotifications(client), openNotifications(client)];
    assert.equal(one.session, two.session);
    await world.pass(100);
    one.close();
    one.close();
    await world.pass(500);
    assert.equal(server.connections, 1);
    two.close();
    const three = openNotifications(client);
    assert.equal(three.session, two.session);
    three.close();
    await world.pass(500);
    assert.equal(server.connections, 0);
  });

  it('read on one device are read on the others at once', async () => {
    const { world, server } = stage();
    const [desk, phone] = [device(world), device(world)];
    await world.pass(100);
    for (const title of ['a', 'b', 'c']) server.tell(title);
    desk.session.markRead('b');
    assert.deepEqual([unreadOf(desk.session), desk.session.view.unread], [['c', 'a'], 2]);
    await world.pass(10);
    assert.deepEqual([unreadOf(phone.session), phone.session.view.unread], [['c', 'a'], 2]);
    phone.session.markAllRead();
    assert.equal(phone.session.view.unread, 0);
    await world.pass(10);
    for (const { session } of [desk, phone]) assert.deepEqual([unreadOf(session), session.view.unread], [[], 0]);
    desk.session.markRead('b');
    desk.session.markAllRead();
    await world.pass(10);
    assert.equal(server.asked.filter((asked) => asked.startsWith('POST')).length, 2);
  });

  it('that were told while a device was away come together, once', async () => {
    const { world, server } = stage();
    const { session, news } = device(world);
    await world.pass(100);
    server.tell('before');
    server.cut();
    assert.equal(session.view.live, false);
    for (const title of ['x', 'y', 'z']) server.tell(title);
    server.read({ ids: ['before'] });
    await world.pass(60_000);
    assert.deepEqual([titles(session), unreadOf(session), session.view.live], [['z', 'y', 'x', 'before'], ['z', 'y', 'x'], true]);
    server.cut();
    await world.pass(60_000);
    assert.deepEqual(news, [['before'], ['x', 'y', 'z']]);
  });

  it('that are too many to catch up with begin anew, and lead back by pages', async () => {
    const { world, server } = stage();
    for (let number = 1; number <= 70; number++) server.tell(String(number));
    const { session, news } = device(world);
    await world.pass(100);
    assert.deepEqual([session.view.list.length, session.view.hasMore, session.view.unread], [50, true, 70]);
    session.loadMore();
    session.loadMore();
    assert.equal(session.view.loadingMore, true);
    await world.pass(10);
    assert.deepEqual([titles(session).length, titles(session)[69], session.view.hasMore], [70, '1', false]);
    server.cut();
    for (let number = 71; number <= 130; number++) server.tell(String(number));
    await world.pass(60_000);
    assert.deepEqual([titles(session)[0], titles(session).length, session.view.hasMore, session.view.unread], ['130', 50, true, 130]);
    assert.deepEqual(news.map((told) => [told[0], told.length]), [['81', 50]]);
    session.loadMore();
    await world.pass(10);
    assert.equal(new Set(titles(session)).size, 100);
  });

  it('lose nothing to a message that was lost', async () => {
    const { world, server } = stage();
    const { session, news } = device(world);
    await world.pass(100);
    server.silent = true;
    server.tell('unheard');
    server.silent = false;
    server.tell('heard');
    await world.pass(10);
    assert.deepEqual([titles(session), session.view.unread], [['heard', 'unheard'], 2]);
    assert.deepEqual(news, [['unheard', 'heard']]);
  });

  it('told while a page is on its way are there, once', async () => {
    const { world, server } = stage();
    let open = (): void => undefined;
    server.gate = new Promise((resolve) => (open = resolve));
    const { session, news } = device(world);
    await world.pass(100);
    server.tell('meanwhile');
    assert.deepEqual(titles(session), []);
    open();
    await world.pass(10);
    assert.deepEqual([titles(session), session.view.live, news], [['meanwhile'], true, [['meanwhile']]]);
  });

  it('marked as read while the answer is lost are told again and read once', async () => {
    const { world, server } = stage();
    const [desk, phone] = [device(world), device(world)];
    await world.pass(100);
    server.tell('a');
    server.tell('b');
    server.losesAnswers = true;
    desk.session.markRead('a');
    await world.pass(10);
    server.cut();
    await world.pass(2_000);
    assert.deepEqual(unreadOf(desk.session), ['b'], 'it stays as it was marked');
    server.losesAnswers = false;
    await world.pass(60_000);
    assert.equal(server.change, 3, 'read once, however often it was told');
    const posts = server.asked.filter((asked) => asked.startsWith('POST'));
    assert.ok(posts.length >= 2);
    assert.deepEqual([...new Set(posts)], ['POST /api/notifications/read {"ids":["a"]}']);
    for (const { session, news } of [desk, phone]) assert.deepEqual([titles(session), unreadOf(session), news.flat()], [['b', 'a'], ['b'], ['a', 'b']]);
  });

  it('marked as read offline are told once there is a connection', async () => {
    const { world, server } = stage();
    const { session } = device(world);
    await world.pass(100);
    for (const title of ['a', 'b', 'c']) server.tell(title);
    server.isDown = true;
    server.cut();
    session.markRead('a');
    session.markRead('c');
    await world.pass(5_000);
    assert.deepEqual([unreadOf(session), session.view.unread, server.unread], [['b'], 1, 3]);
    server.isDown = false;
    await world.pass(60_000);
    assert.deepEqual([unreadOf(session), session.view.unread, server.unread], [['b'], 1, 1]);
  });

  it('marked as read offline are told after a reload, and what is told is forgotten', async () => {
    const { world, server } = stage();
    const marks = memoryMarks();
    const first = device(world, {}, marks);
    await world.pass(100);
    for (const title of ['a', 'b', 'c']) server.tell(title);
    server.isDown = true;
    server.cut();
    first.session.markRead('b');
    await world.pass(1_000);
    first.close();
    await world.pass(1_000);
    assert.deepEqual([server.unread, [...marks.kept]], [3, ['b']]);
    server.isDown = false;
    const { session } = device(world, {}, marks);
    await world.pass(1_000);
    assert.deepEqual([unreadOf(session), server.unread, marks.kept.size], [['c', 'a'], 2, 0]);
    server.isDown = true;
    session.markAllRead();
    await world.pass(1_000);
    assert.deepEqual([session.view.unread, [...marks.kept]], [0, [3]]);
    server.isDown = false;
    device(world, {}, marks);
    await world.pass(60_000);
    assert.deepEqual([server.unread, marks.kept.size], [0, 0]);
  });

  it('told anew are announced again only after they were read', async () => {
    const { world, server } = stage();
    const { session, news } = device(world);
    await world.pass(100);
    server.tell('three edits', 'digest');
    server.tell('other');
    server.tell('five edits', 'digest');
    assert.deepEqual([titles(session), session.view.unread], [['five edits', 'other'], 2]);
    session.markRead('digest');
    await world.pass(10);
    server.tell('one edit', 'digest');
    assert.deepEqual(news, [['three edits'], ['other'], ['one edit']]);
  });

  it('are asked for at the client’s own server, with its token', async () => {
    const { world } = stage();
    const asked: [string, string | undefined][] = [];
    const answer = world.answer;
    world.answer = (url, init) => {
      asked.push([url, (init.headers as Record<string, string>).authorization]);
      return answer(url, init);
    };
    device(world, { url: 'wss://docs.example.com', token: () => Promise.resolve('abc') });
    await world.pass(100);
    assert.deepEqual(asked, [['https://docs.example.com/api/notifications', 'Bearer abc']]);
  });
});
