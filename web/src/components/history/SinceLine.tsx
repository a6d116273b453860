import { X } from 'lucide-react';
import { Button, IconButton } from '../Button';

export interface SinceLineProps {
  /** "12 changes by Ada and Ben since Tuesday". */
  words: string;
  onShow(): void;
  onDismiss(): void;
}

/** What happened here since I last looked, in one calm line. */
export function SinceLine({ words, onShow, onDismiss }: SinceLineProps) {
  return (
    <div role="status" className="flex shrink-0 animate-fade items-center justify-center gap-1 border-b border-line bg-accent-tint px-3 py-0.5 text-sm">
      <p className="min-w-0 truncate tabular-nums max-sm:whitespace-normal">{words}</p>
      <Button onClick={onShow} className="underline underline-offset-2">Show</Button>
      <IconButton label="Dismiss" onClick={onDismiss}><X size={16} aria-hidden /></IconButton>
    </div>
  );
}
