/** `@concord/client`: one text, many people. */
export { type ClientOptions, ConcordClient, createClient } from './client.js';
export type { ClientError, DocumentSession } from './session.js';
export type * from './types.js';
export { bindTextarea, type Binding, type BindingOptions } from './textarea.js';
export type { PeopleOptions } from './overlay.js';
