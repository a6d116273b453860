'use client';

import { X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { toast } from 'sonner';
import { useNow } from '@/data/clock';
import { type Chat, type ChatLine, type ChatPerson, type Person, referenceOf } from '@/data/live';
import { useSharing } from '@/data/sharing';
import { type ChatNote, closedWords, quoted, quoteOf, typingWords } from '@/lib/chat';
import { IconButton } from '../Button';
import { TEXT_ID } from '../TextSheet';
import { ChatLines } from './ChatLines';
import { Composer, type ComposerHandle, type Passage } from './Composer';

export interface ChatPanelProps {
  id: string;
  chat: Chat;
  /** The document beside it: where passages are. */
  session: Parameters<typeof referenceOf>[0] | null;
  people: readonly Person[];
  notes: readonly ChatNote[];
  /** It covers the text, as on a phone. */
  covers: boolean;
  onClose(): void;
}

const textField = () => document.getElementById(TEXT_ID) as HTMLTextAreaElement | null;

/** What is said beside the text. */
export function ChatPanel({ id, chat, session, people, notes, covers, onClose }: ChatPanelProps) {
  const composer = useRef<ComposerHandle>(null);
  const [passage, setPassage] = useState<Passage | null>(null);
  const [editingId, setEditingId] = useState<string | null>(null);
  const [found, setFound] = useState<ReadonlyMap<string, string>>(new Map());
  const now = useNow(60_000);
  const nowMs = now ?? chat.lines.at(-1)?.timeMs ?? 0;
  const editing = chat.lines.find((line) => line.id === editingId && !line.deleted) ?? null;
  const named = useNamed(id, chat, people);
  const colors = useMemo(() => new Map(people.map(({ user, color }) => [user, color])), [people]);
  const { send, edit, setTyping } = chat;

  useEffect(() => composer.current?.focus(), []);

  const say = (text: string, mentions: { start: number; end: number; user: string }[]) => {
    if (editing) {
      const head = editing.text.slice(0, quoted(editing).at);
      edit(editing.id, head + text, mentions.map(({ start, end, user }) => ({ start: start + head.length, end: end + head.length, user })));
      return setEditingId(null);
    }
    if (!passage) return void send(text, { mentions });
    const head = `> ${passage.quote}\n`;
    send(head + text, { ref: passage.ref, mentions: mentions.map(({ start, end, user }) => ({ start: start + head.length, end: end + head.length, user })) });
    setPassage(null);
  };
  const quote = () => {
    const field = textField();
    const selection = field && { anchor: field.selectionStart, head: field.selectionEnd };
    if (!session || !field || !selection || selection.anchor === selection.head) return void toast('Select something in the text first');
    const ref = referenceOf(session, selection);
    if (!ref) return void toast('One moment: what was typed is being saved');
    setPassage({ ref, quote: quoteOf(field.value.slice(selection.anchor, selection.head)) });
    composer.current?.focus();
  };
  const find = async (line: ChatLine) => {
    if (!line.ref || !session || !chat.session) return;
    const tell = (words: string) => setFound((known) => new Map(known).set(line.id, words));
    try {
      const place = await chat.session.find(line.ref, session);
      if ('gone' in place) return tell(`The text was deleted in revision ${place.gone.toLocaleString()}.`);
      tell('');
      if (covers) onClose();
      showInText(place.anchor, place.head);
    } catch {
      tell('This needs a connection. Try again in a moment.');
    }
  };
  const escape = () => {
    if (editing) setEditingId(null);
    else if (passage) setPassage(null);
    else onClose();
  };

  // From wherever in the panel the focus is.
  const keys = {
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented) escape();
    },
  };

  return (
    <aside
      aria-label="Chat"
      {...keys}
      className="absolute inset-x-0 top-12 bottom-0 z-30 flex animate-arrive flex-col rounded-t-panel bg-raised shadow-float lg:static lg:z-auto lg:w-88 lg:shrink-0 lg:animate-none lg:rounded-none lg:border-s lg:border-line lg:bg-sunken lg:shadow-none touch:top-14"
    >
      <div className="flex h-10 shrink-0 items-center justify-between ps-4 pe-2 touch:h-12">
        <h2 className="text-sm font-bold">Chat</h2>
        <IconButton label="Close the chat" onClick={onClose}>
          <X size={16} aria-hidden />
        </IconButton>
      </div>
      {chat.phase === 'closed' && (
        <p role="status" className="border-b border-line bg-warn-tint px-4 py-2 text-sm text-warn">
          {closedWords(chat.code)}
        </p>
      )}
      <ChatLines chat={chat} notes={notes} colors={colors} nowMs={nowMs} found={found} onEdit={(line) => { setEditingId(line.id); composer.current?.focus(); }} onFind={(line) => void find(line)} />
      <p role="status" data-testid="typing" className="h-5 shrink-0 truncate px-4 text-xs text-muted">
        {typingWords(chat.typing)}
      </p>
      {chat.phase !== 'loading' && (
        <Composer
          ref={composer}
          canWrite={chat.canWrite}
          people={named}
          passage={passage}
          editing={editing}
          onSend={say}
          onTyping={setTyping}
          onQuote={quote}
          onEscape={escape}
        />
      )}
    </aside>
  );
}

/** Selects a passage of the text and brings it into view. */
function showInText(start: number, end: number): void {
  const field = textField();
  if (!field) return;
  field.blur();
  field.setSelectionRange(start, start);
  // Browsers bring the caret into view when the field takes the focus; the selection is its own highlight.
  field.focus();
  field.setSelectionRange(start, end);
}

/** Everybody who may be named: who is here, who has written, who was given the document; each once, without oneself. */
function useNamed(id: string, chat: Chat, people: readonly Person[]): ChatPerson[] {
  const { sharing } = useSharing(id, true);
  const me = chat.me?.user;
  return useMemo(() => {
    const known = new Map<string, ChatPerson>();
    for (const line of chat.lines) known.set(line.author.user, line.author);
    for (const { user, name, color, role } of sharing?.people ?? []) if (role !== 'none') known.set(user, { user, name, color });
    for (const { user, name, color } of people) known.set(user, { user, name, color });
    if (me) known.delete(me);
    return [...known.values()];
  }, [chat.lines, sharing, people, me]);
}
