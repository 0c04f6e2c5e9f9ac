/**
 * Corpus: tracks, splits and groups; the embedded corpus (composed, rendered on demand); readers of folders, of
 * manifests and of published data sets; splits as files, and leaks between them. Imports store, tensor (random numbers
 * only), keys and audio.
 */
export { type Split, SPLITS } from './split.js';
export { type Corpus, type SkippedFile, type Track, type TrackSource, validateCorpus } from './track.js';
export { EMBEDDED_SIZES, embeddedCorpus, type EmbeddedOptions, transposeRecipe } from './embedded.js';
export { type Part, type Pattern, type PieceRecipe, type Section, type Style, STYLES } from './recipe.js';
export { arrange, DRUM_CHANNEL, type NoteEvent } from './arrange.js';
export { ACTIVITY_CHANNELS, type PitchClassActivity, pitchClassActivity } from './pitchClassActivity.js';
export { renderPiece } from './render.js';
export { loopClass } from './progressions.js';
export { type Chord, chordOf, SCALE_STEPS, type ScaleName } from './theory.js';
export { type Font, programsOf } from './timbres.js';
export { trackAudio, trackAudioStream } from './trackAudio.js';
export { checksumOf } from './checksum.js';
export { examineRecording, type ExamineOptions, type Recording } from './recordings.js';
export { keyShares, type KeySpan, keySpans } from './keySpans.js';
export { AUDIO_ENDINGS, type FolderOptions, readFolder } from './folder.js';
export { type ManifestOptions, readManifest } from './manifest.js';
export { findLeaks, type Leak, leakSentence, type SplitMember } from './leaks.js';
export {
  DEFAULT_SHARES,
  makeSplits,
  readSplitFile,
  type SplitCandidate,
  type SplitShares,
  splitsOf,
  writeSplitFile,
} from './splitFile.js';
export { type KeyLabel, LABEL_QUIRKS, type LabelQuirk, type OtherModes, readLabel } from './datasets/labels.js';
export {
  type DatasetItem,
  type DatasetListing,
  type DatasetProblem,
  type DatasetReader,
  PROBLEM_KINDS,
  type ProblemKind,
  type Subset,
} from './datasets/listing.js';
export { datasetOf, DATASETS, subsetOf } from './datasets/registry.js';
export {
  type CountRow,
  type DatasetReport,
  type DuplicateGroup,
  verifyDataset,
  type VerifiedTrack,
  type VerifyOptions,
} from './datasets/verify.js';
export { readDataset, writeManifest } from './datasets/read.js';
