import { describe, expect, it } from 'vitest';
import { canWrite, readerBadge, roleNews } from './role';

describe('roles', () => {
  it('let owners and editors write, and nobody whose role is not known yet', () => {
    expect(['owner', 'editor', 'commenter', 'viewer', ''].map(canWrite)).toEqual([true, true, false, false, false]);
  });

  it('have a badge for those who only read', () => {
    expect([readerBadge('viewer'), readerBadge('commenter')]).toEqual(['View only', 'Comment only']);
  });

  it('are news only when they change under the person’s eyes', () => {
    expect(roleNews('', 'viewer')).toBeNull();
    expect(roleNews('editor', 'editor')).toBeNull();
    expect(roleNews('editor', '')).toBeNull();
    expect(roleNews('editor', 'viewer')).toMatch(/only read this/);
    expect(roleNews('editor', 'commenter')).toMatch(/read and comment/);
    expect(roleNews('viewer', 'editor')).toMatch(/can edit/);
    expect(roleNews('editor', 'owner')).toMatch(/yours/);
    expect(roleNews('owner', 'editor')).toMatch(/still edit/);
  });
});
