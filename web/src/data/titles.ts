// Titles of documents that are known by their ids alone.
import { useEffect, useState } from 'react';
import { api } from './api';

/** Titles by id, as they come in. What may not be read has none. */
export function useTitles(ids: string[]): ReadonlyMap<string, string> {
  const [titles, setTitles] = useState<ReadonlyMap<string, string>>(new Map());
  const wanted = [...ids].sort().join();
  useEffect(() => {
    let isWanted = true;
    for (const id of wanted.split(',')) {
      if (id === '' || titles.has(id)) continue;
      api.get(id).then(
        ({ title }) => isWanted && setTitles((known) => new Map(known).set(id, title)),
        // Asked again with the next change of the list.
        () => {},
      );
    }
    return () => {
      isWanted = false;
    };
    // What is known already is looked up when the list changes, not whenever a title has come.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [wanted]);
  return titles;
}
