// Roles in words: what a person may do with a document.
import type { GivenRole, Role } from '@/data/api';

/** Roles whose text the server takes. */
export const canWrite = (role: string): boolean => role === 'owner' || role === 'editor';

const WORDS: Record<GivenRole, string> = {
  owner: 'Owner',
  editor: 'Can edit',
  commenter: 'Can comment',
  viewer: 'Can view',
  none: 'Shut out',
};

export const roleWords = (role: GivenRole): string => WORDS[role];

/** A reader's badge in the bar. */
export const readerBadge = (role: string): string => (role === 'commenter' ? 'Comment only' : 'View only');

/** What to tell a person whose role has changed while they look; null when it makes no difference to them. */
export function roleNews(before: string, now: Role | string): string | null {
  if (!before || !now || before === now) return null;
  if (now === 'owner') return 'This document is yours now.';
  if (canWrite(now)) return canWrite(before) ? 'You do not own this document any more. You can still edit it.' : 'You can edit this document now.';
  return now === 'commenter' ? 'You can only read and comment on this document now.' : 'You can only read this document now.';
}
