/** What an encoder is made of: its configuration, and the names and shapes of its parameters. */
import { InputError } from '../errors.js';
import { sizeOf } from '../store/index.js';
import { numTokens, PATCH_SIZE, PATCHINGS, wholePatchFrames, type PatchVariant } from '../views/index.js';

/**
 * What power is multiplied by in log(1 + gain x). Notes played softly have a power well below 1, where log(1 + x) is
 * nearly x itself and a patch's loudest band alone stands out; 30 dB more bring them into the logarithm's range.
 */
export const LOG_GAINS = { log1p: 1, log1p30dB: 1000 } as const;

/** `power`: the mel spectrogram as it is (the paper); the others: log(1 + gain x) before the patch embedding. */
export type InputScale = 'power' | keyof typeof LOG_GAINS;

export const INPUT_SCALES: readonly InputScale[] = ['power', 'log1p', 'log1p30dB'];

export interface EncoderConfig {
  readonly patches: PatchVariant;
  /** Frames of a clip, a multiple of the patch's frames; other lengths may be asked for at each call. */
  readonly clipFrames: number;
  readonly nMels: 128;
  /** Width of a token, a multiple of 4 (the position embedding has four parts). */
  readonly width: number;
  /** Number of transformer blocks. */
  readonly depth: number;
  readonly numHeads: number;
  readonly headDim: number;
  readonly mlpDim: number;
  readonly inputScale: InputScale;
}

/** Named sizes. `S` is the paper's, `B` that of its 85M encoders; `small` trains on a laptop; `tiny` is that of the golden values. */
export const ENCODER_SIZES = {
  tiny: { width: 32, depth: 2, numHeads: 2, headDim: 16, mlpDim: 64 },
  small: { width: 128, depth: 4, numHeads: 2, headDim: 64, mlpDim: 512 },
  S: { width: 384, depth: 12, numHeads: 6, headDim: 64, mlpDim: 1536 },
  B: { width: 768, depth: 12, numHeads: 12, headDim: 64, mlpDim: 3072 },
} as const;

export type EncoderSize = keyof typeof ENCODER_SIZES;

/** Frames of the paper's clip: 100,000 samples at hop 512. */
const PAPER_CLIP_FRAMES = 196;

/**
 * A checked configuration of a named size, with the paper's clip length (196 frames, 192 for square and hybrid).
 *
 * @param overrides any field, e.g. `{ inputScale: 'log1p' }` or `{ clipFrames: 98 }`
 * @throws InputError for a configuration that cannot be built
 */
export function encoderConfig(
  patches: PatchVariant,
  size: EncoderSize,
  overrides: Partial<EncoderConfig> = {},
): EncoderConfig {
  if (!Object.hasOwn(ENCODER_SIZES, size)) {
    throw new InputError('encoder size', `'${size}' found; expected one of ${Object.keys(ENCODER_SIZES).join(', ')}`);
  }
  return parseEncoderConfig({
    patches,
    clipFrames: defaultClipFrames(patches),
    nMels: 128,
    ...ENCODER_SIZES[size],
    inputScale: 'power',
    ...overrides,
  });
}

/** 196 frames, or the most below that patches of the variant fill. */
export function defaultClipFrames(patches: PatchVariant): number {
  checkChoice('encoder config', 'patches', patches, Object.keys(PATCHINGS));
  return wholePatchFrames(patches, PAPER_CLIP_FRAMES);
}

const COUNTS = ['clipFrames', 'width', 'depth', 'numHeads', 'headDim', 'mlpDim'] as const;

/**
 * Checks a configuration that comes from a file or from a caller.
 *
 * @param where what to name in errors
 * @throws InputError naming the field for a missing, unknown or impossible one
 */
