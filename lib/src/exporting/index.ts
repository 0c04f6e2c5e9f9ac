/**
 * exporting/: encoders and heads as files of other programs: safetensors that load in Python, ONNX.
 *
 * Import rule: notes, corpus, encoder, probe, views, mel (its setting), keys, store, errors.
 */
export { exportOnnx, exportSafetensors, type ExportParts } from './exportModel.js';
