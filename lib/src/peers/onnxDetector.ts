/** Any ONNX key detector: clips as its description says, its outputs averaged over the track. K = its classes. */
import { SAMPLE_RATE } from '../audio/index.js';
import { embedTracks } from '../embeddings/index.js';
import { type Encoder, loadCheckpoint } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { NUM_KEYS } from '../keys/index.js';
import { clipStarts, cutClips, melSpectrogram, type MelSpectrogram } from '../mel/index.js';
import { softmax } from '../stats/index.js';
import { ensureBackend } from '../tensor/index.js';
import { answerOf, type KeyAnswer, type KeyDetector } from './detector.js';
import { type AudioInput, type MelInput, type OnnxOutput, readOnnxDescription } from './onnxDescription.js';
import { onnxMetadata } from './onnxMetadata.js';
import { openOnnx, type OnnxPort, type OnnxSession, type OnnxTensor } from './onnxRuntime.js';
import { type InputLayout, inputLayout, outputName } from './onnxShapes.js';

/** Rises whenever inputs or the decision change. */
export const ONNX_VERSION = 1;

/** Makes the clips of a track, each as the model reads it. */
type ClipsOf = (samples: Float32Array) => Promise<readonly Float32Array[]>;

/**
 * @param path model; its description lies beside it, see `readOnnxDescription`
 * @returns a detector whose confidence is the probability of the key: softmax of the mean logits at the description's
 *   temperature, or the mean of probabilities
 * @throws InputError if onnxruntime-node is missing, the model does not load, or its description does not fit it
 */
export async function onnxDetector(name: string, path: string): Promise<KeyDetector> {
  const description = readOnnxDescription(path, onnxMetadata(path));
  const { input, output } = description;
  const session = await openOnnx(path);
  let encoder: Encoder | null = null;
  try {
    const port = inputPort(path, session, input.name);
    const outputPort = outputName(path, session.outputs, description);
    let clipsOf: ClipsOf;
    let layout: InputLayout;
    if (input.kind === 'embedding') {
      await ensureBackend();
      encoder = loadCheckpoint(input.weights).encoder;
      layout = inputLayout(path, port, input, { width: encoder.outWidth });
      clipsOf = embeddingsOf(encoder);
    } else if (input.kind === 'mel') {
      layout = inputLayout(path, port, input, { bands: input.config.nMels });
      clipsOf = melClips(input, layout);
    } else {
      layout = inputLayout(path, port, input, {});
      clipsOf = audioClips(input, layout);
    }
    const sampleRate =
      input.kind === 'audio' ? input.sampleRate : input.kind === 'mel' ? input.config.sampleRate : SAMPLE_RATE;
    return {
      name,
      sampleRate,
      detect: async (samples) => {
        const rows: Float64Array[] = [];
        const clips = await clipsOf(samples);
        for (let first = 0; first < clips.length; first += layout.batch) {
          const batch = clips.slice(first, first + layout.batch);
          const { data, dims } = batchOf(batch, layout, input.kind === 'mel' ? input.config.nMels : null);
          const found = await session.run(port.name, data, dims, outputPort);
          rows.push(...rowsOf(path, outputPort, found, output.keys.length, batch.length, layout));
        }
        return decide(rows, output);
      },
      dispose: async () => {
        encoder?.dispose();
        await session.release();
      },
    };
  } catch (error) {
    encoder?.dispose();
    await session.release();
    throw error;
  }
}

function inputPort(path: string, { inputs }: OnnxSession, name: string | null): OnnxPort {
  const port = name === null && inputs.length === 1 ? inputs[0] : inputs.find((one) => one.name === name);
  if (port && inputs.length === 1) return port;
  const names = inputs.map((one) => one.name).join(', ');
  if (!port) throw new InputError(path, `has the inputs ${names}; the description names ${name ?? 'none of them'}`);
  throw new InputError(path, `has the inputs ${names}; a model with one input, the track, is expected`);
}

