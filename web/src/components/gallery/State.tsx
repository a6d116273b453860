import type { ReactNode } from 'react';

/** One state of a part, with its name above it. */
export function State({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="mb-4">
      <p className="mb-1 text-xs text-muted">{name}</p>
      {children}
    </div>
  );
}
