'use client';

import { Bug, Check, Download, History, Keyboard, Link2, MoreHorizontal, Redo2, Trash2, Undo2, UserRound, Users } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { type Face, setPreferences, usePreferences } from '@/data/preferences';
import { cx } from '@/lib/cx';
import { IconButton } from './Button';
import { Keys } from './Keys';
import { MENU, MENU_ITEM, MENU_LABEL, MENU_LINE } from './menu';
import { ThemeItems } from './ThemeMenu';

export interface EditorMenuProps {
  /** Who only reads has nothing to undo. */
  canWrite: boolean;
  canUndo: boolean;
  canRedo: boolean;
  canDelete: boolean;
  onUndo(): void;
  onRedo(): void;
  onShare(): void;
  onCopyLink(): void;
  onHistory(): void;
  onDownload(): void;
  onReport(): void;
  onHelp(): void;
  onMe(): void;
  onDelete(): void;
}

const FACE_NAMES: { face: Face; name: string; family: string }[] = [
  { face: 'serif', name: 'Serif', family: 'var(--face-serif)' },
  { face: 'sans', name: 'Sans', family: 'var(--face-ui)' },
  { face: 'mono', name: 'Mono', family: 'var(--face-mono)' },
];

function FaceItems() {
  const { face } = usePreferences();
  return (
    <DropdownMenu.RadioGroup value={face} onValueChange={(next) => setPreferences({ face: next as Face })} className="grid grid-cols-3 gap-1">
      {FACE_NAMES.map(({ face: value, name, family }) => (
        <DropdownMenu.RadioItem
          key={value}
          value={value}
          className="flex flex-col items-center rounded-control border border-transparent py-2 text-xs text-muted outline-none data-[highlighted]:bg-wash data-[state=checked]:border-line-strong data-[state=checked]:text-ink"
          onSelect={(event) => event.preventDefault()}
        >
          <span aria-hidden className="text-lg text-ink" style={{ fontFamily: family }}>
            Aa
          </span>
          <span className="inline-flex items-center gap-1">
            {name}
            <DropdownMenu.ItemIndicator>
              <Check size={12} aria-hidden />
            </DropdownMenu.ItemIndicator>
          </span>
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}

/** Everything about this document that is not writing. */
export function EditorMenu(props: EditorMenuProps) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>
        <IconButton label="Menu">
          <MoreHorizontal size={16} aria-hidden />
        </IconButton>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="end" sideOffset={6} collisionPadding={8} className={cx(MENU, 'max-h-(--radix-dropdown-menu-content-available-height) w-60 overflow-y-auto')}>
          <DropdownMenu.Label className={MENU_LABEL}>Typeface</DropdownMenu.Label>
          <FaceItems />
          <DropdownMenu.Separator className={MENU_LINE} />
          {props.canWrite && (
            <>
              <DropdownMenu.Item className={MENU_ITEM} disabled={!props.canUndo} onSelect={props.onUndo}>
                <Undo2 size={16} aria-hidden /> Undo <span className="ms-auto"><Keys combo="mod+z" quiet /></span>
              </DropdownMenu.Item>
              <DropdownMenu.Item className={MENU_ITEM} disabled={!props.canRedo} onSelect={props.onRedo}>
                <Redo2 size={16} aria-hidden /> Redo <span className="ms-auto"><Keys combo="mod+shift+z" quiet /></span>
              </DropdownMenu.Item>
              <DropdownMenu.Separator className={MENU_LINE} />
            </>
          )}
          <DropdownMenu.Item className={MENU_ITEM} onSelect={props.onShare}>
            <Users size={16} aria-hidden /> Share <span className="ms-auto"><Keys combo="alt+shift+s" quiet /></span>
          </DropdownMenu.Item>
          <DropdownMenu.Item className={MENU_ITEM} onSelect={props.onCopyLink}>
            <Link2 size={16} aria-hidden /> Copy link
          </DropdownMenu.Item>
          <DropdownMenu.Item className={MENU_ITEM} onSelect={props.onHistory}>
            <History size={16} aria-hidden /> History <span className="ms-auto"><Keys combo="alt+shift+h" quiet /></span>
          </DropdownMenu.Item>
          <DropdownMenu.Item className={MENU_ITEM} onSelect={props.onDownload}>
            <Download size={16} aria-hidden /> Download as text
          </DropdownMenu.Item>
          <DropdownMenu.Item className={MENU_ITEM} onSelect={props.onMe}>
            <UserRound size={16} aria-hidden /> Your name and colour
          </DropdownMenu.Item>
          <DropdownMenu.Item className={MENU_ITEM} onSelect={props.onHelp}>
            <Keyboard size={16} aria-hidden /> Keyboard <span className="ms-auto"><Keys combo="mod+/" quiet /></span>
          </DropdownMenu.Item>
          <DropdownMenu.Item className={MENU_ITEM} onSelect={props.onReport}>
            <Bug size={16} aria-hidden /> Report of this session…
          </DropdownMenu.Item>
          <DropdownMenu.Separator className={MENU_LINE} />
          <DropdownMenu.Label className={MENU_LABEL}>Theme</DropdownMenu.Label>
          <ThemeItems />
          {props.canDelete && (
            <>
              <DropdownMenu.Separator className={MENU_LINE} />
              <DropdownMenu.Item className={cx(MENU_ITEM, 'text-bad [&>svg]:text-bad')} onSelect={props.onDelete}>
                <Trash2 size={16} aria-hidden /> Delete
              </DropdownMenu.Item>
            </>
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
