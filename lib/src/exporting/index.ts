/**
 * exporting/: encoders and heads as files of other programs: safetensors that load in Python, ONNX.
 *
 * Import rule: encoder, probe, views, mel (its setting), keys, store, errors.
 */
export { exportOnnx, exportSafetensors, type ExportParts } from './exportModel.js';
