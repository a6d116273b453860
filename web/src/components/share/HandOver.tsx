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
  // After the menu has given the focus back to its button.
  useEffect(() => {
    const timer = setTimeout(() => cancel.current?.focus());
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="group" aria-label="Hand over" className="animate-fade rounded-panel border border-line bg-sunken p-4">
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
