import { Tooltip } from 'radix-ui';
import type { ReactElement } from 'react';
import { Keys } from './Keys';

export interface HintProps {
  label: string;
  shortcut?: string | undefined;
  side?: 'top' | 'bottom' | 'left' | 'right';
  children: ReactElement;
}

/** A small label that appears beside what the pointer or the focus rests on. */
export function Hint({ label, shortcut, side = 'bottom', children }: HintProps) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content
          side={side}
          sideOffset={6}
          collisionPadding={8}
          className="z-50 flex max-w-72 items-center gap-2 rounded-control bg-ink px-2 py-1 text-xs text-paper data-[state=delayed-open]:animate-fade"
        >
          <span className="break-words">{label}</span>
          {shortcut && <Keys combo={shortcut} quiet />}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
