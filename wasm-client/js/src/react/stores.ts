/**
 * What the hooks subscribe to: a session opened while somebody listens, and views of it that change only when
 * something in them does. Sessions are counted by the client, so each store may open the same document.
 */
import type { RefCallback } from 'react';
import type { DocumentSession } from '../session.js';
import { bindTextarea, type Binding, type BindingOptions } from '../textarea.js';
import type { DocumentStatus, Person } from '../types.js';
import type { ClientHolder } from './holder.js';

/** What `useDocument` answers. A new object only when something in it has changed. */
export interface DocumentView {
  /** For the `ref` of the textarea; it is filled, followed and let go by itself. */
  ref: RefCallback<HTMLTextAreaElement>;
  /** `null` on the server, during hydration and without an id. */
  session: DocumentSession | null;
  status: DocumentStatus;
  title: string;
  /** `owner`, `editor`, `commenter`, `viewer`; empty until known. */
  role: string;
  canUndo: boolean;
  canRedo: boolean;
  /** Takes back this person's last edit and shows where it was. */
  undo: () => void;
  redo: () => void;
}

/** What `usePresence` answers. */
export interface PresenceView {
  /** Everybody else here, one entry per session. */
  people: readonly Person[];
  me: Person | undefined;
  /** Brings a person's caret into view. False when there is none to show. */
  scrollTo: (person: Person | number) => boolean;
}

const LOADING: DocumentStatus = {
  phase: 'loading',
  save: 'saved',
  unsavedEdits: 0,
  storedOnDevice: false,
  storageAvailable: true,
  readOnly: true,
};
const NOBODY: readonly Person[] = [];

/** The textareas that show a session, for whoever wants to scroll in them. */
const bindings = new WeakMap<DocumentSession, Set<Binding>>();

abstract class SessionStore<View extends object> {
  readonly #holder: ClientHolder;
  readonly #id: string | null;
  readonly #listeners = new Set<() => void>();
  #stop: (() => void) | undefined;
  protected session: DocumentSession | null = null;
  protected abstract view: View;
  /** What the server renders and hydration starts from. */
  protected abstract readonly initial: View;

  constructor(holder: ClientHolder, id: string | null) {
    this.#holder = holder;
    this.#id = id;
  }

  protected abstract look(): View;
  protected opened?(): void;
  protected closing?(): void;

  readonly snapshot = (): View => this.view;
  readonly serverSnapshot = (): View => this.initial;

  readonly subscribe = (fn: () => void): (() => void) => {
    this.#listeners.add(fn);
    if (this.#listeners.size === 1) this.#open();
    return () => {
      this.#listeners.delete(fn);
      if (this.#listeners.size === 0) this.#stop?.();
    };
  };

  #open(): void {
    if (this.#id === null) return;
    const session = this.#holder.client.open(this.#id);
    this.session = session;
    const unsubscribe = session.subscribe(() => this.#changed());
    this.#stop = () => {
      this.#stop = undefined;
      this.closing?.();
      unsubscribe();
      this.session = null;
      session.close();
    };
    this.opened?.();
    this.#changed();
  }

  #changed(): void {
    const view = this.look();
    if (sameFields(view, this.view)) return;
    this.view = view;
    for (const fn of [...this.#listeners]) fn();
  }
}

export class DocumentStore extends SessionStore<DocumentView> {
  protected readonly initial: DocumentView;
  protected view: DocumentView;
  readonly #options: BindingOptions;
  #element: HTMLTextAreaElement | null = null;
  #binding: Binding | undefined;

  constructor(holder: ClientHolder, id: string | null, options: BindingOptions) {
    super(holder, id);
    this.#options = options;
    this.initial = this.view = {
      ref: (element) => this.#attach(element),
      session: null,
      status: LOADING,
      title: '',
      role: '',
      canUndo: false,
      canRedo: false,
      undo: () => this.#travel('undo'),
      redo: () => this.#travel('redo'),
    };
  }

  protected look(): DocumentView {
    const { session } = this;
    if (!session) return this.initial;
    const { status, title, role, canUndo, canRedo } = session;
    const known = sameFields(status, this.view.status) ? this.view.status : status;
    return { ...this.initial, session, status: known, title, role, canUndo, canRedo };
  }

  #attach(element: HTMLTextAreaElement | null): void {
    this.#element = element;
    this.#bind();
  }

  protected override opened(): void {
    this.#bind();
  }

  protected override closing(): void {
    this.#unbind();
  }

  #bind(): void {
    const { session } = this;
    this.#unbind();
    if (!session || !this.#element) return;
    const binding = bindTextarea(this.#element, session, this.#options);
    this.#binding = binding;
    const all = bindings.get(session) ?? new Set();
    bindings.set(session, all.add(binding));
  }

  #unbind(): void {
    const binding = this.#binding;
    if (!binding) return;
    this.#binding = undefined;
    if (this.session) bindings.get(this.session)?.delete(binding);
    binding.destroy();
  }

  #travel(step: 'undo' | 'redo'): void {
    if (this.#binding) this.#binding[step]();
    else this.session?.[step]();
  }
}

export class PresenceStore extends SessionStore<PresenceView> {
  protected readonly initial: PresenceView = {
    people: NOBODY,
    me: undefined,
    scrollTo: (person) => this.#scrollTo(typeof person === 'number' ? person : person.session),
  };
  protected view = this.initial;

  protected look(): PresenceView {
    const { people = NOBODY, me } = this.session ?? {};
    const known = sameList(people, this.view.people) ? this.view.people : people;
    const self = me && this.view.me && sameFields(me, this.view.me) ? this.view.me : me;
    return { ...this.initial, people: known, me: self };
  }

  #scrollTo(session: number): boolean {
    const shown = this.session && bindings.get(this.session);
    return shown ? [...shown].some((binding) => binding.scrollTo(session)) : false;
  }
}

function sameFields<T extends object>(a: T, b: T): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof T>;
  for (const key of keys) if (!Object.is(a[key], b[key])) return false;
  return true;
}

function sameList(a: readonly Person[], b: readonly Person[]): boolean {
  return (
    a.length === b.length &&
    a.every((person, index) => {
      const other = b[index];
      return other !== undefined && sameFields(person, other);
    })
  );
}
