/**
 * predict/: the key of a recording, from any model of encoder and head: streamed, calibrated, over time; of many files,
 * over threads and resumable.
 * Imports notes, probe, encoder, embeddings, mel, corpus, audio, keys, tensor, store, workers.
 */
export { answerFile, type AnswerOptions, type KeyAnswer } from './answer.js';
export { findAudio, type FoundAudio } from './findAudio.js';
export {
  keyModelId,
  type KeyModel,
  type KeyModelFiles,
  type KeyModelOptions,
  loadKeyModel,
  shippedModel,
} from './model.js';
export { KEY_SECONDS, keyCourse, type KeyCourse, type KeySection } from './overTime.js';
export { type ClipKeys, type KeyPrediction, predictFile, type PredictOptions, predictSamples } from './predict.js';
export { predictFiles, type PredictedFiles, type PredictFilesOptions } from './predictFiles.js';
export { meanOverShifts, shifted, TWELVE_SHIFTS } from './shifted.js';
export type { FileAnswer } from './predictTask.js';
