'use client';

import { type PointerEvent, type Ref, memo, useRef, useState } from 'react';
import { cx } from '@/lib/cx';
import { type Stripe, snapped } from '@/lib/history/timeline';
import { personColour } from '@/lib/person';

export interface Mark {
  revision: number;
  name: string;
}

export interface TimeSliderProps {
  /** The last revision. */
  head: number;
  revision: number;
  /** Where it stands, in words. */
  valueText: string;
  stripes: readonly Stripe[];
  /** The colour, 0 to 11, of a person. */
  colourOf(author: string): number | undefined;
  marks: readonly Mark[];
  /** What a place means, for a pointer that rests on it. */
  wordsAt?(revision: number): string;
  disabled?: boolean;
  sliderRef?: Ref<HTMLInputElement>;
  onSeek(revision: number): void;
}

/** Pixels around a mark that mean the mark. */
const REACH_PX = 6;
/** Half of the thumb: the ends of the axis lie this far inside of the slider. */
const INSET_PX = 8;

/** The history on a line: who wrote when, named versions, and a thumb for the moment that is shown. */
export function TimeSlider({ head, revision, valueText, stripes, colourOf, marks, wordsAt, disabled = false, sliderRef, onSeek }: TimeSliderProps) {
  const box = useRef<HTMLDivElement>(null);
  const pressed = useRef(false);
  const [pointed, setPointed] = useState<{ px: number; revision: number } | null>(null);

  const widthPx = () => Math.max(1, (box.current?.clientWidth ?? 0) - 2 * INSET_PX);
  const nearMark = (at: number) => snapped(at, marks.map((mark) => mark.revision), (REACH_PX / widthPx()) * head);
  const point = (event: PointerEvent) => {
    if (event.pointerType === 'touch' || !box.current) return;
    const bounds = box.current.getBoundingClientRect();
    const rtl = getComputedStyle(box.current).direction === 'rtl';
    const px = Math.min(widthPx(), Math.max(0, (rtl ? bounds.right - event.clientX : event.clientX - bounds.left) - INSET_PX));
    setPointed({ px: px + INSET_PX, revision: nearMark(Math.round((px / widthPx()) * head)) });
  };
  const pointedMark = pointed && marks.find((mark) => mark.revision === pointed.revision);
  const share = (at: number) => (head === 0 ? 1 : at / head);

  return (
    <div ref={box} className="relative h-8 touch:h-11" onPointerMove={point} onPointerLeave={() => setPointed(null)}>
      <div aria-hidden className="pointer-events-none absolute inset-x-2 top-1/2 h-1.5 -translate-y-1/2 overflow-hidden rounded-full bg-line-strong">
        <Stripes stripes={stripes} colourOf={colourOf} />
        {/* What has not been written yet at this moment. */}
        <span className="absolute inset-y-0 end-0 bg-paper/70" style={{ width: `${(1 - share(revision)) * 100}%` }} />
      </div>
      <div aria-hidden className="pointer-events-none absolute inset-x-2 inset-y-0">
        {marks.map((mark) => (
          <span
            key={`${mark.revision} ${mark.name}`}
            data-testid="mark"
            className={cx('absolute top-0 h-2.5 w-0.5 -translate-x-1/2 rounded-full rtl:translate-x-1/2', mark.revision === revision ? 'bg-accent' : 'bg-muted')}
            style={{ insetInlineStart: `${share(mark.revision) * 100}%` }}
          />
        ))}
      </div>
      <input
        ref={sliderRef}
        type="range"
        min={0}
        max={head}
        step={1}
        value={revision}
        disabled={disabled || head === 0}
        aria-label="Moment of the history"
        aria-valuetext={valueText}
        className="time-slider absolute inset-0 size-full"
        onPointerDown={() => {
          pressed.current = true;
        }}
        onPointerUp={() => {
          pressed.current = false;
        }}
        onPointerCancel={() => {
          pressed.current = false;
        }}
        onChange={(event) => {
          const value = event.target.valueAsNumber;
          onSeek(pressed.current ? nearMark(value) : value);
        }}
      />
      {pointed && wordsAt && !disabled && head > 0 && (
        <div
          aria-hidden
          className="pointer-events-none absolute bottom-full z-30 max-w-64 -translate-x-1/2 truncate rounded-control bg-ink px-2 py-1 text-xs text-paper tabular-nums rtl:translate-x-1/2"
          style={{ insetInlineStart: `clamp(5rem, ${pointed.px}px, calc(100% - 5rem))` }}
        >
          {pointedMark ? `“${pointedMark.name}” · ` : ''}
          {wordsAt(pointed.revision)}
        </div>
      )}
    </div>
  );
}

/** Who wrote when. There may be hundreds; they stay as they are while the thumb moves. */
const Stripes = memo(function Stripes({ stripes, colourOf }: Pick<TimeSliderProps, 'stripes' | 'colourOf'>) {
  return stripes.map(({ from, to, author }) => {
    const colour = author === null ? undefined : colourOf(author);
    return (
      <span
        key={from}
        className="absolute inset-y-0"
        style={{ insetInlineStart: `${from * 100}%`, width: `${(to - from) * 100}%`, background: colour === undefined ? 'transparent' : personColour(colour) }}
      />
    );
  });
});
