// Notifications in words, and where they lead.
import type { Notification } from '@concord/client/notifications';
import { documentPath } from './document-id';

/** A notification as it is shown: one line, a quieter one, and a place. */
export interface NotificationWords {
  title: string;
  detail: string;
  /** `null` for what leads nowhere. */
  href: string | null;
  /** Whose face stands beside it. */
  face: { name: string; color: number } | null;
}

const ROLE_WORDS = { owner: 'It is yours now', editor: 'You can edit it', commenter: 'You can comment on it', viewer: 'You can read it' } as const;
const named = (title: string): string => `“${title || 'Untitled'}”`;

/** "Ben", "Ben and Eve", "Ben, Eve and 3 others". */
export function whoWords(names: readonly string[], people: number): string {
  const [first = 'Somebody', second] = names;
  if (second === undefined || people <= 1) return first;
  if (people === 2) return `${first} and ${second}`;
  return `${first}, ${second} and ${people === 3 ? '1 other' : `${(people - 2).toLocaleString()} others`}`;
}

export function notificationWords({ about }: Pick<Notification, 'about'>): NotificationWords {
  switch (about.kind) {
    case 'mentioned':
      return { title: `${about.by.name} named you in the chat of ${named(about.title)}`, detail: '', href: documentPath(about.doc), face: about.by };
    case 'shared':
      return { title: `${about.by?.name ?? 'Somebody'} shared ${named(about.title)} with you`, detail: ROLE_WORDS[about.role], href: documentPath(about.doc), face: about.by ?? null };
    case 'edited': {
      const edits = about.edits === 1 ? '1 edit' : `${about.edits.toLocaleString()} edits`;
      return {
        title: `${whoWords(about.by.map(({ name }) => name), about.people)} edited ${named(about.title)}`,
        detail: `${edits} while you were away`,
        href: documentPath(about.doc),
        face: about.by[0] ?? null,
      };
    }
    case 'app':
      return { title: about.title, detail: about.body ?? '', href: about.url ?? null, face: null };
  }
}
