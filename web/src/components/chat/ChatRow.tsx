import { CornerUpLeft, MoreHorizontal, Pencil, Trash2 } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { ChatLine } from '@/data/live';
import { quoted, refusalWords } from '@/lib/chat';
import { cx } from '@/lib/cx';
import { clockTime, fullTime } from '@/lib/time';
import { Avatar } from '../Avatar';
import { MENU, MENU_ITEM } from '../menu';
import { ChatText } from './ChatText';

export interface ChatRowProps {
  line: ChatLine;
  /** It begins with who speaks. */
  first: boolean;
  /** The author's colour. */
  color: number;
  me: string | undefined;
  /** The owner takes anybody's words back. */
  isOwner: boolean;
  canWrite: boolean;
  /** What became of the passage that it is about, where somebody has looked. */
  found?: string | undefined;
  onEdit(line: ChatLine): void;
  onRemove(line: ChatLine): void;
  onRetry(line: ChatLine): void;
  onDiscard(line: ChatLine): void;
  onFind(line: ChatLine): void;
}

/** One message. */
export function ChatRow({ line, first, color, me, isOwner, canWrite, found, ...on }: ChatRowProps) {
  const mayEdit = line.own && canWrite && !line.deleted;
  const mayRemove = !line.deleted && canWrite && (line.own || isOwner) && line.number !== undefined;
  const { quote } = quoted(line);
  return (
    <li data-line={line.number ?? 'waiting'} className={cx('group relative flex gap-2 ps-4 pe-3 hover:bg-wash focus-within:bg-wash touch:pe-12', first ? 'mt-2 pt-1' : 'py-px')}>
      <div className="w-7 shrink-0 pt-0.5">{first && <Avatar name={line.author.name} color={color} />}</div>
      <div className="min-w-0 flex-1">
        {first ? (
          <p className="flex min-w-0 items-baseline gap-2 pe-7 touch:pe-0">
            <bdi className="truncate text-sm font-medium">{line.author.name}</bdi>
            <time dateTime={new Date(line.timeMs).toISOString()} title={fullTime(line.timeMs)} className="shrink-0 text-xs text-muted tabular-nums">
              {clockTime(line.timeMs)}
            </time>
          </p>
        ) : (
          <span className="sr-only">{line.author.name}:</span>
        )}
        {line.ref && (
          <button
            type="button"
            onClick={() => on.onFind(line)}
            className="my-1 flex max-w-full items-start gap-1 border-s-2 border-line-strong ps-2 text-start text-xs text-muted hover:border-accent hover:text-ink touch:min-h-11 touch:items-center"
          >
            <span className="sr-only">Show in the text: </span>
            <span dir="auto" className="line-clamp-2 font-text break-words">{quote || 'A passage of the text'}</span>
          </button>
        )}
        {found && (
          <p role="status" className="text-xs text-warn">
            {found}
          </p>
        )}
        {line.deleted ? <p className="text-sm text-muted italic">Message deleted</p> : <ChatText line={line} me={me} />}
        {line.editedMs !== undefined && !line.deleted && (
          <span title={fullTime(line.editedMs)} className="text-xs text-muted">
            edited
          </span>
        )}
        {line.state === 'sending' && <p className="text-xs text-muted">Sending…</p>}
        {line.state === 'failed' && (
          <p role="alert" className="flex flex-wrap items-center gap-x-2 text-xs text-bad">
            {refusalWords(line.code)}.
            <button type="button" onClick={() => on.onRetry(line)} className="rounded-control underline underline-offset-2 touch:min-h-11">Try again</button>
            <button type="button" onClick={() => on.onDiscard(line)} className="rounded-control underline underline-offset-2 touch:min-h-11">Discard</button>
          </p>
        )}
      </div>
      {(mayEdit || mayRemove || (line.ref && !line.deleted)) && (
        <DropdownMenu.Root modal={false}>
          <DropdownMenu.Trigger
            aria-label={`More for the message of ${line.author.name}`}
            className="absolute end-2 top-0.5 inline-flex size-6 items-center justify-center rounded-control bg-raised text-muted opacity-0 shadow-float group-focus-within:opacity-100 group-hover:opacity-100 hover:text-ink data-[state=open]:opacity-100 touch:size-9 touch:bg-transparent touch:opacity-100 touch:shadow-none"
          >
            <MoreHorizontal size={16} aria-hidden />
          </DropdownMenu.Trigger>
          <DropdownMenu.Portal>
            <DropdownMenu.Content align="end" sideOffset={4} collisionPadding={8} className={MENU}>
              {line.ref && !line.deleted && (
                <DropdownMenu.Item className={MENU_ITEM} onSelect={() => on.onFind(line)}>
                  <CornerUpLeft size={16} aria-hidden /> Show in the text
                </DropdownMenu.Item>
              )}
              {mayEdit && (
                <DropdownMenu.Item className={MENU_ITEM} onSelect={() => on.onEdit(line)}>
                  <Pencil size={16} aria-hidden /> Edit
                </DropdownMenu.Item>
              )}
              {mayRemove && (
                <DropdownMenu.Item className={cx(MENU_ITEM, 'text-bad [&>svg]:text-bad')} onSelect={() => on.onRemove(line)}>
                  <Trash2 size={16} aria-hidden /> Delete
                </DropdownMenu.Item>
              )}
            </DropdownMenu.Content>
          </DropdownMenu.Portal>
        </DropdownMenu.Root>
      )}
    </li>
  );
}
