/**
 * audio/: from files to mono samples at 16 kHz: decoding, channels, resampling; wav bytes for players.
 * May import tensor/ (random numbers of effects) only.
 */
export {
  decodeAudio,
  loadAudio,
  MAX_FILE_BYTES,
  MAX_SAMPLES,
  SAMPLE_RATE,
  toMono,
  type DecodedAudio,
} from './decode.js';
export { resample, type ResampleMethod } from './resample.js';
export { encodeWav } from './wav.js';
