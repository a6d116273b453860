import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { JSDOM } from 'jsdom';
import { act, StrictMode, type ReactElement, type ReactNode } from 'react';
import type { Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { createClient } from '../src/client.js';
import { ConcordProvider } from '../src/react.js';
import { memoryStore } from '../src/storage.js';
import { useEvents, useTopic, type TopicView } from '../src/topics-react.js';
import { ToyTopics } from './support/topic-server.js';
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

describe('useTopic', () => {
  it('renders on the server, waiting', () => {
    const Load = (): ReactElement => <p>{useTopic('load').state}</p>;
    assert.equal(renderToString(<Load />), '<p>waiting</p>');
  });

  it('shows the latest event, hears every one, tells, and lets go of the topic with its component', async () => {
    const world = new World();
    const server = new ToyTopics(world);
    const tab = new Tab(world);
    const client = createClient({ host: tab.host, locks: tab.locks, store: Promise.resolve(memoryStore()) });
    const heard: unknown[] = [];
    const own: unknown[] = [];
    let view: TopicView<number> | undefined;
    const Load = (): ReactElement => {
      view = useTopic<number>('load', (event) => heard.push(event.data));
      useEvents((event) => own.push(event.name));
      return <output>{view.last ? view.last.data : view.state}</output>;
    };
    const container = await mount(<StrictMode><ConcordProvider client={client}><Load /></ConcordProvider></StrictMode>);
    await act(async () => world.pass(500));
    assert.equal(container.textContent, 'watching');
    await act(async () => {
      server.tell('load', 1);
      server.tell('load', 2);
      server.broadcast({ type: 'event', room: 'user', name: 'ready', data: null, id: 'e', time_ms: 5 });
      server.broadcast({ type: 'missed', room: 'topic', topic: 'load', events: 3 });
    });
    assert.deepEqual([container.textContent, heard, own, view?.missed], ['2', [1, 2], ['ready'], 3]);
    await act(async () => {
      await Promise.all([view?.tell(7), world.pass(10)]);
    });
    assert.equal(container.textContent, '7');
    await act(async () => root?.render(null));
    await act(async () => world.pass(500));
    assert.deepEqual([server.watched, server.connections], [[], 0]);
  });
});