const audioClips =
  ({ hop, normalize }: AudioInput, { clip }: InputLayout): ClipsOf =>
  async (samples) => {
    let peak = 0;
    for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
    const scaled = normalize === 'peak' && peak > 0 ? samples.map((sample) => sample / peak) : samples;
    if (clip === null) return [scaled];
    return clipStarts(samples.length, clip, hop ?? clip).map((start) => {
      const padded = new Float32Array(clip);
      padded.set(scaled.subarray(start, start + clip));
      return padded;
    });
  };

const melClips =
  ({ config, scale, hop }: MelInput, { clip, axes }: InputLayout): ClipsOf =>
  async (samples) => {
    const mel = melSpectrogram(samples, { config, scale });
    const clips = clip === null ? [mel] : cutClips(mel, clip, { hop: hop ?? clip });
    const isTransposed = axes.indexOf('frames') < axes.indexOf('bands');
    return clips.map((one) => (isTransposed ? transposed(one) : one.data));
  };

const embeddingsOf =
  (encoder: Encoder): ClipsOf =>
  async (samples) => {
    const { embeddings, nClips, width } = await embedTracks(encoder, [{ id: 'track', mel: melSpectrogram(samples) }]);
    return Array.from({ length: nClips }, (_, clip) => embeddings.subarray(clip * width, (clip + 1) * width));
  };

/** [bands, frames] -> [frames, bands] */
function transposed({ nMels, nFrames, data }: MelSpectrogram): Float32Array {
  const out = new Float32Array(data.length);
  for (let m = 0; m < nMels; m++) for (let t = 0; t < nFrames; t++) out[t * nMels + m] = data[m * nFrames + t];
  return out;
}

/** Clips as one tensor; a batch of fixed size is filled up with zeros. @param nMels null where clips have one dimension */
function batchOf(
  clips: readonly Float32Array[],
  { axes, batch, isBatchFixed }: InputLayout,
  nMels: number | null,
): { data: Float32Array; dims: number[] } {
  const n = isBatchFixed ? batch : clips.length;
  const size = clips[0].length;
  const data = new Float32Array(n * size);
  clips.forEach((clip, i) => data.set(clip, i * size));
  const dims = axes.map((axis) => {
    if (axis === 'batch') return n;
    if (axis === 'channel') return 1;
    if (axis === 'bands') return nMels!;
    return axis === 'frames' ? size / nMels! : size;
  });
  return { data, dims };
}

/** Rows [K] of the clips that were fed; a model may give several a clip (one a frame). */
function rowsOf(
  path: string,
  name: string,
  { data, dims, type }: OnnxTensor,
  classes: number,
  nClips: number,
  { batch, isBatchFixed }: InputLayout,
): Float64Array[] {
  const where = `${path}, output ${name}`;
  if (!(data instanceof Float32Array || data instanceof Float64Array))
    throw new InputError(where, `is of type ${type}; float32 or float64 was expected`);
  const fed = isBatchFixed ? batch : nClips;
  const perClip = data.length / classes / fed;
  if (dims.at(-1) !== classes || !Number.isInteger(perClip) || perClip < 1)
    throw new InputError(
      where,
      `has the shape [${dims.join(', ')}] for ${fed} clips; ${classes} classes were expected last, as described`,
    );
  return Array.from({ length: nClips * perClip }, (_, row) =>
    Float64Array.from(data.subarray(row * classes, (row + 1) * classes)),
  );
}

/** Mean over the rows, then by key. */
function decide(rows: readonly Float64Array[], { keys, values, temperature }: OnnxOutput): KeyAnswer {
  const mean = keys.map((_, k) => rows.reduce((sum, row) => sum + row[k], 0) / rows.length);
  const scores = new Float64Array(NUM_KEYS);
  keys.forEach((keyId, k) => {
    if (keyId !== null) scores[keyId] = mean[k];
  });
  const probabilities = values === 'logits' ? softmax(scores, temperature) : scores;
  return answerOf(scores, (keyId) => probabilities[keyId]);
}
