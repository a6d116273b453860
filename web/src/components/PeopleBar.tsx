'use client';

import { Popover } from 'radix-ui';
import type { Person } from '@/data/live';
import { cx } from '@/lib/cx';
import { Avatar } from './Avatar';
import { Hint } from './Hint';

/** Faces in the bar before the rest becomes a number. */
const FACES_MAX = 5;

export interface PeopleBarProps {
  people: readonly Person[];
  onGoTo(person: Person): void;
  /** What a person may do, in words, where that is known and not the usual. */
  roleOf?: (user: string) => string | undefined;
  /** Somebody looks at the people, or does not any more. */
  onLook?: (looks: boolean) => void;
}

const label = (person: Person) => (person.self ? `${person.name} (you)` : person.name);

/** Who is here: one face per person, mine last and quiet, the rest behind a number. A click goes to where they write. */
export function PeopleBar({ people, onGoTo, roleOf = () => undefined, onLook }: PeopleBarProps) {
  const persons = onePerPerson(people);
  const faces = persons.length > FACES_MAX ? persons.slice(0, FACES_MAX) : persons;
  const rest = persons.length - faces.length;
  return (
    <div role="group" aria-label={`People here: ${persons.length}`} className="flex shrink-0 items-center">
      <ul className="hidden items-center gap-1 sm:flex touch:gap-0">
        {faces.map((person) => (
          <li key={person.session}>
            <Face person={person} role={roleOf(person.user)} onGoTo={onGoTo} onLook={onLook} />
          </li>
        ))}
      </ul>
      <Popover.Root onOpenChange={(open) => onLook?.(open)}>
        <Popover.Trigger
          className={cx(
            'relative h-8 min-w-8 items-center justify-center rounded-full px-1 text-xs font-medium text-muted tabular-nums hover:bg-wash hover:text-ink data-[state=open]:bg-wash touch:min-h-11 touch:min-w-11',
            rest > 0 ? 'inline-flex' : 'inline-flex sm:hidden',
          )}
        >
          <span className="hidden sm:inline">+{rest}</span>
          <span className="inline-flex items-center gap-1 sm:hidden">
            {persons[0] && <Avatar name={persons[0].name} color={persons[0].color} />}
            {persons.length > 1 && <span>+{persons.length - 1}</span>}
          </span>
          <span className="sr-only">: show all {persons.length} people here</span>
        </Popover.Trigger>
        <Popover.Portal>
          <Popover.Content align="end" sideOffset={8} collisionPadding={8} aria-label="People here" className="z-40 w-64 rounded-panel bg-raised p-1 shadow-float data-[state=open]:animate-arrive">
            <ul className="max-h-80 overflow-y-auto overscroll-contain">
              {persons.map((person) => (
                <li key={person.session}>
                  <Popover.Close asChild>
                    <button
                      type="button"
                      onClick={() => onGoTo(person)}
                      className="flex w-full items-center gap-3 rounded-control px-2 py-1.5 text-start text-sm hover:bg-wash touch:min-h-11"
                    >
                      <Avatar name={person.name} color={person.color} size="small" />
                      <span className="min-w-0 truncate" dir="auto">{person.name}</span>
                      <span className="ms-auto shrink-0 text-xs text-muted">{[person.self && 'you', roleOf(person.user)].filter(Boolean).join(' · ')}</span>
                    </button>
                  </Popover.Close>
                </li>
              ))}
            </ul>
          </Popover.Content>
        </Popover.Portal>
      </Popover.Root>
    </div>
  );
}

function Face({ person, role, onGoTo, onLook }: Pick<PeopleBarProps, 'onGoTo' | 'onLook'> & { person: Person; role: string | undefined }) {
  const words = (person.self ? label(person) : `Go to ${person.name}`) + (role ? ` · ${role}` : '');
  return (
    <Hint label={words}>
      <button
        type="button"
        aria-label={words}
        onClick={() => onGoTo(person)}
        onPointerEnter={() => onLook?.(true)}
        onPointerLeave={() => onLook?.(false)}
        onFocus={() => onLook?.(true)}
        onBlur={() => onLook?.(false)}
        className="block rounded-full transition-transform duration-100 ease-out hover:-translate-y-px touch:p-2"
      >
        <Avatar name={person.name} color={person.color} />
      </button>
    </Hint>
  );
}

/** A person with two tabs is one face; others come before me. */
export function onePerPerson(people: readonly Person[]): Person[] {
  const byUser = new Map<string, Person>();
  for (const person of people) {
    const known = byUser.get(person.user);
    if (!known || (person.self && !known.self)) byUser.set(person.user, person);
  }
  return [...byUser.values()].sort((a, b) => Number(a.self ?? false) - Number(b.self ?? false) || a.session - b.session);
}
