/** `@concord/client`: one text, many people. */
export type * from './types.js';
