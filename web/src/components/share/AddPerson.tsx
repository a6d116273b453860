'use client';

import { UserPlus } from 'lucide-react';
import { type FormEvent, useId, useState } from 'react';
import type { GivenRole } from '@/data/api';
import { roleWords } from '@/lib/role';
import { Button } from '../Button';

export interface AddPersonProps {
  /** Who is here already: an id is given a role once. */
  known: readonly string[];
  onAdd(user: string, role: GivenRole): void;
}

const ROLES = ['editor', 'commenter', 'viewer'] as const;

/** What an id may be: see `UserId` in the protocol. */
const ID = /^[!-~]{1,64}$/u;

/**
 * Gives a role to somebody before they have come. People are known by the id that they sign in with; there is no list of
 * everybody to choose from.
 */
export function AddPerson({ known, onAdd }: AddPersonProps) {
  const [text, setText] = useState('');
  const [role, setRole] = useState<GivenRole>('editor');
  const [trouble, setTrouble] = useState<string | null>(null);
  const [field, hint] = [useId(), useId()];
  const user = text.trim();

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!ID.test(user)) return setTrouble('An id has up to 64 letters, digits and signs, and no space.');
    if (known.includes(user)) return setTrouble('They are in the list already.');
    onAdd(user, role);
    setText('');
  };

  return (
    <form onSubmit={submit} noValidate className="mb-2">
      <label htmlFor={field} className="mb-1 block text-sm">
        Add somebody by the id they sign in with
      </label>
      <div className="flex flex-wrap gap-2">
        <input
          id={field}
          dir="auto"
          value={text}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          aria-invalid={trouble !== null}
          aria-describedby={hint}
          onChange={(event) => {
            setText(event.target.value);
            setTrouble(null);
          }}
          className="h-9 min-w-40 flex-1 rounded-control border border-line-strong bg-paper px-3 text-sm touch:min-h-11"
        />
        <select
          aria-label="What they can do"
          value={role}
          onChange={(event) => setRole(event.target.value as GivenRole)}
          className="h-9 rounded-control border border-line-strong bg-paper px-2 text-sm touch:min-h-11"
        >
          {ROLES.map((one) => (
            <option key={one} value={one}>
              {roleWords(one)}
            </option>
          ))}
        </select>
        <Button look="outline" type="submit" disabled={!user}>
          <UserPlus size={16} aria-hidden /> Add
        </Button>
      </div>
      <p id={hint} role="status" className="mt-1 text-sm text-bad empty:hidden">
        {trouble}
      </p>
    </form>
  );
}
