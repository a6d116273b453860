'use client';

import { Check, Pencil, Tag, Trash2, X } from 'lucide-react';
import { type FormEvent, useId, useState } from 'react';
import { cx } from '@/lib/cx';
import { Button, IconButton } from '../Button';

export interface VersionRow {
  id: string;
  revision: number;
  name: string;
  /** "Ada · 3 May 14:02", about the revision. */
  detail: string;
  /** I gave the name, or the document is mine: I may change it. */
  canChange: boolean;
}

export interface VersionListProps {
  /** By revision; null while they are not known. */
  versions: readonly VersionRow[] | null;
  /** Why they are not known, in words. */
  trouble?: string | null;
  /** The revision that is shown: a new name is for it. */
  revision: number;
  canEdit: boolean;
  onJump(revision: number): void;
  onCreate(name: string): Promise<void>;
  onRename(id: string, name: string): Promise<void>;
  onDelete(id: string): void;
  onRetry(): void;
}

/** Characters a name may have. */
export const NAME_MAX = 120;

/** Moments of the history that people have named. */
export function VersionList(props: VersionListProps) {
  const { versions, trouble, revision, canEdit } = props;
  return (
    <div className="flex flex-col gap-3">
      {canEdit && <NewVersion revision={revision} onCreate={props.onCreate} />}
      {trouble ? (
        <div role="alert" className="flex flex-wrap items-center gap-2 px-2 text-sm text-muted">
          <p className="min-w-40 flex-1">{trouble}</p>
          <Button look="outline" onClick={props.onRetry}>Try again</Button>
        </div>
      ) : versions === null ? (
        <div role="status" aria-label="Loading versions" className="flex flex-col gap-3 px-2 py-1">
          {['w-40', 'w-28'].map((width) => (
            <div key={width} className={cx('h-3 animate-breathe rounded-control bg-wash', width)} />
          ))}
        </div>
      ) : versions.length === 0 ? (
        <p className="px-2 text-sm text-pretty text-muted">No version has a name yet.{canEdit && ' Name this moment to find it again.'}</p>
      ) : (
        <ul aria-label="Named versions" className="flex flex-col">
          {[...versions].reverse().map((version) => (
            <Row key={version.id} version={version} {...props} />
          ))}
        </ul>
      )}
    </div>
  );
}

function NewVersion({ revision, onCreate }: { revision: number; onCreate(name: string): Promise<void> }) {
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const id = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === '' || busy) return;
    setBusy(true);
    onCreate(name.trim()).then(
      () => setName(''),
      () => {
        // Told elsewhere; the name stays in the field.
      },
    ).finally(() => setBusy(false));
  };
  return (
    <form onSubmit={submit} className="flex items-center gap-2">
      <label htmlFor={id} className="sr-only">Name for revision {revision.toLocaleString()}</label>
      <input
        id={id}
        value={name}
        maxLength={NAME_MAX}
        onChange={(event) => setName(event.target.value)}
        placeholder="Name this version"
        dir="auto"
        autoComplete="off"
        className="h-9 w-full min-w-0 rounded-control border border-line-strong bg-paper px-3 text-sm placeholder:text-muted touch:h-11"
      />
      <Button type="submit" look="outline" aria-disabled={name.trim() === '' || busy}>
        <Tag size={16} aria-hidden /> Name
      </Button>
    </form>
  );
}

function Row({ version, revision, onJump, onRename, onDelete }: { version: VersionRow } & VersionListProps) {
  const [draft, setDraft] = useState<string | null>(null);
  if (draft !== null) {
    const done = () => setDraft(null);
    const save = (event: FormEvent) => {
      event.preventDefault();
      const name = draft.trim();
      if (name === '' || name === version.name) return done();
      // A failure is told elsewhere; the words stay.
      void onRename(version.id, name).then(done, () => undefined);
    };
    return (
      <li>
        <form onSubmit={save} className="flex items-center gap-1 py-1">
          <input
            // The person asked to write here.
            // eslint-disable-next-line jsx-a11y/no-autofocus
            autoFocus
            aria-label={`New name for ${version.name}`}
            value={draft}
            maxLength={NAME_MAX}
            onChange={(event) => setDraft(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Escape') return;
              event.stopPropagation();
              done();
            }}
            dir="auto"
            className="h-9 w-full min-w-0 rounded-control border border-line-strong bg-paper px-2 text-sm touch:h-11"
          />
          <IconButton label="Save the name" type="submit"><Check size={16} aria-hidden /></IconButton>
          <IconButton label="Keep the old name" onClick={done}><X size={16} aria-hidden /></IconButton>
        </form>
      </li>
    );
  }
  const shown = version.revision === revision;
  return (
    <li className="group relative flex items-center rounded-control hover:bg-wash has-[:focus-visible]:bg-wash">
      <button
        type="button"
        aria-current={shown ? 'true' : undefined}
        onClick={() => onJump(version.revision)}
        className="min-h-11 min-w-0 flex-1 rounded-control px-2 py-1 text-start"
      >
        <span className={cx('block truncate text-sm', shown && 'font-medium')}><bdi>{version.name}</bdi></span>
        <span className="block truncate text-xs text-muted tabular-nums">{version.detail}</span>
      </button>
      {version.canChange && (
        <span className="flex shrink-0 opacity-0 group-hover:opacity-100 group-has-[:focus-visible]:opacity-100 touch:opacity-100">
          <IconButton label={`Rename ${version.name}`} onClick={() => setDraft(version.name)}><Pencil size={14} aria-hidden /></IconButton>
          <IconButton label={`Remove the name ${version.name}`} onClick={() => onDelete(version.id)}><Trash2 size={14} aria-hidden /></IconButton>
        </span>
      )}
    </li>
  );
}
