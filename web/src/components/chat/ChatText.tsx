import type { ChatLine } from '@/data/live';
import { partsOf } from '@/data/live';
import { quoted } from '@/lib/chat';
import { cx } from '@/lib/cx';

export interface ChatTextProps {
  line: ChatLine;
  /** The id of who looks: their own name stands out. */
  me: string | undefined;
}

/** What a message says: text, names and addresses, and nothing that is read as HTML. */
export function ChatText({ line, me }: ChatTextProps) {
  const { at } = quoted(line);
  const text = line.text.slice(at);
  const mentions = line.mentions.map(({ start, end, user }) => ({ start: start - at, end: end - at, user })).filter(({ start }) => start >= 0);
  return (
    <p dir="auto" className="text-sm break-words whitespace-pre-wrap">
      {partsOf(text, mentions).map((part, index) => {
        if (part.kind === 'text') return part.text;
        if (part.kind === 'mention') {
          return (
            <span key={index} className={cx('rounded-control px-0.5 font-medium text-accent-strong', part.user === me && 'bg-accent-tint')}>
              {part.text}
            </span>
          );
        }
        return (
          <a key={index} href={part.href} target="_blank" rel="noopener noreferrer nofollow ugc" className="text-accent-strong underline underline-offset-2">
            {part.text}
          </a>
        );
      })}
    </p>
  );
}
