import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { type Asked, type ChatSession, openChat, type OutboxStore } from '../src/chat.js';
import { type ConcordClient, createClient } from '../src/client.js';
import { memoryStore } from '../src/storage.js';
import { ToyChat } from './support/chat-server.js';
import { Tab, World } from './support/world.js';

const DOC = 'd'.repeat(32);

function memoryOutbox(): OutboxStore & { kept: Map<string, Asked> } {
  const kept = new Map<string, Asked>();
  return {
    kept,
    list: () => [...kept.values()].map((asked) => ({ ...asked })),
    put: (_, asked) => kept.set(`${asked.id}/${asked.kind}`, { ...asked }),
    delete: (_, asked) => kept.delete(`${asked.id}/${asked.kind}`),
  };
}

interface Actor {
  tab: Tab;
  client: ConcordClient;
  chat: ChatSession;
  close: () => void;
}

class Stage {
  readonly world = new World();
  readonly server = new ToyChat(this.world);
  readonly outbox = memoryOutbox();

  async open(user = 'ada', store: OutboxStore = this.outbox): Promise<Actor> {
    this.server.user = user;
    const tab = new Tab(this.world);
    const client = createClient({ host: tab.host, locks: tab.locks, store: Promise.resolve(memoryStore()) });
    const { session, close } = openChat(client, DOC, store);
    await this.world.pass(500);
    return { tab, client, chat: session, close };
  }

  sent(kind: string): number {
    return this.server.asked.filter(({ type }) => type === kind).length;
  }
}

const texts = ({ chat }: Actor) => chat.view.lines.map((line) => line.text);
const states = ({ chat }: Actor) => chat.view.lines.map((line) => line.state);

