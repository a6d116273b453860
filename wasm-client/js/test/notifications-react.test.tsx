import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { JSDOM } from 'jsdom';
import { act, StrictMode, type ReactElement, type ReactNode } from 'react';
import type { Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { createClient } from '../src/client.js';
import { type Notifications, useNotifications } from '../src/notifications-react.js';
import { ConcordProvider } from '../src/react.js';
import { memoryStore } from '../src/storage.js';
import { ToyNotifications } from './support/notification-server.js';
import { Tab, World } from './support/world.js';

let root: Root | undefined;

async function mount(node: ReactNode): Promise<Element> {
  const { window } = new JSDOM('<main></main>', { pretendToBeVisual: true });
  Object.assign(globalThis, { window, document: window.document, navigator: window.navigator, IS_REACT_ACT_ENVIRONMENT: true });
  const { createRoot } = await import('react-dom/client');
  const container = window.document.querySelector('main') as Element;
  root = createRoot(container);
  await act(async () => root?.render(node));
  return container;
}

afterEach(async () => {
  await act(async () => root?.unmount());
  root = undefined;
  for (const name of ['window', 'document', 'navigator']) Reflect.deleteProperty(globalThis, name);
});

describe('useNotifications', () => {
  it('renders on the server, loading', () => {
    const Bell = (): ReactElement => <p>{useNotifications().phase}</p>;
    assert.equal(renderToString(<Bell />), '<p>loading</p>');
  });

  it('shows what there is, hears what is new, reads, and lets go with its component', async () => {
    const world = new World();
    const server = new ToyNotifications(world);
    const tab = new Tab(world);
    const client = createClient({ host: tab.host, locks: tab.locks, store: Promise.resolve(memoryStore()) });
    const heard: string[] = [];
    let view: Notifications | undefined;
    const Bell = (): ReactElement => {
      view = useNotifications((news) => heard.push(...news.map(({ id }) => id)));
      return <output>{`${view.unread} of ${view.list.length}`}</output>;
    };
    server.tell('old');
    const container = await mount(<StrictMode><ConcordProvider client={client}><Bell /></ConcordProvider></StrictMode>);
    await act(async () => world.pass(500));
    assert.equal(container.textContent, '1 of 1');
    await act(async () => server.tell('new'));
    assert.deepEqual([container.textContent, heard], ['2 of 2', ['new']]);
    const { markRead } = view as Notifications;
    await act(async () => view?.markRead('new'));
    assert.equal(container.textContent, '1 of 2');
    await act(async () => world.pass(10));
    await act(async () => view?.markAllRead());
    await act(async () => world.pass(10));
    assert.deepEqual([container.textContent, server.unread, view?.markRead === markRead], ['0 of 2', 0, true]);
    await act(async () => root?.render(null));
    await act(async () => world.pass(500));
    assert.equal(server.connections, 0);
  });
});
