/** The public surface of `keymyna`: one namespace a room. Notebooks import from here; each room is `keymyna/<room>` too. */
export { InputError } from './errors.js';
export * as store from './store/index.js';
export * as tensor from './tensor/index.js';
export * as keys from './keys/index.js';
export * as stats from './stats/index.js';
export * as audio from './audio/index.js';
export * as corpus from './corpus/index.js';
export * as mel from './mel/index.js';
export * as views from './views/index.js';
export * as encoder from './encoder/index.js';
export * as pretrain from './pretrain/index.js';
export * as embeddings from './embeddings/index.js';
export * as probe from './probe/index.js';
export * as maps from './maps/index.js';
export * as experiments from './experiments/index.js';
export * as figures from './figures/index.js';
export * as notebook from './notebook/index.js';
