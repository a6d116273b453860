'use client';

import { ConcordProvider, useConnection, useDocument, usePresence } from '@concord/client/react';
import { registerServiceWorker } from '@concord/client/service-worker';
import type { Person } from '@concord/client';
import { useEffect } from 'react';

function Text({ id }: { id: string }) {
  const { ref, status, title, undo, redo, canUndo, canRedo } = useDocument(id);
  const { people, scrollTo } = usePresence(id);
  const { state, retryNow } = useConnection();
  useEffect(() => {
    void registerServiceWorker({ url: '/none.js' });
  }, []);
  return (
    <>
      <textarea ref={ref} aria-label={title || 'Text'} aria-busy={status.phase === 'loading'} />
      <p role="status">{`${status.phase} ${status.save} ${state}`}</p>
      <button onClick={undo} disabled={!canUndo}>Undo</button>
      <button onClick={redo} disabled={!canRedo}>Redo</button>
      <button onClick={retryNow}>Retry</button>
      {people.map((person: Person) => (
        <button key={person.session} onClick={() => scrollTo(person)}>{person.name}</button>
      ))}
    </>
  );
}

export function Editor({ id }: { id: string }) {
  return (
    <ConcordProvider onError={(error) => console.info(error.code)}>
      <Text id={id} />
    </ConcordProvider>
  );
}
