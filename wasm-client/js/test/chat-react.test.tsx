import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { JSDOM } from 'jsdom';
import { act, StrictMode } from 'react';
import type { Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { type Chat, useChat } from '../src/chat-react.js';
import { type ConcordClient, createClient } from '../src/client.js';
import { ConcordProvider } from '../src/react.js';
import { memoryStore } from '../src/storage.js';
import { ToyChat } from './support/chat-server.js';
import { Tab, World } from './support/world.js';

const DOC = 'd'.repeat(32);
const seen: Chat[] = [];
let root: Root | undefined;

function Lines({ id }: { id: string | null }) {
  const chat = useChat(id);
  seen.push(chat);
  return <p>{`${chat.phase}: ${chat.lines.map((line) => line.text).join(', ')}`}</p>;
}

function stage(): { world: World; server: ToyChat; client: ConcordClient } {
  const world = new World();
  const server = new ToyChat(world);
  const tab = new Tab(world);
  const client = createClient({ host: tab.host, locks: tab.locks, store: Promise.resolve(memoryStore()) });
  return { world, server, client };
}

async function render(element: React.ReactElement): Promise<HTMLElement> {
  const page = new JSDOM('<main></main>');
  const { window } = page;
  Object.assign(globalThis, { window, document: window.document, navigator: window.navigator, IS_REACT_ACT_ENVIRONMENT: true });
  const { createRoot } = await import('react-dom/client');
  const main = window.document.querySelector('main');
  assert.ok(main);
  root = createRoot(main);
  await act(async () => root?.render(element));
  return main;
}

afterEach(async () => {
  await act(async () => root?.unmount());
  root = undefined;
  seen.length = 0;
  for (const name of ['window', 'document', 'navigator']) Reflect.deleteProperty(globalThis, name);
});

describe('useChat', () => {
  it('renders on a server, and without an id', () => {
    assert.equal(renderToString(<Lines id={DOC} />), '<p>loading: </p>');
    assert.equal(renderToString(<Lines id={null} />), '<p>loading: </p>');
  });

  it('opens one chat while components are mounted, in strict mode too, and shows what is said', async () => {
    const { world, server, client } = stage();
    server.say('one');
    const main = await render(
      <StrictMode>
        <ConcordProvider client={client}>
          <Lines id={DOC} />
          <Lines id={DOC} />
        </ConcordProvider>
      </StrictMode>,
    );
    await act(() => world.pass(1_000));
    assert.equal(main.textContent, 'ready: oneready: one');
    assert.equal(server.asked.filter(({ type }) => type === 'chat_open').length, 1);
    await act(async () => void seen.at(-1)?.send('two'));
    assert.equal(main.textContent, 'ready: one, twoready: one, two');
    await act(() => world.pass(0));
    assert.equal(server.messages.length, 2);
    await act(async () => root?.unmount());
    await world.pass(1_000);
    assert.equal(server.asked.at(-1)?.type, 'leave');
  });

  it('gives the same functions at every render', async () => {
    const { world, server, client } = stage();
    await render(<ConcordProvider client={client}><Lines id={DOC} /></ConcordProvider>);
    await act(() => world.pass(500));
    const before = seen.at(-1);
    await act(async () => server.say('news'));
    const after = seen.at(-1);
    assert.notEqual(after, before);
    assert.equal(after?.send, before?.send);
    assert.equal(after?.markRead, before?.markRead);
  });
});
