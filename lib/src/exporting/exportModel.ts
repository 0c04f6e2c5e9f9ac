/** Files for other programs: safetensors that load in Python, and ONNX. */
import { saveCheckpoint, type Encoder } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { KEYS } from '../keys/index.js';
import { MEL } from '../mel/index.js';
import { STATISTICS_WIDTH, type Transcriber } from '../notes/index.js';
import { HEAD_PREFIX, Probe, saveProbe } from '../probe/index.js';
import { float32, type StoredTensor, writeFileAtomic } from '../store/index.js';
import { addEncoder, addHead } from './graphs.js';
import { addNoteHead, clipsFillWindow, WINDOW_FRAMES } from './noteGraph.js';
import { OnnxGraph, type PortShape } from './onnxModel.js';

/** What is exported: an encoder, a head, or both. */
export interface ExportParts {
  readonly encoder?: Encoder;
  readonly probe?: Probe;
  /** What reads the encoder's tokens, where the probe is a head on the statistics of notes. */
  readonly transcriber?: Transcriber | null;
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
  const { encoder, probe, transcriber, metadata = {} } = checkedParts(path, parts);
  const head = probe && withoutStandardizer(probe);
  const ofNotes = transcriber?.toTensors() ?? new Map<string, StoredTensor>();
  if (!encoder) return saveProbe(path, head!, { format: 'pt', ...metadata }, ofNotes);
  const tensors = new Map<string, StoredTensor>(ofNotes);
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
 * - encoder, transcriber and head: `mel` [batch, 128, frames of a window] -> `logits`
 *   (the graph knows nothing beyond its window: the suite hears the first and last three seconds of one together with what
 *   lies before and behind, and a recording too short for two windows as a whole)
 *
 * Metadata has the mel setting and its scale (power, whatever the encoder's `inputScale` makes of it inside), the clip's
 * frames and the keys. A track's key is the argmax of the mean of its clips' logits.
 *
 * @throws InputError as `exportSafetensors`, and for a model of 2 GB or more
 */
export function exportOnnx(path: string, parts: ExportParts): void {
  const { encoder, probe, transcriber, metadata = {} } = checkedParts(path, parts);
  const graph = new OnnxGraph();
  if (probe && transcriber) {
    const fits = encoder && clipsFillWindow(encoder.config.clipFrames);
    if (!fits)
      throw new InputError(
        path,
        `a head on notes hears windows of ${WINDOW_FRAMES} frames, as ONNX only together with an encoder whose clips, each ` +
          `beginning in the middle of the one before, fill them; ${encoder ? `this one's have ${encoder.config.clipFrames} frames` : 'give the encoder too'}.`,
      );
    addNoteHead(graph, { config: encoder.config, weights: encoder.toTensors(), transcriber, probe }, 'mel', 'logits');
    const input = { name: 'mel', shape: ['batch', encoder.config.nMels, WINDOW_FRAMES] };
    const output = { name: 'logits', shape: ['batch', KEYS.length] };
    const about = { ...metadata, ...aboutMel(encoder), ...aboutKeys(probe) };
    return writeFileAtomic(path, graph.model(path, [input], [output], about));
  }
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
  const about = { ...metadata, ...(encoder && aboutMel(encoder)), ...(probe && aboutKeys(probe)) };
  writeFileAtomic(path, graph.model(path, inputs, outputs, about));
}

const aboutMel = ({ config }: Encoder): Record<string, string> => ({
  melConfig: JSON.stringify(MEL),
  melScale: 'power',
  encoderConfig: JSON.stringify(config),
});

const aboutKeys = ({ config }: Probe): Record<string, string> => ({
  keys: JSON.stringify(KEYS.map(({ label }) => label)),
  decision: config.decision,
});

function checkedParts(path: string, parts: ExportParts): ExportParts {
  const { encoder, probe, transcriber } = parts;
  if (!encoder && !probe) throw new InputError(path, 'neither an encoder nor a probe is given; nothing to export.');
  const [gives, width] = transcriber
    ? ['the statistics of notes have', STATISTICS_WIDTH]
    : ['the encoder gives embeddings of', encoder?.outWidth];
  if (encoder && probe && width !== probe.width)
    throw new InputError(path, `${gives} width ${width}, the probe reads width ${probe.width}.`);
  if (encoder && transcriber && transcriber.width !== encoder.outWidth)
    throw new InputError(path, `the encoder gives tokens of width ${encoder.outWidth}, the transcriber reads width ${transcriber.width}.`); // prettier-ignore
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
