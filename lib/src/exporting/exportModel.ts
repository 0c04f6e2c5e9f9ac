/** Files for other programs: safetensors that load in Python, and ONNX. */
import { saveCheckpoint, type Encoder } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { KEYS } from '../keys/index.js';
import { MEL } from '../mel/index.js';
import { HEAD_PREFIX, Probe, saveProbe } from '../probe/index.js';
import { float32, type StoredTensor, writeFileAtomic } from '../store/index.js';
import { addEncoder, addHead } from './graphs.js';
import { OnnxGraph, type PortShape } from './onnxModel.js';

/** What is exported: an encoder, a head, or both. */
export interface ExportParts {
  readonly encoder?: Encoder;
  readonly probe?: Probe;
  /** Text by name, added to what the file says about itself. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes safetensors for Python, atomically: the encoder under the reference's names, so that its
 * `load_state_dict(safetensors.torch.load_file(path))` takes it; a head alone as the Sequential's state dict (`0.weight`,
 * ...), beside an encoder under `head.`. A probe's standardizer goes into its first Linear, so that the head reads raw
 * embeddings. `loadCheckpoint` and `loadProbe` read the file as well.
 *
 * @throws InputError for nothing to export, a head of another width, or a probe that standardizes by the split at hand
 */
export function exportSafetensors(path: string, parts: ExportParts): void {
  const { encoder, probe, metadata = {} } = checkedParts(path, parts);
  const head = probe && withoutStandardizer(probe);
  if (!encoder) return saveProbe(path, head!, { format: 'pt', ...metadata });
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of head?.weights ?? []) tensors.set(HEAD_PREFIX + name, tensor);
  const ofHead = head && {
    probeConfig: JSON.stringify(head.config),
    probeWidth: `${head.width}`,
    probeEpoch: `${head.epoch}`,
  };
  saveCheckpoint(path, encoder, { tensors, metadata: { ...metadata, ...ofHead } });
}

/**
 * Writes an ONNX model (opset 17), atomically.
 * - encoder: `mel` float32 [batch, 128, frames] (power, as `melSpectrogram` gives it) -> `embedding` [batch, outWidth]
 * - head: `embedding` -> `logits` [batch, 24], in the order of metadata `keys`
 * - both: `mel` -> `embedding` and `logits`
 *
 * Metadata has the mel setting and its scale (power, whatever the encoder's `inputScale` makes of it inside), the clip's
 * frames and the keys. A track's key is the argmax of the mean of its clips' logits.
 *
 * @throws InputError as `exportSafetensors`, and for a model of 2 GB or more
 */
export function exportOnnx(path: string, parts: ExportParts): void {
  const { encoder, probe, metadata = {} } = checkedParts(path, parts);
  const graph = new OnnxGraph();
  const width = encoder?.outWidth ?? probe!.width;
  const embedding: PortShape = { name: 'embedding', shape: ['batch', width] };
  const [inputs, outputs]: PortShape[][] = encoder
    ? [[{ name: 'mel', shape: ['batch', encoder.config.nMels, encoder.config.clipFrames] }], [embedding]]
    : [[embedding], []];
  if (encoder) addEncoder(graph, encoder.config, encoder.toTensors(), 'mel', embedding.name);
  if (probe) {
    addHead(graph, probe, embedding.name, 'logits');
    outputs.push({ name: 'logits', shape: ['batch', KEYS.length] });
  }
  const about: Record<string, string> = { ...metadata };
  if (encoder) {
    about.melConfig = JSON.stringify(MEL);
    about.melScale = 'power';
    about.encoderConfig = JSON.stringify(encoder.config);
  }
  if (probe) {
    about.keys = JSON.stringify(KEYS.map(({ label }) => label));
    about.decision = probe.config.decision;
  }
  writeFileAtomic(path, graph.model(path, inputs, outputs, about));
}

function checkedParts(path: string, parts: ExportParts): ExportParts {
  const { encoder, probe } = parts;
  if (!encoder && !probe) throw new InputError(path, 'neither an encoder nor a probe is given; nothing to export.');
  if (encoder && probe && encoder.outWidth !== probe.width)
    throw new InputError(
      path,
      `the encoder gives embeddings of width ${encoder.outWidth}, the probe reads width ${probe.width}.`,
    );
  if (probe?.config.standardize === 'perSplit')
    throw new InputError(path, 'the probe standardizes by the statistics of each split, which no file can hold.');
  return parts;
}

/** The same probe for raw embeddings: w (x - mean) / scale + b = (w / scale) x + (b - w mean / scale). */
function withoutStandardizer(probe: Probe): Probe {
  const { standardizer, config, width } = probe;
  if (!standardizer) return probe;
  const weights = new Map(probe.weights);
  // The first Linear: the only one that reads the embedding.
  const name = [...weights.keys()].find((candidate) => candidate.endsWith('.weight'))!;
  const weight = weights.get(name)!;
  const biasName = name.replace(/weight$/, 'bias');
  const bias = Float64Array.from(weights.get(biasName)!.data);
  const scaled = Float32Array.from(weight.data, (value, i) => value / standardizer.scale[i % width]);
  for (let i = 0; i < weight.data.length; i++)
    bias[Math.floor(i / width)] -= (weight.data[i] * standardizer.mean[i % width]) / standardizer.scale[i % width];
  weights.set(name, float32(weight.shape, scaled));
  weights.set(biasName, float32([bias.length], Float32Array.from(bias)));
  return new Probe({ ...config, standardize: 'none' }, width, weights, null, probe.history, probe.epoch);
}
