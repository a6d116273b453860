// The look that menus share.

export const MENU = 'z-40 min-w-52 rounded-panel bg-raised p-1 shadow-float data-[state=open]:animate-arrive';
export const MENU_ITEM =
  'flex h-8 items-center gap-3 rounded-control px-2 text-sm outline-none select-none data-[highlighted]:bg-wash ' +
  'data-[disabled]:opacity-50 touch:h-11 [&>svg]:text-muted [&>svg]:shrink-0';
export const MENU_LABEL = 'px-2 pt-2 pb-1 text-xs text-muted';
export const MENU_LINE = 'mx-2 my-1 h-px bg-line';
