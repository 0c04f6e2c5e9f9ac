/**
 * Corpus: tracks, splits and groups; the embedded corpus (composed, rendered on demand); readers of folders and of
 * manifests. Imports store, tensor (random numbers only), keys and audio.
 */
export { type Split, SPLITS } from './split.js';
export { type Corpus, type SkippedFile, type Track, type TrackSource, validateCorpus } from './track.js';
export { EMBEDDED_SIZES, embeddedCorpus, type EmbeddedOptions, transposeRecipe } from './embedded.js';
export { type Part, type Pattern, type PieceRecipe, type Section, type Style, STYLES } from './recipe.js';
export { arrange, DRUM_CHANNEL, type NoteEvent } from './arrange.js';
export { renderPiece } from './render.js';
export { loopClass } from './progressions.js';
export { type Chord, chordOf, SCALE_STEPS, type ScaleName } from './theory.js';
export { type Font, programsOf } from './timbres.js';
export { trackAudio } from './trackAudio.js';
export { type FolderOptions, readFolder } from './folder.js';
export { type ManifestOptions, readManifest } from './manifest.js';
