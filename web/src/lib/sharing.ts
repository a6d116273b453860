// With whom a document is shared, as the server last said, with my own changes shown on top until it has answered each.
import type { GivenRole, LinkAccess, Sharing } from '@/data/api';

/** A change that the server has not answered yet. */
export interface SharingChange {
  id: number;
  /** What is being changed: `link`, or a person's id. */
  of: string;
  apply(sharing: Sharing): Sharing;
}

export interface SharingState {
  phase: 'loading' | 'ready' | 'error';
  /** What the server has said. */
  known: Sharing | null;
  changes: readonly SharingChange[];
  /** Why the latest change was not made, or why nothing could be loaded. */
  trouble: string | null;
}

export type SharingEvent =
  | { type: 'loaded'; sharing: Sharing }
  | { type: 'unavailable'; code: string }
  | { type: 'changed'; change: SharingChange }
  | { type: 'done'; id: number; sharing: Sharing | null }
  | { type: 'refused'; id: number; code: string };

export const NOT_LOADED: SharingState = { phase: 'loading', known: null, changes: [], trouble: null };

/** Every way the state changes. */
export function reduceSharing(state: SharingState, event: SharingEvent): SharingState {
  switch (event.type) {
    case 'loaded':
      return { ...state, phase: 'ready', known: event.sharing };
    case 'unavailable':
      return state.known ? state : { ...state, phase: 'error', trouble: troubleWords(event.code) };
    case 'changed':
      return { ...state, changes: [...state.changes, event.change], trouble: null };
    case 'done': {
      const change = state.changes.find(({ id }) => id === event.id);
      const known = event.sharing ?? (state.known && change ? change.apply(state.known) : state.known);
      return { ...state, known, changes: state.changes.filter(({ id }) => id !== event.id) };
    }
    case 'refused':
      return { ...state, changes: state.changes.filter(({ id }) => id !== event.id), trouble: troubleWords(event.code) };
  }
}

/** How it will be when the server has taken everything that waits. */
export const shownSharing = (state: SharingState): Sharing | null => state.known && state.changes.reduce((sharing, change) => change.apply(sharing), state.known);

/** Whether a change of the link or of this person is on its way. */
export const isChanging = (state: SharingState, of: string): boolean => state.changes.some((change) => change.of === of);

/** Who came by the link may do what it gives now, and nothing without one. */
export function withLink(sharing: Sharing, link: LinkAccess): Sharing {
  const role: GivenRole = link === 'edit' ? 'editor' : 'viewer';
  const people = sharing.people.flatMap((person) => (person.by !== 'link' ? [person] : link === 'off' ? [] : [{ ...person, role }]));
  return { ...sharing, link, people };
}

/** A person is given a role by name; `owner` takes the document over from its owner, who stays an editor. */
export function withRole(sharing: Sharing, user: string, role: GivenRole): Sharing {
  if (role !== 'owner' && !sharing.people.some((person) => person.user === user)) {
    return { ...sharing, people: [...sharing.people, { user, name: user, color: 0, role, by: 'member' }] };
  }
  const people = sharing.people.map((person) => {
    if (person.user === user) return { ...person, role, by: role === 'owner' ? ('owner' as const) : ('member' as const) };
    return role === 'owner' && person.by === 'owner' ? { ...person, role: 'editor' as const, by: 'member' as const } : person;
  });
  return { ...sharing, people, role: role === 'owner' ? 'editor' : sharing.role };
}

/** Takes away what a person was given by name. */
export const withoutPerson = (sharing: Sharing, user: string): Sharing => ({ ...sharing, people: sharing.people.filter((person) => person.user !== user) });

const TROUBLE: Record<string, string> = {
  bad_request: 'The server does not know such an id. Nothing was changed.',
  unreachable: 'The server does not answer. Nothing was changed.',
  forbidden: 'Only the owner can change this. Nothing was changed.',
  not_found: 'This document or person is not there any more. Nothing was changed.',
  too_many_people: 'This document is shared with as many people as it can be. Nothing was changed.',
  slow_down: 'That was too much at once. Nothing was changed; try again in a moment.',
  unauthenticated: 'You are signed out. Nothing was changed.',
};

/** Why nothing has changed, in a sentence. */
export const troubleWords = (code: string): string => (Object.hasOwn(TROUBLE, code) && TROUBLE[code]) || 'That did not work. Nothing was changed; try again.';
