import { troubleWords } from '@/lib/history/words';
import { Button } from '../Button';
import { DocumentProblem } from '../DocumentProblem';
import { Message } from '../Message';

export interface HistoryProblemProps {
  code: string;
  onRetry(): void;
  onBack(): void;
  onHome(): void;
}

/** Codes that are about the document, not about its history. */
const OF_DOCUMENT = ['not_found', 'document_deleted', 'forbidden', 'doc_corrupt', 'unauthenticated'];

const TITLES: Record<string, string> = {
  unreachable: 'The history needs a connection',
  overloaded: 'Too many people at once',
  storage_unavailable: 'The server cannot reach its storage',
};

const DETAILS: Record<string, string> = {
  unreachable: 'It is kept on the server, which cannot be reached at the moment. The document itself can be read and written.',
  overloaded: troubleWords('overloaded'),
  storage_unavailable: 'Nothing is lost; try again in a little while.',
};

/** Why there is no history to see, and what can be done. */
export function HistoryProblem({ code, onRetry, onBack, onHome }: HistoryProblemProps) {
  if (OF_DOCUMENT.includes(code)) return <DocumentProblem code={code} hasText={false} can={{ home: onHome, reload: onRetry }} />;
  return (
    <Message
      tone="bad"
      title={(Object.hasOwn(TITLES, code) && TITLES[code]) || 'The history could not be loaded'}
      detail={Object.hasOwn(DETAILS, code) ? DETAILS[code] : 'Something unexpected happened. Nothing of the document is lost; trying again often helps.'}
    >
      <Button look="primary" onClick={onRetry}>Try again</Button>
      <Button look="outline" onClick={onBack}>Back to the document</Button>
    </Message>
  );
}
