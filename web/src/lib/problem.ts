// Stable error codes in words: what happened, what it means for my text, and what I can do about it.

export type ProblemAction = 'reload' | 'retry' | 'home' | 'restore' | 'copy' | 'download' | 'report';

export interface Problem {
  title: string;
  detail: string;
  actions: ProblemAction[];
}

const PROBLEMS: Record<string, Problem> = {
  not_found: {
    title: 'There is no document here',
    detail: 'The link may be incomplete, or the document is not shared with you. Ask the person who sent it to you.',
    actions: ['home'],
  },
  document_deleted: {
    title: 'This document was deleted',
    detail: 'Its text is kept for now: the owner can restore it, and everybody goes on where they stopped.',
    actions: ['restore', 'reload', 'copy', 'home'],
  },
  storage_unavailable: {
    title: 'The server cannot reach its storage',
    detail: 'Nothing was lost. Edits you made stay on this device and are sent as soon as it works again.',
    actions: ['reload', 'home'],
  },
  overloaded: {
    title: 'Too many people at once',
    detail: 'The server is busy at the moment. Nothing was lost; try again in a little while.',
    actions: ['reload', 'home'],
  },
  too_many_documents: {
    title: 'Too many documents are open',
    detail: 'Close one of the other tabs, then open this document again.',
    actions: ['reload', 'home'],
  },
  client_taken: {
    title: 'This tab belongs to somebody else',
    detail: 'The edits kept in this tab were made under another name. Reload to go on under yours; copy the text first if you need it.',
    actions: ['reload', 'copy', 'home'],
  },
  doc_corrupt: {
    title: 'This document is damaged',
    detail: 'The server found a fault in what it stored and refuses to show a wrong text. Whoever runs the server can check it with “collab-server verify”.',
    actions: ['copy', 'download', 'home'],
  },
  document_full: {
    title: 'This document is full',
    detail: 'It has reached the largest size the server allows. Delete some text, or go on in a new document.',
    actions: ['home'],
  },
  forbidden: {
    title: 'You may not open this document',
    detail: 'Ask its owner to let you in.',
    actions: ['copy', 'home'],
  },
  access_revoked: {
    title: 'You may no longer open this document',
    detail: 'Its owner changed who can. The text stays here until you leave this page; nothing of it is sent or updated.',
    actions: ['copy', 'download', 'retry', 'home'],
  },
  replaced: {
    title: 'Another tab goes on with this document',
    detail: 'This one has stopped, so that nothing is sent twice. Reload to go on here.',
    actions: ['reload', 'home'],
  },
  out_of_step: {
    title: 'This text and the server’s came apart',
    detail: 'They could not be brought in step again. Copy what you need before you reload; a report of what happened helps to mend it.',
    actions: ['reload', 'copy', 'report', 'home'],
  },
  engine_unavailable: {
    title: 'The editor could not be loaded',
    detail: 'A part of this page is missing, most likely because the network broke off. Reloading fetches it again.',
    actions: ['reload', 'home'],
  },
};

/** Trouble that was repaired and is still worth telling; the document goes on. */
const REPAIRED: Record<string, string> = {
  diverged: 'A check failed: this text had drifted from the server’s, and was fetched again.',
  storage_corrupt: 'Edits kept on this device could not be read. The document was loaded from the server.',
};

/** A sentence about repaired trouble, or null when it is nothing for people. */
export function repairedFor(code: string | undefined): string | null {
  return (code !== undefined && Object.hasOwn(REPAIRED, code) && REPAIRED[code]) || null;
}

const UNKNOWN: Problem = {
  title: 'This document could not be opened',
  detail: 'Something unexpected happened. Edits you made stay on this device; reloading often helps.',
  actions: ['reload', 'copy', 'home'],
};

/** The words for a code; an unknown code still says what can be done. */
export function problemFor(code: string): Problem {
  return (Object.hasOwn(PROBLEMS, code) && PROBLEMS[code]) || UNKNOWN;
}

const REFUSALS: Record<string, string> = {
  document_full: 'The document has reached its largest size.',
  text_too_large: 'It was too large to be sent in one piece.',
  too_many_components: 'It changed too many places at once.',
  bad_text: 'It held characters that cannot be stored.',
  forbidden: 'You may read this document but not change it any more.',
  document_deleted: 'The document was deleted in the meantime.',
  doc_corrupt: 'The document is damaged on the server.',
};

/** Why the server did not take an edit. */
export function refusalFor(code: string): string {
  return (Object.hasOwn(REFUSALS, code) && REFUSALS[code]) || 'The server did not accept it.';
}
