'use client';

import { Check, Monitor, Moon, Sun } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { type Theme, setPreferences, usePreferences } from '@/data/preferences';
import { IconButton } from './Button';
import { MENU, MENU_ITEM } from './menu';

const THEME_NAMES: { theme: Theme; name: string; Icon: typeof Sun }[] = [
  { theme: 'system', name: 'Like the system', Icon: Monitor },
  { theme: 'light', name: 'Light', Icon: Sun },
  { theme: 'dark', name: 'Dark', Icon: Moon },
];

/** The three themes as menu items, for any menu. */
export function ThemeItems() {
  const { theme } = usePreferences();
  return (
    <DropdownMenu.RadioGroup value={theme} onValueChange={(next) => setPreferences({ theme: next as Theme })}>
      {THEME_NAMES.map(({ theme: value, name, Icon }) => (
        <DropdownMenu.RadioItem key={value} value={value} className={MENU_ITEM}>
          <Icon size={16} aria-hidden />
          {name}
          <DropdownMenu.ItemIndicator className="ms-auto">
            <Check size={16} aria-hidden />
          </DropdownMenu.ItemIndicator>
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}

/** Light, dark, or as the system is. */
export function ThemeMenu() {
  const { theme } = usePreferences();
  const Icon = THEME_NAMES.find((entry) => entry.theme === theme)?.Icon ?? Monitor;
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>
        <IconButton label="Theme">
          <Icon size={16} aria-hidden />
        </IconButton>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="end" sideOffset={6} collisionPadding={8} className={MENU}>
          <ThemeItems />
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
