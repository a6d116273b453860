import { Pause, Play } from 'lucide-react';
import { cx } from '@/lib/cx';
import { SPEEDS, type Speed } from '@/lib/history/timeline';
import { IconButton } from '../Button';

export interface PlayControlsProps {
  playing: boolean;
  speed: Speed;
  disabled?: boolean;
  onPlay(): void;
  onPause(): void;
  onSpeed(speed: Speed): void;
}

/** Play and pause, and how fast. */
export function PlayControls({ playing, speed, disabled = false, onPlay, onPause, onSpeed }: PlayControlsProps) {
  return (
    <div className="flex shrink-0 items-center gap-1">
      <IconButton label={playing ? 'Pause' : 'Play'} shortcut="Space" disabled={disabled} onClick={playing ? onPause : onPlay}>
        {playing ? <Pause size={16} aria-hidden /> : <Play size={16} aria-hidden />}
      </IconButton>
      <div role="group" aria-label="Speed" className="flex items-center">
        {SPEEDS.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === speed}
            aria-label={`Speed ${one}×`}
            disabled={disabled}
            onClick={() => onSpeed(one)}
            className={cx(
              'h-8 min-w-8 rounded-control px-1.5 text-xs tabular-nums disabled:opacity-50 touch:h-11 touch:min-w-11',
              one === speed ? 'bg-wash font-medium text-ink' : 'text-muted hover:bg-wash hover:text-ink',
            )}
          >
            <bdi dir="ltr">{one}×</bdi>
          </button>
        ))}
      </div>
    </div>
  );
}
