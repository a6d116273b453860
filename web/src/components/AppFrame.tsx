'use client';

import { Tooltip } from 'radix-ui';
import { type ReactNode, createContext, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { Toaster, toast } from 'sonner';
import { type Me, api, isUnreachable } from '@/data/api';
import { saveMe, useMe } from '@/data/me';
import { followPreferences, usePreferences } from '@/data/preferences';
import { documentPath } from '@/lib/document-id';
import { isCombo } from '@/lib/shortcuts';
import { HelpSheet } from './HelpSheet';
import { useAppleKeys } from './Keys';
import { MeSheet } from './MeSheet';
import { Palette } from './Palette';
import { ServiceWorker } from './ServiceWorker';

interface AppCommands {
  me: Me | null;
  creating: boolean;
  create(): void;
  openPalette(): void;
  openHelp(): void;
  openMe(): void;
}

const Commands = createContext<AppCommands | null>(null);

/** What every page can do. */
export function useApp(): AppCommands {
  const commands = useContext(Commands);
  if (!commands) throw new Error('useApp is used outside of AppFrame');
  return commands;
}

type Panel = 'palette' | 'help' | 'me' | null;

function useCreate(): { creating: boolean; create(): void } {
  const [creating, setCreating] = useState(false);
  const create = useCallback(() => {
    setCreating(true);
    api.create().then(
      ({ id }) => window.location.assign(documentPath(id)),
      (error: unknown) => {
        setCreating(false);
        toast.error(
          isUnreachable(error)
            ? 'A new document needs a connection. Try again when you are online.'
            : 'The document could not be created. Try again.',
        );
      },
    );
  }, []);
  useEffect(() => {
    // Coming back by the browser's button shows this page as it was left.
    const onShow = () => setCreating(false);
    window.addEventListener('pageshow', onShow);
    return () => window.removeEventListener('pageshow', onShow);
  }, []);
  return { creating, create };
}

/** Around every page: tooltips, toasts, the palette, the help, and the keys that open them. */
export function AppFrame({ children }: { children: ReactNode }) {
  const [panel, setPanel] = useState<Panel>(null);
  const me = useMe();
  const { theme } = usePreferences();
  const apple = useAppleKeys();
  const { creating, create } = useCreate();
  useEffect(followPreferences, []);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const wanted: Panel = isCombo(event, 'mod+k', apple) ? 'palette' : isCombo(event, 'mod+/', apple) ? 'help' : null;
      if (!wanted) return;
      event.preventDefault();
      setPanel((open) => (open === wanted ? null : wanted));
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [apple]);

  const commands = useMemo<AppCommands>(
    () => ({
      me,
      creating,
      create,
      openPalette: () => setPanel('palette'),
      openHelp: () => setPanel('help'),
      openMe: () => setPanel('me'),
    }),
    [me, creating, create],
  );
  const toggles = (name: Exclude<Panel, null>) => ({ open: panel === name, onOpenChange: (open: boolean) => setPanel(open ? name : null) });

  return (
    <Commands value={commands}>
      <Tooltip.Provider delayDuration={500} skipDelayDuration={200}>
        {children}
        <ServiceWorker />
        <Palette {...toggles('palette')} onCreate={create} onHelp={commands.openHelp} onMe={commands.openMe} />
        <HelpSheet {...toggles('help')} />
        <MeSheet {...toggles('me')} me={me} onSave={saveMe} />
        <Toaster
          theme={theme}
          position="bottom-center"
          gap={8}
          style={{ fontFamily: 'var(--face-ui)' }}
          toastOptions={{
            unstyled: true,
            classNames: {
              toast:
                'flex w-full items-center gap-3 rounded-panel bg-ink px-4 py-3 text-sm text-paper shadow-float sm:w-[22rem]',
              actionButton: 'ms-auto shrink-0 rounded-control px-2 py-1 font-medium underline underline-offset-2 touch:min-h-11',
              title: 'min-w-0 break-words',
              icon: 'shrink-0',
            },
          }}
        />
      </Tooltip.Provider>
    </Commands>
  );
}
