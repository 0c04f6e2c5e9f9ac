/**
 * peers/: key detectors side by side on the same tracks: template baselines, an encoder and a head of ours, any ONNX
 * model, essentia.js, and the written answers of other programs; their comparison with paired statistics.
 * onnxruntime-node and essentia.js are used where a reader has installed them.
 *
 * Import rule: predict, probe, embeddings, encoder, mel, corpus, audio, stats, keys, tensor, store.
 */
export { answerOf, type KeyAnswer, type KeyDetector } from './detector.js';
export { TEMPLATE_NAMES, templateDetector, type TemplateName } from './templateDetector.js';
export { ESSENTIA_PROFILES, essentiaDetector, type EssentiaProfile } from './essentiaDetector.js';
export { modelDetector, modelIdentity } from './modelDetector.js';
export { onnxDetector } from './onnxDetector.js';
export {
  onnxDescription,
  type OnnxDescription,
  type OnnxInput,
  type OnnxOutput,
  readOnnxDescription,
} from './onnxDescription.js';
export { KEY_ORDERS, ONNX_PRESETS, type OnnxPreset } from './onnxPresets.js';
export { installedVersion, OPTIONAL_PACKAGES, type OptionalPackage } from './optionalPackage.js';
export { onnxMetadata } from './onnxMetadata.js';
export { type ProgramEstimates, readEstimates } from './estimatesCsv.js';
export { type DetectorSpec, type EstimatesSpec, openDetector, parseSystem, type SystemSpec } from './systems.js';
export { detectTracks, type DetectOptions, type FailedSystem, type SystemAnswers } from './detectTracks.js';
export { estimatesSystems } from './estimatesSystems.js';
export {
  type CompareOptions,
  comparePeers,
  type Difference,
  type Interval,
  type PeerComparison,
  type PeerPair,
  type PeerRow,
  type ReferenceKey,
} from './compare.js';
