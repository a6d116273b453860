/** `@concord/client`: one text, many people. */
export type * from './types.js';
export { bindTextarea, type Binding, type BindingOptions } from './textarea.js';
export type { PeopleOptions } from './overlay.js';
