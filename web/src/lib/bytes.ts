const KB = 1000;

/** A size for people: "about 34 KB". */
export function bytesInWords(bytes: number): string {
  if (bytes < KB) return 'Less than 1 KB';
  const [amount, unit] = bytes < KB * KB ? [bytes / KB, 'KB'] : [bytes / KB / KB, 'MB'];
  return `About ${amount < 10 ? amount.toFixed(1) : Math.round(amount).toString()} ${unit}`;
}
