/**
 * audio/: from files to mono samples at 16 kHz: decoding, channels, resampling; augmentations; wav bytes for players.
 * May import tensor/ (random numbers of effects) only.
 */
export {
  concatenate,
  decodeAudio,
  loadAudio,
  MAX_FILE_BYTES,
  MAX_SAMPLES,
  SAMPLE_RATE,
  toMono,
  type DecodedAudio,
} from './decode.js';
export { type AudioStreamOptions, MAX_STREAM_BYTES, MAX_STREAM_SECONDS, streamAudio } from './stream.js';
export { resample, type ResampleMethod } from './resample.js';
export { headerDuration, type HeaderDuration } from './duration.js';
export { encodeWav } from './wav.js';
export { encodeMp3 } from './augment/codecs.js';
export { applyAugmentation } from './augment/apply.js';
export { mixNoise, pinkNoise, rms } from './augment/noise.js';
export {
  type Augmentation,
  type AugmentationId,
  type AugmentationInfo,
  augmentationInfo,
  type AugmentationOption,
  AUGMENTATION_IDS,
  AUGMENTATIONS,
  labelShift,
} from './augment/registry.js';
