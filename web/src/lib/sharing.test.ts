import { describe, expect, it } from 'vitest';
import type { Sharing } from '@/data/api';
import { isChanging, NOT_LOADED, reduceSharing, type SharingState, shownSharing, withLink, withoutPerson, withRole } from './sharing';

const SHARING: Sharing = {
  link: 'view',
  role: 'owner',
  people: [
    { user: 'ada', name: 'Ada', color: 1, role: 'owner', by: 'owner' },
    { user: 'ben', name: 'Ben', color: 2, role: 'commenter', by: 'member' },
    { user: 'cleo', name: 'Cleo', color: 3, role: 'viewer', by: 'link' },
  ],
};
const loaded = reduceSharing(NOT_LOADED, { type: 'loaded', sharing: SHARING });
const change = (state: SharingState, id: number, of: string, apply: (sharing: Sharing) => Sharing) => reduceSharing(state, { type: 'changed', change: { id, of, apply } });
const roles = (sharing: Sharing | null) => sharing?.people.map(({ user, role, by }) => `${user} ${role} ${by}`);

describe('sharing', () => {
  it('shows a change at once and says that it is not certain yet', () => {
    const state = change(loaded, 1, 'link', (sharing) => withLink(sharing, 'edit'));
    expect(shownSharing(state)?.link).toBe('edit');
    expect([isChanging(state, 'link'), isChanging(state, 'ben')]).toEqual([true, false]);
    expect(state.known?.link).toBe('view');
  });

  it('puts a refused change back, says why, and leaves the others alone', () => {
    const two = change(change(loaded, 1, 'link', (sharing) => withLink(sharing, 'off')), 2, 'ben', (sharing) => withRole(sharing, 'ben', 'editor'));
    const state = reduceSharing(two, { type: 'refused', id: 1, code: 'forbidden' });
    expect([shownSharing(state)?.link, state.trouble]).toEqual(['view', expect.stringMatching(/owner/)]);
    expect(roles(shownSharing(state))).toContain('ben editor member');
    expect(change(state, 3, 'link', (sharing) => sharing).trouble).toBeNull();
  });

  it('takes the server’s word over its own guess, and an older word does not undo a later change', () => {
    const two = change(change(loaded, 1, 'link', (sharing) => withLink(sharing, 'edit')), 2, 'link', (sharing) => withLink(sharing, 'off'));
    const state = reduceSharing(two, { type: 'done', id: 1, sharing: { ...SHARING, link: 'edit' } });
    expect(shownSharing(state)?.link).toBe('off');
    expect(shownSharing(reduceSharing(state, { type: 'done', id: 2, sharing: { ...SHARING, link: 'off' } }))?.link).toBe('off');
    const removed = change(loaded, 3, 'ben', (sharing) => withoutPerson(sharing, 'ben'));
    expect(roles(reduceSharing(removed, { type: 'done', id: 3, sharing: null }).known)).toEqual(['ada owner owner', 'cleo viewer link']);
  });

  it('knows what the link and a handing over mean for everybody', () => {
    expect(roles(withLink(SHARING, 'edit'))).toContain('cleo editor link');
    expect(roles(withLink(SHARING, 'off'))).toEqual(['ada owner owner', 'ben commenter member']);
    expect(roles(withRole(SHARING, 'cleo', 'none'))).toContain('cleo none member');
    const given = withRole(SHARING, 'ben', 'owner');
    expect(roles(given)).toEqual(['ada editor member', 'ben owner owner', 'cleo viewer link']);
    expect(given.role).toBe('editor');
  });

  it('keeps what is known when a refresh fails, and says so when nothing is known', () => {
    expect(reduceSharing(loaded, { type: 'unavailable', code: 'unreachable' })).toEqual(loaded);
    expect(reduceSharing(NOT_LOADED, { type: 'unavailable', code: 'constructor' })).toMatchObject({ phase: 'error', trouble: expect.stringMatching(/did not work/) });
  });
});
