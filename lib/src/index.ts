/** The public surface of `keymyna`: one namespace a room. Notebooks import from here; each room is `keymyna/<room>` too. */
export { InputError } from './errors.js';
export * as notebook from './notebook/index.js';
