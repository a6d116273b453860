'use client';

import { Link2, MoreHorizontal, Pencil, RotateCcw, Trash2 } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { DocumentInfo } from '@/data/api';
import { cx } from '@/lib/cx';
import { documentPath } from '@/lib/document-id';
import { canWrite } from '@/lib/role';
import { fullTime, timeAgo } from '@/lib/time';
import { Button, IconButton } from './Button';
import { MENU, MENU_ITEM, MENU_LINE } from './menu';

export interface DocumentActions {
  onRename(document: DocumentInfo, title: string): void;
  onDelete(document: DocumentInfo): void;
  onCopyLink(document: DocumentInfo): void;
  onRestore(document: DocumentInfo): void;
}

export interface DocumentRowProps extends DocumentActions {
  document: DocumentInfo;
  /** `null` before mount: times are left open so that nothing changes under hydration. */
  nowMs: number | null;
}

const ROW =
  'group relative flex min-h-11 items-center gap-3 rounded-control px-3 max-sm:min-h-14 hover:bg-wash focus-within:bg-wash has-[[data-state=open]]:bg-wash';

/** One document in the list: the whole row opens it; the rest is a menu and three keys. */
export function DocumentRow({ document, nowMs, onRename, onDelete, onCopyLink }: DocumentRowProps) {
  const [renaming, setRenaming] = useState(false);
  const link = useRef<HTMLAnchorElement>(null);
  const title = document.title || 'Untitled';
  const own = document.role === 'owner';

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'F2' && canWrite(document.role)) setRenaming(true);
    else if (event.key === 'Delete' && own) onDelete(document);
    else return;
    event.preventDefault();
  };
  const doneRenaming = (next: string | null) => {
    setRenaming(false);
    if (next) onRename(document, next);
    requestAnimationFrame(() => link.current?.focus());
  };

  return (
    <li className={ROW}>
      <div className="min-w-0 flex-1">
        {renaming ? (
          <RenameField title={document.title} onDone={doneRenaming} />
        ) : (
          <a
            ref={link}
            href={documentPath(document.id)}
            onKeyDown={onKeyDown}
            className="block truncate py-2 text-sm max-sm:pt-2.5 max-sm:pb-7 font-medium after:absolute after:inset-0 after:rounded-control focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-accent"
          >
            <bdi className={cx(!document.title && 'text-muted')}>{title}</bdi>
          </a>
        )}
      </div>
      {/* Beside the title; on a phone beneath it. */}
      <div className="flex shrink-0 items-center gap-4 text-xs text-muted tabular-nums max-sm:pointer-events-none max-sm:absolute max-sm:start-3 max-sm:bottom-2.5 max-sm:flex-row-reverse max-sm:gap-3">
        <Here count={document.here} />
        <time dateTime={new Date(document.updated_ms).toISOString()} title={nowMs === null ? undefined : fullTime(document.updated_ms)} className="sm:w-32 sm:text-end" suppressHydrationWarning>
          {nowMs !== null && timeAgo(document.updated_ms, nowMs)}
        </time>
      </div>
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger asChild>
          <IconButton label={`More for ${title}`} className="relative -me-1 sm:opacity-0 sm:group-focus-within:opacity-100 sm:group-hover:opacity-100 sm:data-[state=open]:opacity-100 touch:opacity-100">
            <MoreHorizontal size={16} aria-hidden />
          </IconButton>
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content align="end" sideOffset={4} collisionPadding={8} className={MENU} onCloseAutoFocus={(event) => renaming && event.preventDefault()}>
            <DropdownMenu.Item className={MENU_ITEM} disabled={!canWrite(document.role)} onSelect={() => setRenaming(true)}>
              <Pencil size={16} aria-hidden /> Rename
            </DropdownMenu.Item>
            <DropdownMenu.Item className={MENU_ITEM} onSelect={() => onCopyLink(document)}>
              <Link2 size={16} aria-hidden /> Copy link
            </DropdownMenu.Item>
            {own && (
              <>
                <DropdownMenu.Separator className={MENU_LINE} />
                <DropdownMenu.Item className={cx(MENU_ITEM, 'text-bad [&>svg]:text-bad')} onSelect={() => onDelete(document)}>
                  <Trash2 size={16} aria-hidden /> Delete
                </DropdownMenu.Item>
              </>
            )}
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
    </li>
  );
}

function Here({ count }: { count: number }) {
  if (count === 0) return null;
  return (
    <span className="flex shrink-0 items-center gap-1.5 text-ok">
      <span aria-hidden className="size-1.5 rounded-full bg-ok" />
      {count} here now
    </span>
  );
}

/** The title as a field. Enter or leaving saves, Escape keeps the old one. */
function RenameField({ title, onDone }: { title: string; onDone(next: string | null): void }) {
  const field = useRef<HTMLInputElement>(null);
  const settled = useRef(false);
  // Once, after the menu that asked for it has given the focus back: again would take what was typed until then.
  useEffect(() => {
    const frame = requestAnimationFrame(() => field.current?.select());
    return () => cancelAnimationFrame(frame);
  }, []);
  const settle = (value: string | null) => {
    if (settled.current) return;
    settled.current = true;
    const clean = value?.replace(/\s+/gu, ' ').trim();
    onDone(clean && clean !== title ? clean : null);
  };
  return (
    <input
      ref={field}
      aria-label="New title"
      dir="auto"
      defaultValue={title}
      placeholder="Untitled"
      maxLength={200}
      spellCheck={false}
      enterKeyHint="done"
      onBlur={(event) => settle(event.target.value)}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return;
        if (event.key !== 'Enter' && event.key !== 'Escape') return;
        event.preventDefault();
        settle(event.key === 'Enter' ? event.currentTarget.value : null);
      }}
      className="relative -mx-2 h-8 w-full rounded-control border border-line-strong bg-paper px-2 text-sm font-medium touch:h-11"
    />
  );
}

/** A deleted document: its name, when it went, and the way back. */
export function DeletedRow({ document, nowMs, onRestore }: Pick<DocumentRowProps, 'document' | 'nowMs' | 'onRestore'>) {
  const deletedMs = document.deleted_ms ?? document.updated_ms;
  return (
    <li className={ROW}>
      <bdi className="min-w-0 flex-1 truncate text-sm">{document.title || 'Untitled'}</bdi>
      <span className="hidden shrink-0 text-xs text-muted tabular-nums sm:inline">
        {nowMs !== null && `deleted ${timeAgo(deletedMs, nowMs)}`}
      </span>
      <Button onClick={() => onRestore(document)} aria-label={`Restore ${document.title || 'Untitled'}`} className="-me-1">
        <RotateCcw size={16} aria-hidden /> Restore
      </Button>
    </li>
  );
}
