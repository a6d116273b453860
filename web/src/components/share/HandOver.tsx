'use client';

import { useEffect, useRef } from 'react';
import { Button } from '../Button';

export interface HandOverProps {
  name: string;
  onConfirm(): void;
  onCancel(): void;
}

/** A handed-over document comes back only by the new owner's hand, so it is asked for twice. */
export function HandOver({ name, onConfirm, onCancel }: HandOverProps) {
  const cancel = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    cancel.current?.focus();
    cancel.current?.closest('[role=group]')?.scrollIntoView?.({ block: 'nearest' });
  }, []);
  return (
    <div role="group" aria-label="Hand over" className="animate-fade scroll-mb-6 rounded-panel border border-line bg-sunken p-4">
      <p className="text-sm">
        <strong className="font-medium">
          Hand this document over to <bdi>{name}</bdi>?
        </strong>{' '}
        They decide from then on who can open it. You can still edit it, until they change that.
      </p>
      <div className="mt-3 flex flex-wrap gap-2">
        <Button ref={cancel} look="outline" onClick={onCancel}>
          Keep it
        </Button>
        <Button look="bad" onClick={onConfirm}>
          Hand over
        </Button>
      </div>
    </div>
  );
}
