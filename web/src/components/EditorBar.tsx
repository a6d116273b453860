'use client';

import { ChevronLeft, Users } from 'lucide-react';
import type { ReactNode, Ref } from 'react';
import type { Person } from '@/data/live';
import type { SaveLine } from '@/lib/save-state';
import { Button } from './Button';
import { Hint } from './Hint';
import { PeopleBar } from './PeopleBar';
import { SaveState } from './SaveState';
import { TitleField, type TitleFieldHandle } from './TitleField';

export interface EditorBarProps {
  /** There is no document to name, save or share: only the way back. */
  absent?: boolean;
  title: string;
  titleRef?: Ref<TitleFieldHandle>;
  canRename: boolean;
  line: SaveLine;
  people: readonly Person[];
  onRename(title: string): void;
  onDoneWithTitle(): void;
  onRetry(): void;
  onGoTo(person: Person): void;
  roleOf?: (user: string) => string | undefined;
  onLookAtPeople?: (looks: boolean) => void;
  /** Absent where there is nothing to share. */
  onShare?: (() => void) | undefined;
  /** Opens the chat. */
  chat?: ReactNode;
  /** What one is told. */
  bell?: ReactNode;
  /** The menu at the end. */
  menu: ReactNode;
}

/** The one slim bar above the text. */
export function EditorBar({ titleRef, menu, absent = false, ...props }: EditorBarProps) {
  return (
    <header className="flex h-12 shrink-0 items-center border-b border-line ps-1 pe-1 sm:gap-2 sm:ps-2 sm:pe-2 touch:h-14">
      <Hint label="Documents">
        <a
          href="/"
          aria-label="Documents"
          className="inline-flex size-8 shrink-0 items-center justify-center rounded-control text-muted hover:bg-wash hover:text-ink touch:size-11"
        >
          <ChevronLeft size={16} aria-hidden className="rtl:-scale-x-100" />
        </a>
      </Hint>
      <h1 className="sr-only">{absent ? 'Document' : props.title || 'Untitled'}</h1>
      {!absent && (
        <>
          <div className="min-w-16 flex-1 sm:min-w-24">
            <TitleField ref={titleRef} title={props.title} readOnly={!props.canRename} onRename={props.onRename} onDone={props.onDoneWithTitle} />
          </div>
          <div className="flex max-w-[45%] min-w-0 shrink justify-end px-1 sm:max-w-none sm:px-2">
            <SaveState line={props.line} onRetry={props.onRetry} />
          </div>
          <PeopleBar people={props.people} onGoTo={props.onGoTo} roleOf={props.roleOf} onLook={props.onLookAtPeople} />
          {props.onShare && (
            <Button onClick={props.onShare} className="border border-line-strong text-sm max-sm:hidden" aria-haspopup="dialog">
              <Users size={16} aria-hidden /> Share
            </Button>
          )}
          {props.chat}
          {props.bell}
          {menu}
        </>
      )}
    </header>
  );
}
