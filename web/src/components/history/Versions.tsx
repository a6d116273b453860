import { useMemo } from 'react';
import { toast } from 'sonner';
import type { Version } from '@/data/history';
import { moment, troubleWords } from '@/lib/history/words';
import { VersionList, type VersionRow } from './VersionList';
import { type Past, failed } from './past';

/** The named versions of the document on the page. */
export function Versions({ past, onJump }: { past: Past; onJump(revision: number): void }) {
  const { view: { timeline, revision }, versions, canEdit, canChange, nowMs } = past;
  // Dates take long to write, and this is drawn again with every step of the slider.
  const rows = useMemo(
    () => versions.versions && versions.versions.map((version): VersionRow => {
      const at = moment(timeline.timeMs(version.revision) ?? version.time_ms, nowMs);
      return { id: version.id, revision: version.revision, name: version.name, detail: `${at} · revision ${version.revision.toLocaleString()}`, canChange: canChange(version) };
    }),
    [versions.versions, timeline, nowMs, canChange],
  );
  const named = (id: string) => versions.versions?.find((one) => one.id === id);
  const remove = (version: Version) => {
    const undo = () => void versions.create(version.name, version.revision).catch(failed);
    versions.remove(version).then(() => toast(`“${version.name}” is no longer a version`, { action: { label: 'Undo', onClick: undo } }), failed);
  };
  return (
    <VersionList
      versions={rows}
      trouble={versions.code && troubleWords(versions.code)}
      revision={revision}
      canEdit={canEdit}
      onJump={onJump}
      onCreate={(name) => told(versions.create(name, revision))}
      onRename={(id, name) => {
        const version = named(id);
        return version ? told(versions.rename(version, name)) : Promise.resolve();
      }}
      onDelete={(id) => {
        const version = named(id);
        if (version) remove(version);
      }}
      onRetry={versions.reload}
    />
  );
}

/** A failure is told, and stays one for who waits. */
const told = (change: Promise<void>): Promise<void> =>
  change.catch((error: unknown) => {
    failed(error);
    throw error;
  });
