'use client';

import { Copy, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';
import { Button, IconButton } from './Button';

export interface KeptTextProps {
  /** What this is, for who hears the page. */
  label: string;
  tone: 'bad' | 'warn';
  /** What has happened, in a few words, and what it means. */
  title: string;
  detail: ReactNode;
  /** May be empty: then there is only something to say. */
  text: string;
  onCopy(text: string): void;
  onDismiss?: () => void;
}

/** Text of mine that is not in the document: it stays in sight, with a way to keep it. */
export function KeptText({ label, tone, title, detail, text, onCopy, onDismiss }: KeptTextProps) {
  return (
    <section aria-label={label} role="alert" className={cx('shrink-0 animate-fade border-b border-line', tone === 'bad' ? 'bg-bad-tint' : 'bg-warn-tint')}>
      <div className="mx-auto flex max-w-2xl flex-col gap-2 px-6 py-3">
        <div className="flex items-start gap-4">
          <p className="min-w-0 flex-1 text-sm">
            <strong className={cx('font-medium', tone === 'bad' ? 'text-bad' : 'text-warn')}>{title}</strong> {detail}
          </p>
          <div className="flex shrink-0 gap-1">
            {text && (
              <Button onClick={() => onCopy(text)}>
                <Copy size={16} aria-hidden /> Copy
              </Button>
            )}
            {onDismiss && (
              <IconButton label="Dismiss" onClick={onDismiss}>
                <X size={16} aria-hidden />
              </IconButton>
            )}
          </div>
        </div>
        {text && (
          // Long texts scroll, so the region must be reachable by keyboard.
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          <pre tabIndex={0} dir="auto" className="max-h-32 overflow-y-auto rounded-control bg-paper px-3 py-2 font-sans text-sm whitespace-pre-wrap break-words">
            {text}
          </pre>
        )}
      </div>
    </section>
  );
}