export function parseEncoderConfig(value: unknown, where = 'encoder config'): EncoderConfig {
  if (typeof value !== 'object' || value === null) throw new InputError(where, `${String(value)} is not an object`);
  const fields = value as Record<string, unknown>;
  const known: readonly string[] = ['patches', 'nMels', 'inputScale', ...COUNTS];
  const missing = known.filter((name) => fields[name] === undefined);
  if (missing.length > 0) throw new InputError(where, `lacks ${missing.join(', ')}`);
  const unknown = Object.keys(fields).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new InputError(where, `has unknown ${unknown.join(', ')}; known are ${known.join(', ')}`);
  }
  checkChoice(where, 'patches', fields.patches, Object.keys(PATCHINGS));
  checkChoice(where, 'inputScale', fields.inputScale, INPUT_SCALES);
  checkChoice(where, 'nMels', fields.nMels, [128]);
  for (const name of COUNTS) {
    const count = fields[name];
    if (!(Number.isInteger(count) && (count as number) >= 1)) {
      throw new InputError(where, `${name} is ${String(count)}; expected a whole number >= 1`);
    }
  }
  const config = value as EncoderConfig;
  if (config.width % 4 !== 0 || config.width < 8) {
    // The slowest of width / 4 frequencies is 1 / 10000, reached in width / 4 - 1 steps: at least two are needed.
    throw new InputError(where, `width is ${config.width}; the position embedding needs a multiple of 4, at least 8`);
  }
  for (const patching of PATCHINGS[config.patches]) numTokens(patching, config.nMels, config.clipFrames);
  return config;
}

function checkChoice(where: string, name: string, found: unknown, choices: readonly (string | number)[]): void {
  if (!choices.includes(found as string | number)) {
    throw new InputError(where, `${name} is ${JSON.stringify(found)}; expected ${choices.join(' or ')}`);
  }
}

/** Prefix of the patch embedding's parameters: in hybrid, square is the primary one and vertical is `_b`. */
export function patchEmbeddingPrefix(patches: PatchVariant, patching: 'vertical' | 'square'): string {
  return patches === 'hybrid' && patching === 'vertical' ? 'to_patch_embedding_b' : 'to_patch_embedding';
}

/** Names and shapes of all parameters, in the order in which the reference registers them (no linear head). */
export function parameterShapes(config: EncoderConfig): Map<string, readonly number[]> {
  const { patches, width } = config;
  const shapes = new Map<string, readonly number[]>();
  for (const patching of [...PATCHINGS[patches]].reverse()) {
    const patchDim = PATCH_SIZE[patching][0] * PATCH_SIZE[patching][1];
    const prefix = patchEmbeddingPrefix(patches, patching);
    shapes.set(`${prefix}.1.weight`, [patchDim]);
    shapes.set(`${prefix}.1.bias`, [patchDim]);
    shapes.set(`${prefix}.2.weight`, [width, patchDim]);
    shapes.set(`${prefix}.2.bias`, [width]);
    shapes.set(`${prefix}.3.weight`, [width]);
    shapes.set(`${prefix}.3.bias`, [width]);
  }
  return new Map([...shapes, ...transformerShapes(config)]);
}

/** The part of a configuration that says how large the transformer is. */
export type TransformerSize = Pick<EncoderConfig, 'width' | 'depth' | 'numHeads' | 'headDim' | 'mlpDim'>;

/** Names and shapes of a transformer's parameters: the final norm, then block after block, as the reference has them. */
export function transformerShapes(size: TransformerSize): Map<string, readonly number[]> {
  const { width, depth, numHeads, headDim, mlpDim } = size;
  const inner = numHeads * headDim;
  const shapes = new Map<string, readonly number[]>();
  shapes.set('transformer.norm.weight', [width]);
  shapes.set('transformer.norm.bias', [width]);
  for (let layer = 0; layer < depth; layer++) {
    const [attention, mlp] = [`transformer.layers.${layer}.0`, `transformer.layers.${layer}.1`];
    shapes.set(`${attention}.norm.weight`, [width]);
    shapes.set(`${attention}.norm.bias`, [width]);
    shapes.set(`${attention}.to_qkv.weight`, [3 * inner, width]);
    shapes.set(`${attention}.to_out.weight`, [width, inner]);
    shapes.set(`${mlp}.net.0.weight`, [width]);
    shapes.set(`${mlp}.net.0.bias`, [width]);
    shapes.set(`${mlp}.net.1.weight`, [mlpDim, width]);
    shapes.set(`${mlp}.net.1.bias`, [mlpDim]);
    shapes.set(`${mlp}.net.3.weight`, [width, mlpDim]);
    shapes.set(`${mlp}.net.3.bias`, [width]);
  }
  return shapes;
}

/** Trainable numbers of the encoder, without any head: 21,375,872 for `S` (hybrid 21,475,840). */
export function parameterCount(config: EncoderConfig): number {
  let count = 0;
  for (const shape of parameterShapes(config).values()) count += sizeOf(shape);
  return count;
}
