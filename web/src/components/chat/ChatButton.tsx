import { MessageSquare } from 'lucide-react';
import { IconButton } from '../Button';

export interface ChatButtonProps {
  unread: number;
  open: boolean;
  onToggle(): void;
}

/** Opens the chat, and tells what is new in it. */
export function ChatButton({ unread, open, onToggle }: ChatButtonProps) {
  const count = unread > 99 ? '99+' : String(unread);
  return (
    <IconButton label={unread > 0 ? `Chat, ${count} unread` : 'Chat'} shortcut="alt+shift+c" aria-pressed={open} onClick={onToggle} className="relative">
      <MessageSquare size={16} aria-hidden />
      {unread > 0 && (
        <span aria-hidden className="absolute end-0 top-0 flex h-4 min-w-4 items-center justify-center rounded-full bg-accent px-1 text-[0.625rem] font-bold text-on-accent tabular-nums touch:end-1 touch:top-1">
          {count}
        </span>
      )}
    </IconButton>
  );
}
