import { cx } from '@/lib/cx';
import { initials, personColour } from '@/lib/person';

export interface AvatarProps {
  name: string;
  color: number;
  size?: 'small' | 'normal' | 'large';
  className?: string;
}

const SIZE = { small: 'size-5 text-[0.625rem]', normal: 'size-7 text-xs', large: 'size-9 text-sm' } as const;

/** A person's initials on their colour. Decoration, so the letters are drawn by CSS and are
 * no text: the name stands beside it or in the label around it. */
export function Avatar({ name, color, size = 'normal', className }: AvatarProps) {
  return (
    <span
      aria-hidden
      className={cx('avatar inline-flex shrink-0 items-center justify-center overflow-hidden rounded-full font-bold leading-none select-none', SIZE[size], className)}
      data-initials={initials(name)}
      style={{ background: personColour(color), color: 'var(--concord-person-ink)' }}
    />
  );
}
