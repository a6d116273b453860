'use client';

import { Command } from 'cmdk';
import { Activity, FilePlus2, FileText, History, Keyboard, Monitor, Moon, Search, Sun, Trash2, UserRound } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { type ReactNode, useDeferredValue, useEffect, useState } from 'react';
import { go } from '@/data/address';
import { type DocumentInfo, api } from '@/data/api';
import { activityMs, keptDocuments } from '@/data/documents';
import { setPreferences } from '@/data/preferences';
import { documentIdFromPath, documentPath } from '@/lib/document-id';
import { historySearch } from '@/lib/history/place';

export interface PaletteProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  onCreate(): void;
  onHelp(): void;
  onMe(): void;
}

const SHOWN_MAX = 8;
/** Without words the commands shall be in sight too. */
const SHOWN_AT_FIRST_MAX = 5;
const ITEM =
  'flex h-10 items-center gap-3 rounded-control px-3 text-sm data-[selected=true]:bg-wash touch:h-11 [&>svg]:shrink-0 [&>svg]:text-muted';
const GROUP =
  '[&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:pt-3 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted';

/** Documents that answer to the words: what this browser knows at once, then what the server finds. */
function useFound(query: string, open: boolean): DocumentInfo[] {
  const [found, setFound] = useState<{ query: string; documents: DocumentInfo[] } | null>(null);
  useEffect(() => {
    if (!open) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      api.list({ q: query, limit: SHOWN_MAX, signal: abort.signal }).then(
        ({ documents }) => setFound({ query, documents }),
        () => {
          // Offline: the known list below still answers.
        },
      );
    }, 120);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [query, open]);
  if (!open) return [];
  const shownMax = query === '' ? SHOWN_AT_FIRST_MAX : SHOWN_MAX;
  if (found?.query === query) return found.documents.slice(0, shownMax);
  const words = query.toLocaleLowerCase();
  return (keptDocuments() ?? [])
    .filter((document) => document.title.toLocaleLowerCase().includes(words))
    .sort((a, b) => activityMs(b) - activityMs(a))
    .slice(0, shownMax);
}

/** ⌘K: any document and any command, by typing. */
export function Palette({ open, onOpenChange, ...commands }: PaletteProps) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-[oklch(18%_0.01_260/0.38)] data-[state=open]:animate-fade" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-x-2 top-2 z-50 mx-auto max-w-xl overflow-hidden rounded-panel bg-raised shadow-float data-[state=open]:animate-arrive sm:top-[12dvh]"
        >
          <Dialog.Title className="sr-only">Search documents and commands</Dialog.Title>
          <PaletteBody open={open} close={() => onOpenChange(false)} {...commands} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function PaletteBody({ open, close, onCreate, onHelp, onMe }: Omit<PaletteProps, 'onOpenChange'> & { close(): void }) {
  const [query, setQuery] = useState('');
  const words = useDeferredValue(query.trim());
  const found = useFound(words, open);
  const inDocument = documentIdFromPath(window.location.pathname) !== null;
  const ofDocument = [
    { names: ['History of this document', 'versions', 'changes', 'restore'], icon: <History size={16} aria-hidden />, run: () => go(historySearch({ mode: 'authors' })) },
  ];
  const commands: { names: string[]; icon: ReactNode; run(): void }[] = [
    ...(inDocument ? ofDocument : []),
    { names: ['New document', 'create', 'add'], icon: <FilePlus2 size={16} aria-hidden />, run: onCreate },
    { names: ['Recently deleted', 'trash', 'restore'], icon: <Trash2 size={16} aria-hidden />, run: () => window.location.assign('/?deleted') },
    { names: ['Dashboard', 'figures', 'activity', 'live'], icon: <Activity size={16} aria-hidden />, run: () => window.location.assign('/dashboard') },
    { names: ['Your name and colour', 'me', 'profile'], icon: <UserRound size={16} aria-hidden />, run: onMe },
    { names: ['Theme: light', 'bright'], icon: <Sun size={16} aria-hidden />, run: () => setPreferences({ theme: 'light' }) },
    { names: ['Theme: dark', 'night'], icon: <Moon size={16} aria-hidden />, run: () => setPreferences({ theme: 'dark' }) },
    { names: ['Theme: like the system', 'automatic'], icon: <Monitor size={16} aria-hidden />, run: () => setPreferences({ theme: 'system' }) },
    { names: ['Keyboard', 'help', 'shortcuts', 'keys'], icon: <Keyboard size={16} aria-hidden />, run: onHelp },
  ].filter(({ names }) => names.some((name) => name.toLowerCase().includes(words.toLowerCase())));
  const values = [...found.map(documentValue), ...commands.map(commandValue)];
  const { selected, setSelected, moves } = useSelected(values, words);
  const closeAnd = (run: () => void) => () => {
    close();
    run();
  };
  return (
    <Command
      label="Search documents and commands"
      shouldFilter={false}
      loop
      value={selected}
      onValueChange={setSelected}
      onPointerMove={moves}
      onKeyDown={({ key, ctrlKey }) => {
        if (/^(Arrow|Home|End)/.test(key) || ctrlKey) moves();
      }}
    >
      <div className="flex items-center gap-3 border-b border-line px-4">
        <Search size={16} aria-hidden className="shrink-0 text-muted" />
        <Command.Input
          value={query}
          onValueChange={setQuery}
          placeholder="Search documents and commands"
          dir="auto"
          className="h-12 w-full bg-transparent text-sm placeholder:text-muted focus-visible:outline-none"
        />
      </div>
      <Command.List className="max-h-[min(27rem,60dvh)] overflow-y-auto overscroll-contain p-1 scroll-py-1">
        <Command.Empty className="px-3 py-6 text-center text-sm text-muted">Nothing is called that.</Command.Empty>
        {found.length > 0 && (
          <Command.Group heading="Documents" className={GROUP}>
            {found.map((document) => (
              <Command.Item
                key={document.id}
                value={documentValue(document)}
                onSelect={closeAnd(() => window.location.assign(documentPath(document.id)))}
                className={ITEM}
              >
                <FileText size={16} aria-hidden />
                <span className="min-w-0 truncate" dir="auto">{document.title || 'Untitled'}</span>
              </Command.Item>
            ))}
          </Command.Group>
        )}
        <Command.Group heading="Commands" className={GROUP}>
          {commands.map((command) => (
            <Command.Item key={command.names[0]} value={commandValue(command)} onSelect={closeAnd(command.run)} className={ITEM}>
              {command.icon}
              {command.names[0]}
            </Command.Item>
          ))}
        </Command.Group>
      </Command.List>
    </Command>
  );
}

const documentValue = (document: DocumentInfo) => `document ${document.id}`;
const commandValue = ({ names }: { names: string[] }) => `command ${names[0]}`;

/**
 * The item that Enter opens: the first, until somebody moves to another one that is still listed. cmdk alone loses its
 * selection when the selected item leaves together with others, and then Enter does nothing.
 */
function useSelected(values: string[], words: string) {
  const [selected, setSelected] = useState('');
  const [movedIn, setMovedIn] = useState<string | null>(null);
  const first = values[0] ?? '';
  const stays = movedIn === words && values.includes(selected);
  if (!stays && selected !== first) setSelected(first);
  const moves = () => setMovedIn(words);
  return { selected, setSelected, moves };
}
