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
    <section aria-label="Time" className="shrink-0 border-t border-line bg-paper px-3 pt-2 pb-[max(0.5rem,env(safe-area-inset-bottom))] sm:px-4">
      <TimeSlider {...slider} />
      <div className="flex min-h-8 items-center gap-2 sm:gap-3">
        <PlayControls {...play} />
        <div className="min-w-0 flex-1 text-sm leading-tight tabular-nums sm:flex sm:items-baseline sm:gap-3">
          <p className="min-w-0 truncate" data-testid="who-when">
            <span className="font-medium" dir="auto">{who}</span>
            {when && <span className="text-muted"> · {when}</span>}
          </p>
          <p className="truncate text-xs text-muted sm:ms-auto sm:shrink-0" data-testid="place" aria-busy={waiting}>
            <span className="max-sm:hidden">Revision </span>{revision.toLocaleString()} of {head.toLocaleString()}
            <span aria-hidden className={waiting ? 'ms-1 inline-block animate-breathe' : 'invisible ms-1 inline-block'}>…</span>
          </p>
        </div>
        {onVersions && (
          <IconButton label="Versions" onClick={onVersions}>
            <Tag size={16} aria-hidden />
          </IconButton>
        )}
        {onAuthors && (
          <IconButton label="Authors" onClick={onAuthors}>
            <Users size={16} aria-hidden />
          </IconButton>
        )}
      </div>
    </section>
  );
}
