/**
 * mel/: from samples to mel spectrograms as the reference computes them, and clips cut from them.
 * May import tensor/ only.
 */
export { RealFft } from './fft.js';
export {
  denseFilterBank,
  hzToMel,
  MEL,
  melCorners,
  melFilterBank,
  melToHz,
  type MelConfig,
  type MelFilterBank,
} from './filterBank.js';
export { frameCount, hannWindow } from './frames.js';
export {
  melSpectrogram,
  powerSpectrogram,
  type MelSpectrogram,
  type MelTrack,
  type PowerSpectrogram,
} from './spectrogram.js';
export { addOvertones, transposeMel } from './transpose.js';
export { type MelClip, MelStream, streamClips, streamMel } from './stream.js';
export { CLIP_FRAMES, CLIP_SAMPLES, clipStarts, copyClip, cutClip, cutClips } from './clips.js';
export { CHROMA, type ChromaConfig, chromagram, estimateTuning } from './chroma.js';
