import { describe, expect, it } from 'vitest';
import { problemFor, refusalFor } from './problem';

describe('problemFor', () => {
  it('offers restore for a deleted document and never for a missing one', () => {
    expect(problemFor('document_deleted').actions).toContain('restore');
    expect(problemFor('not_found').actions).not.toContain('restore');
  });

  it('always leaves a way on', () => {
    for (const code of ['not_found', 'storage_unavailable', 'client_taken', 'doc_corrupt', 'something_new', '']) {
      expect(problemFor(code).actions.length).toBeGreaterThan(0);
    }
  });

  it('does not take a name from the prototype for a code', () => {
    expect(problemFor('constructor').title).toBe('This document could not be opened');
  });
});

describe('refusalFor', () => {
  it('has words for a code it has never seen', () => {
    expect(refusalFor('brand_new')).toBe('The server did not accept it.');
    expect(refusalFor('document_full')).toContain('largest size');
  });
});
