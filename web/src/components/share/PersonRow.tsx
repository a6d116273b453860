'use client';

import { Check, ChevronDown } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useRef } from 'react';
import type { GivenRole, LinkAccess, SharingPerson } from '@/data/api';
import { cx } from '@/lib/cx';
import { roleWords } from '@/lib/role';
import { Avatar } from '../Avatar';
import { MENU, MENU_ITEM, MENU_LINE } from '../menu';

export interface PersonRowProps {
  person: SharingPerson;
  isMe: boolean;
  /** What counts for somebody without a role by name. */
  link: LinkAccess;
  canChange: boolean;
  changing: boolean;
  onRole(role: GivenRole): void;
  /** Takes away what was given by name. */
  onRemove(): void;
}

const CHOICES = ['editor', 'commenter', 'viewer'] as const;

/** What it means to take away what a person was given by name. */
const withoutNameWords = (link: LinkAccess): string => (link === 'off' ? 'Remove' : `Let the link decide: ${roleWords(link === 'edit' ? 'editor' : 'viewer').toLowerCase()}`);

/** One person and what they may do. */
export function PersonRow({ person, isMe, link, canChange, changing, onRole, onRemove }: PersonRowProps) {
  const out = person.role === 'none';
  return (
    <li className="flex min-h-11 items-center gap-3 rounded-control px-2 py-1">
      <Avatar name={person.name} color={person.color} className={cx(out && 'opacity-50')} />
      <div className="min-w-0 flex-1 leading-tight">
        <p className={cx('truncate text-sm', out && 'text-muted')}>
          <bdi>{person.name}</bdi>
          {isMe && <span className="text-muted"> (you)</span>}
        </p>
        {person.by === 'link' && <p className="text-xs text-muted">came by the link</p>}
      </div>
      {changing && (
        <span role="status" className="shrink-0 text-xs text-muted">
          Saving…
        </span>
      )}
      {canChange ? <RoleMenu person={person} link={link} onRole={onRole} onRemove={onRemove} /> : <span className="shrink-0 px-2 text-sm text-muted">{roleWords(person.role)}</span>}
    </li>
  );
}

function RoleMenu({ person, link, onRole, onRemove }: Pick<PersonRowProps, 'person' | 'link' | 'onRole' | 'onRemove'>) {
  const words = roleWords(person.role);
  const out = person.role === 'none';
  /** The question that follows takes the focus. */
  const asks = useRef(false);
  return (
    <DropdownMenu.Root modal={false} onOpenChange={() => (asks.current = false)}>
      <DropdownMenu.Trigger
        aria-label={`${person.name}: ${words}. Change`}
        className="-me-1 inline-flex h-8 shrink-0 items-center gap-1 rounded-control px-2 text-sm hover:bg-wash data-[state=open]:bg-wash touch:min-h-11"
      >
        {words} <ChevronDown size={16} aria-hidden className="text-muted" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="end" sideOffset={4} collisionPadding={8} className={cx(MENU, 'z-50')} onCloseAutoFocus={(event) => asks.current && event.preventDefault()}>
          <DropdownMenu.RadioGroup value={person.role} onValueChange={(role) => role !== person.role && onRole(role as GivenRole)}>
            {CHOICES.map((role) => (
              <DropdownMenu.RadioItem key={role} value={role} className={MENU_ITEM}>
                {roleWords(role)}
                <DropdownMenu.ItemIndicator className="ms-auto">
                  <Check size={16} aria-hidden />
                </DropdownMenu.ItemIndicator>
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          <DropdownMenu.Separator className={MENU_LINE} />
          {!out && (
            <DropdownMenu.Item
              className={MENU_ITEM}
              onSelect={() => {
                onRole('owner');
                // After the menu has said that it closes.
                queueMicrotask(() => (asks.current = true));
              }}
            >
              Hand over…
            </DropdownMenu.Item>
          )}
          {person.by === 'member' && (
            <DropdownMenu.Item className={MENU_ITEM} onSelect={onRemove}>
              {withoutNameWords(link)}
            </DropdownMenu.Item>
          )}
          {!out && (
            <DropdownMenu.Item className={cx(MENU_ITEM, 'text-bad')} onSelect={() => onRole('none')}>
              Shut out
            </DropdownMenu.Item>
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
