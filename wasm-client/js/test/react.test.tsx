import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { JSDOM } from 'jsdom';
import { act, StrictMode, useState, type ReactElement, type ReactNode } from 'react';
import type { Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import type { ConcordClient } from '../src/client.js';
import { ConcordProvider, useConnection, useDocument, usePresence, type DocumentView, type PresenceView } from '../src/react.js';
import type { ConnectionState, DocumentStatus, Person } from '../src/types.js';
import { ada, FakeModel } from './support/fake-model.js';

class FakeSession extends FakeModel {
  status: DocumentStatus = {
    phase: 'ready', save: 'saved', unsavedEdits: 0, storedOnDevice: true, storageAvailable: true, readOnly: false,
  };
  title = 'Notes';
  role = 'owner';
  people: Person[] = [];
  me: Person | undefined;
  users = 0;
  opened = 0;
  readonly #listeners = new Set<() => void>();

  close(): void {
    this.users -= 1;
  }

  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  change(fields: Partial<Pick<FakeSession, 'status' | 'title' | 'people' | 'me'>> = {}): void {
    Object.assign(this, fields);
    for (const fn of [...this.#listeners]) fn();
  }
}

class FakeClient {
  readonly sessions = new Map<string, FakeSession>();
  connection: ConnectionState = { state: 'connected', latencyMs: 5 };
  retries = 0;
  readonly #listeners = new Set<() => void>();

  open(id: string): FakeSession {
    const session = this.sessions.get(id) ?? new FakeSession(`text of ${id}`);
    this.sessions.set(id, session);
    session.users += 1;
    session.opened += 1;
    return session;
  }

  session(id: string): FakeSession {
    const session = this.sessions.get(id);
    assert.ok(session, `nobody has opened ${id}`);
    return session;
  }

  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  change(connection: ConnectionState): void {
    this.connection = connection;
    for (const fn of [...this.#listeners]) fn();
  }

  retryNow(): void {
    this.retries += 1;
  }

  get asClient(): ConcordClient {
    return this as unknown as ConcordClient;
  }
}

let root: Root | undefined;
let container: Element;

async function mount(node: ReactNode): Promise<void> {
  const { window } = new JSDOM('<main></main>', { pretendToBeVisual: true });
  Object.assign(globalThis, { window, document: window.document, navigator: window.navigator, IS_REACT_ACT_ENVIRONMENT: true });
  const { createRoot } = await import('react-dom/client');
  container = window.document.querySelector('main') as Element;
  root = createRoot(container);
  await show(node);
}

const show = (node: ReactNode): Promise<void> => act(async () => root?.render(node));

afterEach(async () => {
  await act(async () => root?.unmount());
  root = undefined;
  for (const name of ['window', 'document', 'navigator']) Reflect.deleteProperty(globalThis, name);
});

const textarea = (): HTMLTextAreaElement => container.querySelector('textarea') as HTMLTextAreaElement;

/** Shows a document and hands its latest views out. */
class Probe {
  document: DocumentView | undefined;
  presence: PresenceView | undefined;
  renders = 0;

  readonly Editor = ({ id }: { id: string | null }): ReactElement => {
    const view = useDocument(id);
    this.document = view;
    this.renders += 1;
    return <section data-phase={view.status.phase}><h1>{view.title}</h1><textarea ref={view.ref} /></section>;
  };

  readonly People = ({ id }: { id: string }): ReactElement => {
    this.presence = usePresence(id);
    return <ul>{this.presence.people.map((person) => <li key={person.session}>{person.name}</li>)}</ul>;
  };
}

describe('useDocument', () => {
  it('renders on the server without a window, loading', () => {
    const { Editor } = new Probe();
    assert.equal(typeof window, 'undefined');
    assert.equal(
      renderToString(<ConcordProvider url="https://docs.test"><Editor id="a" /></ConcordProvider>),
      '<section data-phase="loading"><h1></h1><textarea></textarea></section>',
    );
  });

  it('fills the textarea, follows it both ways and lets go', async () => {
    const client = new FakeClient();
    const probe = new Probe();
    await mount(<ConcordProvider client={client.asClient}><probe.Editor id="a" /></ConcordProvider>);
    const session = client.session('a');
    const element = textarea();
    assert.equal(element.value, 'text of a');
    assert.equal(container.querySelector('h1')?.textContent, 'Notes');
    session.remote({ at: 0, deleted: 0, inserted: 'the ' });
    assert.equal(element.value, 'the text of a');
    element.value = 'the text of a!';
    element.dispatchEvent(new window.Event('input', { bubbles: true }));
    assert.equal(session.text(), 'the text of a!');
    await show(null);
    assert.equal(session.users, 0);
    session.remote({ at: 0, deleted: 0, inserted: 'x' });
    assert.equal(element.value, 'the text of a!');
  });

  it('in strict mode is open exactly once and keeps working', async () => {
    const client = new FakeClient();
    const probe = new Probe();
    await mount(<StrictMode><ConcordProvider client={client.asClient}><probe.Editor id="a" /></ConcordProvider></StrictMode>);
    const session = client.session('a');
    assert.equal(session.users, 1);
    assert.ok(session.opened > 1, 'strict mode mounts twice');
    textarea().value += '!';
    textarea().dispatchEvent(new window.Event('input', { bubbles: true }));
    assert.deepEqual(session.told.filter(([kind]) => kind === 'diff' || kind === 'edit').length, 1);
    assert.equal(session.text(), 'text of a!');
  });

  it('another id closes the one and opens the other in the same textarea', async () => {
    const client = new FakeClient();
    const probe = new Probe();
    const page = (id: string | null): ReactElement => <ConcordProvider client={client.asClient}><probe.Editor id={id} /></ConcordProvider>;
    await mount(page(null));
    assert.equal(probe.document?.session, null);
    assert.equal(client.sessions.size, 0);
    await show(page('a'));
    const element = textarea();
    await show(page('b'));
    assert.equal(element, textarea());
    assert.equal(element.value, 'text of b');
    assert.deepEqual([client.session('a').users, client.session('b').users], [0, 1]);
  });

  it('renders again only when the view has changed', async () => {
    const client = new FakeClient();
    const probe = new Probe();
    await mount(<ConcordProvider client={client.asClient}><probe.Editor id="a" /></ConcordProvider>);
    const session = client.session('a');
    const { renders } = probe;
    await act(async () => session.change({ status: { ...session.status } }));
    assert.equal(probe.renders, renders);
    await act(async () => session.change({ status: { ...session.status, save: 'unsaved', unsavedEdits: 2 } }));
    assert.equal(probe.renders, renders + 1);
    assert.equal(probe.document?.status.unsavedEdits, 2);
  });

  it('a status that turns read only reaches the textarea', async () => {
    const client = new FakeClient();
    const probe = new Probe();
    await mount(<ConcordProvider client={client.asClient}><probe.Editor id="a" /></ConcordProvider>);
    client.session('a').readOnly = true;
    await act(async () => client.session('a').change());
    assert.equal(textarea().readOnly, true);
  });

  it('undo of the view moves the caret to the change', async () => {
    const client = new FakeClient();
    const probe = new Probe();
    await mount(<ConcordProvider client={client.asClient}><probe.Editor id="a" /></ConcordProvider>);
    const session = client.session('a');
    textarea().setRangeText('XY', 4, 4, 'end');
    textarea().dispatchEvent(new window.Event('input', { bubbles: true }));
    await act(async () => session.change());
    assert.equal(probe.document?.canUndo, true);
    textarea().setSelectionRange(0, 0);
    await act(async () => probe.document?.undo());
    assert.equal(textarea().value, 'text of a');
    assert.equal(textarea().selectionStart, 4);
    assert.equal(session.canRedo, true);
  });

  it('two components share one document', async () => {
    const client = new FakeClient();
    const probe = new Probe();
    const page = (people: boolean): ReactElement => (
      <ConcordProvider client={client.asClient}><probe.Editor id="a" />{people && <probe.People id="a" />}</ConcordProvider>
    );
    await mount(page(true));
    assert.equal(client.session('a').users, 2);
    await show(page(false));
    assert.equal(client.session('a').users, 1);
    assert.equal(textarea().value, 'text of a');
  });
});

describe('usePresence', () => {
  it('lists the people, keeps the list while it is the same, finds nobody without a caret', async () => {
    const client = new FakeClient();
    const probe = new Probe();
    await mount(<ConcordProvider client={client.asClient}><probe.Editor id="a" /><probe.People id="a" /></ConcordProvider>);
    const session = client.session('a');
    await act(async () => session.change({ people: [ada], me: { ...ada, session: 1, self: true } }));
    assert.equal(container.querySelector('ul')?.textContent, 'Ada');
    const known = probe.presence;
    assert.ok(known);
    await act(async () => session.change({ people: [{ ...ada }] }));
    assert.equal(probe.presence, known);
    assert.equal(known.scrollTo(ada), false);
    assert.equal(known.me?.session, 1);
  });
});

describe('useConnection', () => {
  it('tells the state and tries again', async () => {
    const client = new FakeClient();
    let retry: (() => void) | undefined;
    function State(): ReactElement {
      const { state, retryInMs, retryNow } = useConnection();
      const [asked] = useState(() => retryNow);
      retry = asked;
      return <p>{`${state} ${retryInMs ?? ''}`}</p>;
    }
    const page = <ConcordProvider client={client.asClient}><State /></ConcordProvider>;
    assert.match(renderToString(page), /connecting/);
    await mount(page);
    assert.equal(container.textContent, 'connected ');
    await act(async () => client.change({ state: 'reconnecting', retryInMs: 4_000 }));
    assert.equal(container.textContent, 'reconnecting 4000');
    retry?.();
    assert.equal(client.retries, 1);
  });
});
