/**
 * embeddings/: tracks -> clips -> embedding tables, baseline tables without an encoder, the standardizer.
 * Imports encoder, mel, tensor, store, workers. Encoder and probe meet only in an embedding table.
 */
export { describeClips, melMeanTable, type SampleTrack } from './baselines.js';
export { embedLayers, type EmbedOptions, embedTracks, type Layer } from './embed.js';
export { embedCorpus, type EmbedCorpusOptions, type EmbedCorpusResult, embeddingUnits } from './embedCorpus.js';
export { type EmbeddedUnit, type LeftOutTrack, PartialTable } from './partialTable.js';
export { readPrecomputed } from './precomputed.js';
export { fitStandardizer, standardize, type Standardizer } from './standardizer.js';
export {
  assertTable,
  buildTable,
  concatenateTables,
  type EmbeddingTable,
  loadEmbeddingTable,
  saveEmbeddingTable,
  selectTracks,
} from './table.js';
