'use client';

import { RadioGroup } from 'radix-ui';
import { useId, useState, type FormEvent } from 'react';
import { toast } from 'sonner';
import type { Me } from '@/data/api';
import { cx } from '@/lib/cx';
import { PERSON_COLOURS, personColour } from '@/lib/person';
import { Avatar } from './Avatar';
import { Button } from './Button';
import { Sheet } from './Sheet';

export interface MeSheetProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  me: Me | null;
  onSave(change: { name: string; color: number }): Promise<void>;
}

const NAME_MAX = 40;

/** The name and colour others see me by. */
export function MeSheet({ open, onOpenChange, me, onSave }: MeSheetProps) {
  return (
    <Sheet open={open} onOpenChange={onOpenChange} title="You" description="Others see this name and colour where you write.">
      {me ? (
        <MeForm key={String(open)} me={me} onSave={onSave} onDone={() => onOpenChange(false)} />
      ) : (
        <p className="text-sm text-muted">Your name is on the server, which does not answer at the moment.</p>
      )}
    </Sheet>
  );
}

function MeForm({ me, onSave, onDone }: { me: Me; onSave: MeSheetProps['onSave']; onDone(): void }) {
  const [name, setName] = useState(me.name);
  const [color, setColor] = useState(me.color);
  const [saving, setSaving] = useState(false);
  const nameId = useId();
  const clean = name.replace(/\s+/gu, ' ').trim();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!clean) return;
    setSaving(true);
    try {
      await onSave({ name: clean, color });
      onDone();
    } catch {
      toast.error('Your name could not be saved. Try again when you are online.');
    } finally {
      setSaving(false);
    }
  };

  return (
    <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-6">
      <div className="flex items-end gap-4">
        <Avatar name={clean || '?'} color={color} size="large" />
        <div className="min-w-0 flex-1">
          <label htmlFor={nameId} className="mb-1 block text-xs font-medium text-muted">
            Name
          </label>
          <input
            id={nameId}
            dir="auto"
            value={name}
            maxLength={NAME_MAX}
            autoComplete="nickname"
            required
            onChange={(event) => setName(event.target.value)}
            className="h-9 w-full rounded-control border border-line-strong bg-paper px-3 text-sm touch:min-h-11"
          />
        </div>
      </div>
      <RadioGroup.Root
        aria-label="Colour"
        value={String(color)}
        onValueChange={(value) => setColor(Number(value))}
        className="grid grid-cols-6 justify-items-center gap-3 sm:grid-cols-12 sm:gap-1"
      >
        {PERSON_COLOURS.map((label, index) => (
          <RadioGroup.Item
            key={label}
            value={String(index)}
            aria-label={label}
            title={label}
            className="group flex size-7 items-center justify-center rounded-full touch:size-11"
          >
            <span
              className={cx(
                'size-6 rounded-full ring-offset-2 ring-offset-[var(--paper-raised)] group-data-[state=checked]:ring-2 group-data-[state=checked]:ring-ink touch:size-8',
              )}
              style={{ background: personColour(index) }}
            />
          </RadioGroup.Item>
        ))}
      </RadioGroup.Root>
      <div className="flex justify-end gap-2">
        <Button onClick={onDone} className="h-9">
          Cancel
        </Button>
        <Button look="primary" type="submit" disabled={!clean || saving}>
          Save
        </Button>
      </div>
    </form>
  );
}
