'use client';

import { X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { type ReactNode, useRef } from 'react';
import { cx } from '@/lib/cx';

export interface SheetProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  title: string;
  /** One sentence under the title. */
  description?: string;
  wide?: boolean;
  /** There is nothing to press in it, only to read: then the content takes the focus, for the keys that scroll. */
  reading?: boolean;
  children: ReactNode;
}

/** What has the focus; of an item in a menu, which is about to go, the button that opened the menu. */
function focused(): HTMLElement | null {
  const active = document.activeElement;
  const opener = active?.closest('[role=menu]')?.getAttribute('aria-labelledby');
  const place = opener ? document.getElementById(opener) : active;
  return place instanceof HTMLElement ? place : null;
}

/** A dialog that floats in the middle, or rises from the bottom of a phone. */
export function Sheet({ open, onOpenChange, title, description, wide = false, reading = false, children }: SheetProps) {
  const before = useRef<HTMLElement | null>(null);
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-[oklch(18%_0.01_260/0.38)] data-[state=open]:animate-fade" />
        <Dialog.Content
          {...(description ? {} : { 'aria-describedby': undefined })}
          onOpenAutoFocus={() => {
            before.current = focused();
          }}
          // The dialog would give the focus to its own trigger only, and it has none.
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            before.current?.focus();
          }}
          className={cx(
            'fixed z-50 flex max-h-[85dvh] flex-col overflow-hidden bg-raised shadow-float data-[state=open]:animate-arrive',
            'inset-x-0 bottom-0 rounded-t-panel pb-[env(safe-area-inset-bottom)]',
            'sm:inset-x-auto sm:bottom-auto sm:start-1/2 sm:top-[12dvh] sm:w-full sm:-translate-x-1/2 sm:rounded-panel rtl:sm:translate-x-1/2',
            wide ? 'sm:max-w-xl' : 'sm:max-w-md',
          )}
        >
          <div className="py-4 ps-6 pe-14">
            <Dialog.Title className="text-md font-bold">{title}</Dialog.Title>
            {description && <Dialog.Description className="mt-1 text-sm text-muted">{description}</Dialog.Description>}
          </div>
          <div {...(reading && { tabIndex: 0, role: 'group', 'aria-label': title })} className="overflow-y-auto overscroll-contain px-6 pt-1 pb-6 focus-visible:-outline-offset-2">
            {children}
          </div>
          {/* Last, so that the focus begins with the content; without a tooltip, which would swallow the first Escape. */}
          <Dialog.Close
            aria-label="Close"
            className="absolute end-3 top-3 inline-flex size-8 items-center justify-center rounded-control text-muted hover:bg-wash hover:text-ink touch:size-11"
          >
            <X size={16} aria-hidden />
          </Dialog.Close>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
