'use client';

import { useEffect, useEffectEvent, useImperativeHandle, useRef, useState, type Ref } from 'react';

export interface TitleFieldHandle {
  edit(): void;
}

export interface TitleFieldProps {
  title: string;
  readOnly?: boolean;
  onRename(title: string): void;
  /** The person is done with the title and wants to write. */
  onDone?(): void;
  ref?: Ref<TitleFieldHandle>;
}

/** Others see a new title this long after the last key. */
const SEND_PAUSE_MS = 700;
const TITLE_MAX = 200;

/** The title, editable where it stands. Follows renames by others unless I am in it. */
export function TitleField({ title, readOnly = false, onRename, onDone, ref }: TitleFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const [draft, setDraft] = useState<string | null>(null);
  /** The draft as of this moment: leaving the field may follow a key before the next render. */
  const latest = useRef<string | null>(null);
  const before = useRef(title);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useImperativeHandle(ref, () => ({
    edit: () => {
      input.current?.focus();
      input.current?.select();
    },
  }));

  const send = (next: string) => {
    clearTimeout(timer.current);
    timer.current = undefined;
    const clean = next.replace(/\s+/gu, ' ').trim();
    if (clean && clean !== title) onRename(clean);
  };
  const show = (next: string | null) => {
    latest.current = next;
    setDraft(next);
  };
  const change = (next: string) => {
    show(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => send(next), SEND_PAUSE_MS);
  };
  const leave = () => {
    if (latest.current !== null) send(latest.current);
    show(null);
  };
  const giveUp = () => {
    clearTimeout(timer.current);
    timer.current = undefined;
    if (title !== before.current) onRename(before.current);
    show(null);
  };

  // A tab that closes or is put away may run no timer any more: what waits is sent then.
  const hurry = useEffectEvent(() => {
    if (timer.current !== undefined && latest.current !== null) send(latest.current);
  });
  useEffect(() => {
    const hidden = () => {
      if (document.visibilityState === 'hidden') hurry();
    };
    const gone = () => hurry();
    document.addEventListener('visibilitychange', hidden);
    window.addEventListener('pagehide', gone);
    return () => {
      document.removeEventListener('visibilitychange', hidden);
      window.removeEventListener('pagehide', gone);
      hurry();
    };
  }, []);

  return (
    <input
      ref={input}
      aria-label="Title"
      dir="auto"
      value={draft ?? title}
      placeholder="Untitled"
      readOnly={readOnly}
      maxLength={TITLE_MAX}
      spellCheck={false}
      autoComplete="off"
      enterKeyHint="done"
      onFocus={() => {
        before.current = title;
      }}
      onChange={(event) => change(event.target.value)}
      onBlur={leave}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return;
        if (event.key !== 'Enter' && event.key !== 'Escape') return;
        // The focus moves before the key has done its work: without this, Enter would break a line in the text.
        event.preventDefault();
        if (event.key === 'Enter') leave();
        else giveUp();
        onDone?.();
      }}
      className="h-8 w-full min-w-0 truncate rounded-control bg-transparent px-2 text-sm font-medium text-ink placeholder:text-muted hover:bg-wash read-only:hover:bg-transparent focus:bg-wash focus:outline-2 touch:min-h-11"
    />
  );
}
