// Figures as people read them: few digits, one unit, the same width from second to second.

/** Writes a figure; `–` where nothing was measured. */
export type Unit = (value: number | null) => string;

const NONE = '–';

/** Two digits that matter: 0.42, 4.2, 42, 420, 4,200. */
function digits(value: number): string {
  const places = value === 0 || value >= 10 ? 0 : value >= 1 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: places });
}

export const plain: Unit = (value) => (value === null ? NONE : Math.round(value).toLocaleString('en'));

export const perSecond: Unit = (value) => (value === null ? NONE : `${digits(value)}/s`);

/** From milliseconds: "0.42 ms", "42 ms", "1.5 s". */
export const time: Unit = (value) => (value === null ? NONE : value < 1_000 ? `${digits(value)} ms` : `${digits(value / 1_000)} s`);

const SIZES = ['B', 'KB', 'MB', 'GB', 'TB'];

/** "0 B", "4.2 KB", "31 MB". */
export const size: Unit = (value) => {
  if (value === null) return NONE;
  let [amount, step] = [value, 0];
  while (amount >= 1_000 && step < SIZES.length - 1) {
    amount /= 1_000;
    step += 1;
  }
  return `${step === 0 ? Math.round(amount) : digits(amount)} ${SIZES[step]}`;
};

export const sizePerSecond: Unit = (value) => (value === null ? NONE : `${size(value)}/s`);
