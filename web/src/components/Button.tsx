import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { cx } from '@/lib/cx';
import { Hint } from './Hint';

const SHAPE =
  'inline-flex shrink-0 select-none items-center justify-center gap-2 rounded-control font-medium whitespace-nowrap ' +
  'transition-colors duration-100 ease-out disabled:opacity-50 disabled:pointer-events-none aria-disabled:opacity-50 touch:min-h-11 touch:min-w-11';

const LOOK = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong px-4 h-9',
  quiet: 'text-ink hover:bg-wash data-[state=open]:bg-wash px-3 h-8',
  outline: 'border border-line-strong text-ink hover:bg-wash px-4 h-9',
  bad: 'bg-bad text-paper hover:opacity-90 px-4 h-9',
} as const;

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: keyof typeof LOOK;
  ref?: Ref<HTMLButtonElement>;
}

/** A button with words on it. */
export function Button({ look = 'quiet', className, type = 'button', ...rest }: ButtonProps) {
  return <button type={type} className={cx(SHAPE, LOOK[look], className)} {...rest} />;
}

export interface IconButtonProps extends Omit<ButtonProps, 'children' | 'look'> {
  /** What it does: its name for everybody who does not see the icon, and its tooltip. */
  label: string;
  shortcut?: string;
  children: ReactNode;
}

/** A square button with an icon and a tooltip. */
export function IconButton({ label, shortcut, className, type = 'button', children, ...rest }: IconButtonProps) {
  return (
    <Hint label={label} shortcut={shortcut}>
      <button type={type} aria-label={label} className={cx(SHAPE, 'text-muted hover:bg-wash hover:text-ink data-[state=open]:bg-wash size-8', className)} {...rest}>
        {children}
      </button>
    </Hint>
  );
}
