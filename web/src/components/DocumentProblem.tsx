'use client';

import { TriangleAlert } from 'lucide-react';
import { type ProblemAction, problemFor } from '@/lib/problem';
import { Button } from './Button';
import { Message } from './Message';

export interface DocumentProblemProps {
  code: string;
  /** Text that is still on the screen: then the problem is a strip above it, not a page instead of it. */
  hasText: boolean;
  can: Partial<Record<ProblemAction, (() => void) | undefined>>;
  /** The page's only heading, when it stands alone. */
  heading?: 'h1' | 'h2';
}

const NAMES: Record<ProblemAction, string> = {
  reload: 'Reload',
  retry: 'Try again',
  home: 'My documents',
  restore: 'Restore',
  copy: 'Copy the text',
  download: 'Download the text',
  report: 'Copy report…',
};

function Actions({ code, hasText, can }: DocumentProblemProps) {
  const needsText = (action: ProblemAction) => action === 'copy' || action === 'download';
  const actions = problemFor(code).actions.filter((action) => can[action] && (hasText || !needsText(action)));
  return actions.map((action, index) => (
    <Button key={action} look={index === 0 ? 'primary' : 'outline'} onClick={can[action]}>
      {NAMES[action]}
    </Button>
  ));
}

/** Why this document cannot go on, what that means for my text, and what I can do. */
export function DocumentProblem(props: DocumentProblemProps) {
  const { title, detail } = problemFor(props.code);
  if (!props.hasText) {
    return (
      <Message heading={props.heading ?? 'h2'} tone="bad" title={title} detail={detail}>
        <Actions {...props} />
      </Message>
    );
  }
  return (
    <section role="alert" aria-label={title} className="shrink-0 animate-fade border-b border-line bg-warn-tint">
      <div className="mx-auto flex max-w-2xl flex-wrap items-center gap-3 px-6 py-3">
        <TriangleAlert size={16} aria-hidden className="shrink-0 text-warn" />
        <p className="min-w-64 flex-1 text-sm">
          <strong className="font-medium text-warn">{title}.</strong> {detail}
        </p>
        <div className="flex flex-wrap gap-2">
          <Actions {...props} />
        </div>
      </div>
    </section>
  );
}
