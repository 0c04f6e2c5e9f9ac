/** A key model: an encoder and a head that belong together. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ConfigOverrides, type Encoder, loadCheckpoint, weightsId } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { BIN_FRAMES, STATISTICS_WIDTH, Transcriber, WHOLE_WINDOWS } from '../notes/index.js';
import { type KeyOrder, loadProbe, type Probe } from '../probe/index.js';
import { canonicalJson, readWeights } from '../store/index.js';

/** Everything that goes from a clip's mel spectrogram to the 24 keys. */
export interface KeyModel {
  readonly encoder: Encoder;
  /** What reads the encoder's tokens, where the head reads notes; null: the head reads embeddings. */
  readonly transcriber: Transcriber | null;
  readonly probe: Probe;
  /** What logits are divided by before their softmax; 1 if the head does not say. */
  readonly temperature: number;
  /** Whether the head says its temperature: then a confidence of .8 is meant to be right in 8 of 10 cases. */
  readonly isCalibrated: boolean;
  /** Frames of what the head answers at once: a clip of the encoder, or a window of notes. */
  readonly clipFrames: number;
  /** Frames from one clip's start to the next's where nobody asks for others: what the head says, else contiguous. */
  readonly clipHop: number;
  readonly name: string;
  /** Frees the weights. */
  dispose(): void;
}

export interface KeyModelFiles {
  /** Checkpoint of the encoder: safetensors, an index of shards or their folder, or .pth. */
  readonly weights: string;
  /** Probe of `saveProbe`, a head of PyTorch, or a checkpoint that holds a head too. */
  readonly head: string;
}

/** What files of others do not say. */
export interface KeyModelOptions {
  readonly overrides?: ConfigOverrides;
  readonly keyOrder?: KeyOrder;
}

/** `<repository>/data/checkpoints/`, from the compiled file and from its source alike. */
const CHECKPOINTS = new URL('../../../data/checkpoints/', import.meta.url);

/**
 * The files of the model that ships with the suite.
 * @throws InputError if they are not there
 */
export function shippedModel(): KeyModelFiles {
  const [weights, head] = ['encoder', 'head'].map((part) => fileURLToPath(new URL(`${part}.safetensors`, CHECKPOINTS)));
  for (const path of [weights, head])
    if (!existsSync(path))
      throw new InputError(path, 'the model that ships is not there; check the repository out again, or give your own');
  return { weights, head };
}

/**
 * Reads a model. Needs `initBackend` first.
 * @throws InputError naming the file for damaged files, a head of another width than the encoder's embeddings (or, with a
 *   transcriber beside it, than the statistics of notes), a head that standardizes by the split at hand, or a temperature
 *   or a hop that is none
 */
export function loadKeyModel(files: KeyModelFiles, options: KeyModelOptions = {}): KeyModel {
  const probe = loadProbe(files.head, { keyOrder: options.keyOrder });
  if (probe.config.standardize === 'perSplit')
    throw new InputError(files.head, 'standardizes by the statistics of a whole split, which a single file has not.');
  const { metadata: about, tensors } = readWeights(files.head);
  const transcriber = Transcriber.fromTensors(tensors, files.head);
  const { temperature, isCalibrated } = temperatureOf(files.head, about);
  const { encoder, metadata } = loadCheckpoint(files.weights, options.overrides);
  try {
    checkFit(files, encoder, transcriber, probe);
    return {
      encoder,
      transcriber,
      probe,
      temperature,
      isCalibrated,
      ...(transcriber
        ? { clipFrames: WHOLE_WINDOWS.length * BIN_FRAMES, clipHop: WHOLE_WINDOWS.hop * BIN_FRAMES }
        : {
            clipFrames: encoder.config.clipFrames,
            clipHop: hopOf(files.head, about, encoder.config.clipFrames),
          }),
      name: metadata.name ?? basename(files.weights),
      dispose: () => encoder.dispose(),
    };
  } catch (error) {
    encoder.dispose();
    throw error;
  }
}

function checkFit(files: KeyModelFiles, encoder: Encoder, transcriber: Transcriber | null, probe: Probe): void {
  if (transcriber && encoder.config.patches !== 'vertical')
    throw new InputError(files.head, `reads notes from vertical patches; those of ${files.weights} are ${encoder.config.patches}.`); // prettier-ignore
  const [what, reads, expected] = transcriber
    ? ['tokens', transcriber.width, encoder.outWidth]
    : ['embeddings', probe.width, encoder.outWidth];
  if (reads !== expected)
    throw new InputError(files.head, `reads ${what} of width ${reads}; those of ${files.weights} have width ${expected}.`); // prettier-ignore
  if (transcriber && probe.width !== STATISTICS_WIDTH)
    throw new InputError(
      files.head,
      `holds a transcriber and a head of width ${probe.width}; the statistics of notes have width ${STATISTICS_WIDTH}.`,
    );
}

type Metadata = Readonly<Record<string, string>>;

function temperatureOf(head: string, { temperature: text }: Metadata): Pick<KeyModel, 'temperature' | 'isCalibrated'> {
  if (text === undefined) return { temperature: 1, isCalibrated: false };
  const temperature = Number(text);
  if (!(temperature > 0 && temperature < Infinity))
    throw new InputError(head, `its metadata says temperature "${text}"; a number above 0 was expected.`);
  return { temperature, isCalibrated: true };
}

function hopOf(head: string, { clipHop: text = '' }: Metadata, clipFrames: number): number {
  const hop = text === '' ? clipFrames : Number(text);
  if (Number.isInteger(hop) && hop >= 1 && hop <= clipFrames) return hop;
  throw new InputError(
    head,
    `its metadata says clipHop "${text}"; a number of frames from 1 to ${clipFrames} was expected.`,
  );
}

/** Names the model by all that its answers depend on: 12 hexadecimal digits. */
export function keyModelId({ encoder, transcriber, probe, temperature, clipHop }: KeyModel): string {
  const hash = createHash('sha256');
  hash.update(canonicalJson({ encoder: weightsId(encoder), hidden: probe.config.hidden, temperature, clipHop }));
  for (const [name, { data }] of [...(transcriber?.toTensors() ?? []), ...probe.weights])
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  if (probe.standardizer) hash.update(probe.standardizer.mean).update(probe.standardizer.scale);
  return hash.digest('hex').slice(0, 12);
}