describe('a chat', () => {
  it('shows what was said, without an editor and without a document', async () => {
    const stage = new Stage();
    stage.server.say('one');
    stage.server.say('two');
    const ada = await stage.open();
    assert.deepEqual(texts(ada), ['one', 'two']);
    assert.equal(ada.chat.view.lines[0]?.author.name, 'BEN');
    assert.equal(ada.chat.view.phase, 'ready');
    assert.equal(ada.chat.view.unread, 2);
    assert.equal(ada.chat.view.hasMore, false);
    stage.server.say('three');
    assert.deepEqual(texts(ada), ['one', 'two', 'three']);
    assert.equal(ada.chat.view.unread, 3);
    assert.equal(stage.sent('join'), 0);
  });

  it('shows one\'s own message at once, and once', async () => {
    const stage = new Stage();
    const ada = await stage.open();
    const id = ada.chat.send('  hello\r\nworld ');
    assert.deepEqual([texts(ada), states(ada)], [['hello\nworld'], ['sending']]);
    await stage.world.pass(0);
    assert.deepEqual([texts(ada), states(ada)], [['hello\nworld'], ['sent']]);
    assert.equal(ada.chat.view.lines[0]?.id, id);
    assert.equal(ada.chat.view.unread, 0);
    assert.equal(stage.outbox.kept.size, 0);
    assert.equal(ada.chat.send(' \n'), undefined, 'nothing to say');
  });

  it('keeps one\'s messages in the order in which they were said, one on its way at a time', async () => {
    const stage = new Stage();
    const ada = await stage.open();
    let refusals = 3;
    stage.server.judge = ({ type }) => (type === 'chat_send' && refusals-- > 0 ? { code: 'slow_down', retry_ms: 100 } : undefined);
    for (const text of ['a', 'b', 'c']) ada.chat.send(text);
    await stage.world.pass(2_000);
    assert.deepEqual(stage.server.messages.map(({ text }) => text), ['a', 'b', 'c']);
    assert.deepEqual(texts(ada), ['a', 'b', 'c']);
  });

  it('is said again under the same id after a lost answer, and is there once', async () => {
    const stage = new Stage();
    const ada = await stage.open();
    stage.server.loseAnswers = true;
    ada.chat.send('once');
    await stage.world.pass(100);
    assert.equal(stage.server.messages.length, 1, 'it was stored, and nobody heard');
    assert.deepEqual(states(ada), ['sending']);
    stage.server.loseAnswers = false;
    stage.server.cut();
    assert.equal(ada.chat.view.live, false);
    await stage.world.pass(10_000);
    assert.deepEqual([texts(ada), states(ada)], [['once'], ['sent']]);
    assert.equal(stage.server.messages.length, 1);
    assert.equal(stage.outbox.kept.size, 0);
  });

  it('is said again until it is answered where somebody is named, though it is in sight', async () => {
    const stage = new Stage();
    const ada = await stage.open();
    stage.server.loseAnswers = true;
    ada.chat.send('@Ben', { mentions: [{ start: 0, end: 4, user: 'ben' }] });
    await stage.world.pass(100);
    stage.server.loseAnswers = false;
    stage.server.cut();
    await stage.world.pass(10_000);
    assert.deepEqual([texts(ada), states(ada)], [['@Ben'], ['sent']]);
    assert.equal(stage.sent('chat_send'), 2, 'the answer says that he was told');
    assert.deepEqual([stage.server.messages.length, stage.outbox.kept.size], [1, 0]);
  });

  it('keeps its order when a message that was changed meanwhile comes behind later ones', async () => {
    const stage = new Stage();
    const ada = await stage.open();
    const told = (number: number, change: number) => {
      const message = { number, id: `${number}`.padStart(32, 'e'), user: 'ben', time_ms: 1, text: `${number}` };
      stage.server.broadcast({ type: 'chat', change, messages: [message], people: [] });
    };
    told(2, 2);
    told(3, 3);
    assert.deepEqual(texts(ada), ['2', '3']);
    told(1, 4);
    assert.deepEqual([texts(ada), ada.chat.view.unread], [['1', '2', '3'], 3]);
  });

  it('tells again what was read where the server could not note it', async () => {
    const stage = new Stage();
    stage.server.say('1');
    const ada = await stage.open();
    stage.server.judge = ({ type }) => (type === 'chat_read' ? { code: 'storage_unavailable' } : undefined);
    ada.chat.markRead();
    await stage.world.pass(2_500);
    assert.equal(stage.server.read.get('ada'), undefined);
    stage.server.judge = () => undefined;
    await stage.world.pass(2_500);
    assert.equal(stage.server.read.get('ada'), 1);
    const told = stage.sent('chat_read');
    await stage.world.pass(10_000);
    assert.equal(stage.sent('chat_read'), told, 'and not again after that');
  });

  it('says what was written without a connection when there is one, also after a reload', async () => {
    const stage = new Stage();
    const ada = await stage.open();
    stage.world.setOnline(false, [ada.tab]);
    ada.chat.send('first');
    ada.chat.send('second');
    assert.deepEqual(states(ada), ['sending', 'sending']);
    await ada.tab.end('crash');
    stage.world.online = true;
    const ben = await stage.open('ben', stage.outbox);
    await stage.world.pass(1_000);
    assert.deepEqual(texts(ben), [], 'somebody else\'s words are not theirs to say');
    const again = await stage.open('ada');
    await stage.world.pass(1_000);
    assert.deepEqual([texts(again), states(again)], [['first', 'second'], ['sent', 'sent']]);
    assert.equal(stage.server.messages.length, 2);
  });

  it('comes back with what has changed, and nothing doubled', async () => {
    const stage = new Stage();
    for (let number = 1; number <= 60; number++) stage.server.say(`${number}`);
    const ada = await stage.open();
    assert.equal(ada.chat.view.lines.length, 50);
    stage.world.setOnline(false, [ada.tab]);
    stage.server.say('new');
    stage.server.alter(55, { text: 'edited', edited_ms: 2 });
    stage.server.alter(3, { text: '', deleted_ms: 2 });
    stage.world.setOnline(true, [ada.tab]);
    await stage.world.pass(10_000);
    assert.equal(ada.chat.view.lines.length, 51);
    assert.equal(ada.chat.view.lines.at(-1)?.text, 'new');
    assert.equal(ada.chat.view.lines.find((line) => line.number === 55)?.text, 'edited');
    const opened = stage.server.asked.filter(({ type }) => type === 'chat_open');
    assert.equal('since' in (opened.at(-1) ?? {}), true);
    ada.chat.loadMore();
    await stage.world.pass(0);
    assert.deepEqual(ada.chat.view.lines.map((line) => line.number), Array.from({ length: 61 }, (_, index) => index + 1));
    assert.equal(ada.chat.view.lines[2]?.deleted, true);
  });

  it('pages upwards, one page at a time, to the first message', async () => {
    const stage = new Stage();
    for (let number = 1; number <= 120; number++) stage.server.say(`${number}`);
    const ada = await stage.open();
    while (ada.chat.view.hasMore) {
      ada.chat.loadMore();
      ada.chat.loadMore();
      assert.equal(ada.chat.view.loadingMore, true);
      await stage.world.pass(0);
    }
    assert.deepEqual(texts(ada), Array.from({ length: 120 }, (_, index) => `${index + 1}`));
    assert.equal(stage.sent('chat_before'), 2);
  });

  it('edits and takes back one\'s own, at once and for good', async () => {
    const stage = new Stage();
    const ada = await stage.open();
    const id = ada.chat.send('helo') ?? '';
    await stage.world.pass(0);
    ada.chat.edit(id, 'hello');
    assert.deepEqual([texts(ada), states(ada)], [['hello'], ['sending']]);
    await stage.world.pass(0);
    assert.deepEqual([texts(ada), states(ada)], [['hello'], ['sent']]);
    ada.chat.remove(id);
    await stage.world.pass(0);
    assert.equal(ada.chat.view.lines[0]?.deleted, true);
    assert.equal(stage.server.messages[0]?.text, '');
  });

  it('keeps what was refused, to be tried again or given up', async () => {
    const stage = new Stage();
    const ada = await stage.open();
    stage.server.judge = ({ type }) => (type === 'chat_send' ? { code: 'forbidden' } : undefined);
    const id = ada.chat.send('mine') ?? '';
    await stage.world.pass(0);
    assert.deepEqual([states(ada), ada.chat.view.lines[0]?.code], [['failed'], 'forbidden']);
    stage.server.judge = () => undefined;
    ada.chat.retry(id);
    await stage.world.pass(0);
    assert.deepEqual(states(ada), ['sent']);
  });

  it('counts what others have said and this person has not read, on any device', async () => {
    const stage = new Stage();
    for (let number = 1; number <= 3; number++) stage.server.say(`${number}`);
    const ada = await stage.open();
    ada.chat.markRead(2);
    assert.deepEqual([ada.chat.view.read, ada.chat.view.unread], [2, 1]);
    await stage.world.pass(0);
    assert.equal(stage.server.read.get('ada'), 2);
    stage.server.alter(3, { text: '', deleted_ms: 1 });
    assert.equal(ada.chat.view.unread, 0, 'what is taken back is not to be read');
    stage.server.say('4');
    assert.equal(ada.chat.view.unread, 1);
    stage.server.broadcast({ type: 'chat_read', number: 4, unread: 0 });
    assert.deepEqual([ada.chat.view.read, ada.chat.view.unread], [4, 0]);
  });

  it('tells that somebody types every three seconds while they do, and takes it back', async () => {
    const stage = new Stage();
    const ada = await stage.open();
    for (let key = 0; key < 20; key++) {
      ada.chat.typing(true);
      await stage.world.pass(200);
    }
    assert.equal(stage.sent('chat_typing'), 2);
    await stage.world.pass(6_000);
    const last = stage.server.asked.findLast(({ type }) => type === 'chat_typing');
    assert.deepEqual(last, { type: 'chat_typing', ch: 1, on: false });
  });

  it('does not believe an old list of who types', async () => {
    const stage = new Stage();
    const ada = await stage.open();
    stage.server.broadcast({ type: 'chat_typing', people: [{ user: 'ben', name: 'Ben', color: 2 }] });
    assert.deepEqual(ada.chat.view.typing.map(({ name }) => name), ['Ben']);
    await stage.world.pass(11_000);
    assert.deepEqual(ada.chat.view.typing, []);
  });

  it('opens again what the server has closed, unless the person may not be there', async () => {
    const stage = new Stage();
    stage.server.say('one');
    const ada = await stage.open();
    stage.server.end('storage_unavailable');
    assert.equal(ada.chat.view.live, false);
    await stage.world.pass(10_000);
    assert.equal(ada.chat.view.live, true);
    stage.server.end('access_revoked');
    await stage.world.pass(60_000);
    assert.deepEqual([ada.chat.view.phase, ada.chat.view.code, ada.chat.view.live], ['closed', 'access_revoked', false]);
    assert.deepEqual(texts(ada), ['one'], 'what was on the screen stays');
  });

  it('is shared by those who open it on one page, and left by the last', async () => {
    const stage = new Stage();
    const ada = await stage.open();
    const second = openChat(ada.client, DOC, stage.outbox);
    assert.equal(second.session, ada.chat);
    ada.close();
    ada.close();
    await stage.world.pass(1_000);
    assert.equal(ada.chat.view.live, true);
    second.close();
    await stage.world.pass(1_000);
    assert.equal(stage.sent('leave'), 1);
    assert.equal(stage.sent('chat_open'), 1);
  });
});
