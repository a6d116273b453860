import { Tag, Users } from 'lucide-react';
import { IconButton } from '../Button';
import { PlayControls, type PlayControlsProps } from './PlayControls';
import { TimeSlider, type TimeSliderProps } from './TimeSlider';

export interface HistoryDockProps {
  slider: TimeSliderProps;
  play: PlayControlsProps;
  /** Who wrote the shown revision, and when. */
  who: string;
  when: string;
  /** The text of this revision is on its way. */
  waiting: boolean;
  /** The panel has no room beside the text: these open it. */
  onVersions?: (() => void) | undefined;
  onAuthors?: (() => void) | undefined;
}

/** Below the text: the slider, playing, and whose moment it is. */
export function HistoryDock({ slider, play, who, when, waiting, onVersions, onAuthors }: HistoryDockProps) {
  const { head, revision } = slider;
  return (
    <section aria-label="Time" data-dock className="shrink-0 border-t border-line bg-paper px-3 pt-2 pb-[max(0.5rem,env(safe-area-inset-bottom))] sm:px-4">
      <TimeSlider {...slider} />
      <div className="flex min-h-8 flex-wrap items-center gap-x-2 sm:flex-nowrap sm:gap-3">
        <div className="flex min-w-0 items-baseline justify-between gap-3 text-sm tabular-nums max-sm:order-first max-sm:basis-full max-sm:px-2 sm:order-1 sm:flex-1">
          <p className="min-w-0 truncate" data-testid="who-when">
            <span className="font-medium" dir="auto">{who}</span>
            {when && <span className="text-muted"> · <bdi>{when}</bdi></span>}
          </p>
          <p className="shrink-0 text-xs text-muted" data-testid="place" aria-busy={waiting}>
            <bdi dir="ltr">
              <span className="max-sm:hidden">Revision </span>
              {revision.toLocaleString()} of {head.toLocaleString()}
            </bdi>
            <span aria-hidden className={waiting ? 'inline-block animate-breathe' : 'invisible inline-block'}>…</span>
          </p>
        </div>
        <PlayControls {...play} />
        {onVersions && onAuthors && (
          <div className="flex items-center gap-1 max-sm:ms-auto sm:order-2">
            <IconButton label="Versions" onClick={onVersions}>
              <Tag size={16} aria-hidden />
            </IconButton>
            <IconButton label="Authors" onClick={onAuthors}>
              <Users size={16} aria-hidden />
            </IconButton>
          </div>
        )}
      </div>
    </section>
  );
}
