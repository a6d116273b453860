'use client';

import { Quote, SendHorizontal, X } from 'lucide-react';
import { type KeyboardEvent, type Ref, useId, useImperativeHandle, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { type ChatLine, type ChatPerson, mentionsIn, type Reference } from '@/data/live';
import { candidates, mentionAt, quoted } from '@/lib/chat';
import { cx } from '@/lib/cx';
import { Avatar } from '../Avatar';
import { IconButton } from '../Button';

/** A passage that a message will be about. */
export interface Passage {
  ref: Reference;
  quote: string;
}

export interface ComposerHandle {
  focus(): void;
}

export interface ComposerProps {
  ref?: Ref<ComposerHandle>;
  canWrite: boolean;
  /** Everybody who may be named. */
  people: readonly ChatPerson[];
  passage: Passage | null;
  /** The message that is being edited. */
  editing: ChatLine | null;
  onSend(text: string, mentions: ReturnType<typeof mentionsIn>): void;
  onTyping(on: boolean): void;
  /** Takes the selection of the text. */
  onQuote(): void;
  /** Leaves the passage, the editing, or the panel. */
  onEscape(): void;
}

/** Where one writes: Enter sends, Shift+Enter begins a new line, `@` completes names. */
export function Composer({ ref, canWrite, people, passage, editing, onSend, onTyping, onQuote, onEscape }: ComposerProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  const [kept, setKept] = useState('');
  const [caret, setCaret] = useState(0);
  const [chosen, setChosen] = useState(0);
  const [shut, setShut] = useState(-1);
  const [was, setWas] = useState<string | null>(null);
  const listId = useId();
  useImperativeHandle(ref, () => ({ focus: () => field.current?.focus() }), []);

  // Another message is edited, or none any more: what was being written before waits.
  const now = editing?.id ?? null;
  if (now !== was) {
    setWas(now);
    if (editing) {
      if (was === null) setKept(text);
      setText(editing.text.slice(quoted(editing).at));
    } else {
      setText(kept);
      setKept('');
    }
  }

  const mention = mentionAt(text, caret);
  const offered = mention && mention.start !== shut ? candidates(mention.query, people) : [];
  const active = Math.min(chosen, offered.length - 1);

  const complete = (person: ChatPerson) => {
    if (!mention) return;
    const next = `${text.slice(0, mention.start)}@${person.name} ${text.slice(caret)}`;
    const at = mention.start + person.name.length + 2;
    // At once: a caret that came with the next frame would go back behind what was typed until then.
    flushSync(() => {
      setText(next);
      setCaret(at);
      setChosen(0);
    });
    field.current?.setSelectionRange(at, at);
  };
  const send = () => {
    if (text.trim() === '') return;
    onSend(text, mentionsIn(text, people));
    if (!editing) setText('');
    setCaret(0);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const { key } = event;
    if (offered.length > 0 && mention) {
      const step = key === 'ArrowDown' ? 1 : key === 'ArrowUp' ? -1 : 0;
      if (step !== 0) {
        event.preventDefault();
        return setChosen((active + step + offered.length) % offered.length);
      }
      const person = offered[active];
      if ((key === 'Enter' || key === 'Tab') && !event.shiftKey && person) {
        event.preventDefault();
        return complete(person);
      }
      if (key === 'Escape') {
        event.preventDefault();
        event.stopPropagation();
        return setShut(mention.start);
      }
    }
    if (key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      onEscape();
    }
  };

  if (!canWrite) return <p className="border-t border-line px-4 py-3 text-center text-sm text-muted">You may read this chat.</p>;
  return (
    <div className="relative border-t border-line p-3 pb-[max(0.75rem,env(safe-area-inset-bottom))]">
      {offered.length > 0 && (
        <div id={listId} role="listbox" aria-label="People" className="absolute inset-x-3 bottom-full z-10 mb-1 overflow-hidden rounded-panel bg-raised p-1 shadow-float">
          {offered.map((person, index) => (
            <div
              key={person.user}
              id={`${listId}-${String(index)}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === active}
              onPointerDown={(event) => {
                event.preventDefault();
                complete(person);
              }}
              className={cx('flex h-9 items-center gap-2 rounded-control px-2 text-sm touch:h-11', index === active && 'bg-wash')}
            >
              <Avatar name={person.name} color={person.color} size="small" />
              <bdi className="truncate">{person.name}</bdi>
            </div>
          ))}
        </div>
      )}
      {(passage || editing) && (
        <div className="mb-2 flex items-start gap-2 text-xs text-muted">
          <p dir="auto" className="line-clamp-2 min-w-0 flex-1 border-s-2 border-accent ps-2 break-words">
            {editing ? 'Editing your message' : <span className="font-text">{passage?.quote}</span>}
          </p>
          <button type="button" aria-label={editing ? 'Stop editing' : 'Without the passage'} onClick={onEscape} className="inline-flex size-6 shrink-0 items-center justify-center rounded-control hover:bg-wash hover:text-ink touch:size-11">
            <X size={14} aria-hidden />
          </button>
        </div>
      )}
      <div className="flex items-end gap-1 rounded-panel border border-line-strong bg-paper ps-1 pe-1 focus-within:border-accent">
        <IconButton label="Quote the selected text" onClick={onQuote} className="mb-1">
          <Quote size={16} aria-hidden />
        </IconButton>
        <textarea
          ref={field}
          value={text}
          rows={1}
          dir="auto"
          aria-label={editing ? 'Edit the message' : 'Message'}
          aria-autocomplete="list"
          aria-controls={offered.length > 0 ? listId : undefined}
          aria-activedescendant={offered.length > 0 ? `${listId}-${String(active)}` : undefined}
          placeholder="Message"
          maxLength={3_800}
          className="field-sizing-content max-h-40 min-h-9 min-w-0 flex-1 resize-none self-center bg-transparent py-2 text-sm outline-none placeholder:text-muted touch:min-h-11 touch:py-3 touch:text-[1rem]"
          onChange={(event) => {
            setText(event.target.value);
            setCaret(event.target.selectionStart);
            setChosen(0);
            setShut(-1);
            if (!editing) onTyping(event.target.value.trim() !== '');
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
          onKeyDown={onKeyDown}
        />
        <IconButton label={editing ? 'Save' : 'Send'} shortcut="Enter" onClick={send} disabled={text.trim() === ''} className="mb-1 text-accent-strong">
          <SendHorizontal size={16} aria-hidden className="rtl:-scale-x-100" />
        </IconButton>
      </div>
    </div>
  );
}
