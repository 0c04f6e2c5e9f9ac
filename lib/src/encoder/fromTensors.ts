/** From named tensors to a configuration and checked weights. */
import { InputError } from '../errors.js';
import { sizeOf, type StoredTensor } from '../store/index.js';
import { PATCH_SIZE } from '../views/index.js';
import { defaultClipFrames, parameterShapes, parseEncoderConfig, type EncoderConfig } from './config.js';

/** What tensors alone do not tell, and what they are expected to be. */
export type ConfigOverrides = Partial<Omit<EncoderConfig, 'nMels' | 'headDim'>>;

/** Values of a patch, square or vertical. */
const PATCH_VALUES = PATCH_SIZE.vertical[0] * PATCH_SIZE.vertical[1];

const LINEAR_HEAD = ['linear_head.weight', 'linear_head.bias'];

/** Whether a tensor belongs to the classification head that reference checkpoints carry along. */
export function isLinearHead(name: string): boolean {
  return LINEAR_HEAD.includes(name);
}

/**
 * Reads the configuration off the shapes. Width, depth and MLP size are in them (a value in `overrides` is an
 * expectation, which `checkedWeights` then compares with the shapes); `patches` is for hybrid only, since a
 * vertical and a square patch hold 256 values both; the heads are those of `overrides`, else of 64 values each (as in
 * the reference unless told otherwise).
 *
 * @throws InputError for a missing tensor or a shape that does not fit, naming it
 */
export function inferConfig(
  tensors: ReadonlyMap<string, StoredTensor>,
  overrides: ConfigOverrides,
  where: string,
): EncoderConfig {
  const shapeOf = (name: string): readonly number[] => {
    const tensor = tensors.get(name);
    if (!tensor)
      throw new InputError(where, `tensor ${name} is missing; this is no SimpleViT checkpoint, or not whole`);
    if (tensor.shape.length !== 2) {
      throw new InputError(where, `tensor ${name} has shape [${tensor.shape.join(', ')}]; expected two dimensions`);
    }
    return tensor.shape;
  };
  const [width, patchDim] = shapeOf('to_patch_embedding.2.weight');
  if (patchDim !== PATCH_VALUES) {
    throw new InputError(
      where,
      `its patches hold ${patchDim} values, here they hold ${PATCH_VALUES} (128 mel bands x 2 frames, or 16 x 16); ` +
        `it was made for mel spectrograms of another number of bands, or for other patches`,
    );
  }
  const [qkvDim] = shapeOf('transformer.layers.0.0.to_qkv.weight');
  const [mlpDim] = shapeOf('transformer.layers.0.1.net.1.weight');
  const layers = [...tensors.keys()].map((name) => Number(/^transformer\.layers\.(\d+)\./.exec(name)?.[1] ?? 0));
  const depth = 1 + layers.reduce((most, layer) => Math.max(most, layer), 0);
  if (depth > tensors.size) {
    throw new InputError(where, `has a tensor of block ${depth - 1}, but only ${tensors.size} tensors in all`);
  }
  const isHybrid = tensors.has('to_patch_embedding_b.2.weight');
  const patches = overrides.patches ?? (isHybrid ? 'hybrid' : undefined);
  if (!patches) {
    throw new InputError(
      where,
      `vertical or square? Their tensors have equal shapes (patches of 256 values both) and the metadata does not say; ` +
        `give patches: 'vertical' or 'square'`,
    );
  }
  if ((patches === 'hybrid') !== isHybrid) {
    const found = isHybrid ? 'has to_patch_embedding_b.*, so it is hybrid' : 'lacks to_patch_embedding_b.*';
    throw new InputError(where, `it ${found}, but patches is '${patches}'`);
  }
  const inner = qkvDim / 3;
  const numHeads = overrides.numHeads ?? inner / 64;
  if (!(Number.isInteger(numHeads) && numHeads >= 1 && Number.isInteger(inner / numHeads))) {
    throw new InputError(
      where,
      `transformer.layers.0.0.to_qkv.weight has ${qkvDim} rows, which are not q, k and v of ` +
        `${overrides.numHeads === undefined ? 'heads of 64 values' : `${numHeads} heads`}; give numHeads`,
    );
  }
  return parseEncoderConfig(
    {
      patches,
      clipFrames: overrides.clipFrames ?? defaultClipFrames(patches),
      nMels: 128,
      width: overrides.width ?? width,
      depth: overrides.depth ?? depth,
      numHeads,
      headDim: inner / numHeads,
      mlpDim: overrides.mlpDim ?? mlpDim,
      inputScale: overrides.inputScale ?? 'power',
    },
    where,
  );
}

/**
 * The encoder's weights in the reference's order, as float32. A linear head among the tensors is left out.
 *
 * @throws InputError for a missing or an unknown tensor, a wrong shape (with both), a wrong type, or a value that is
 *   not finite
 */
export function checkedWeights(
  tensors: ReadonlyMap<string, StoredTensor>,
  config: EncoderConfig,
  where: string,
): Map<string, Float32Array> {
  const shapes = parameterShapes(config);
  const unknown = [...tensors.keys()].filter((name) => !shapes.has(name) && !isLinearHead(name));
  const missing = [...shapes.keys()].filter((name) => !tensors.has(name));
  if (missing.length > 0) {
    const instead = unknown.length > 0 ? `; unknown are ${someOf(unknown)}` : '';
    throw new InputError(where, `${missing.length} tensors are missing: ${someOf(missing)}${instead}`);
  }
  if (unknown.length > 0) {
    throw new InputError(where, `has ${unknown.length} tensors that this encoder has not: ${someOf(unknown)}`);
  }
  const weights = new Map<string, Float32Array>();
  for (const [name, shape] of shapes) {
    const tensor = tensors.get(name) as StoredTensor;
    if (tensor.shape.join() !== shape.join()) {
      const found = `[${tensor.shape.join(', ')}]`;
      throw new InputError(where, `tensor ${name} has shape ${found}; expected [${shape.join(', ')}]`);
    }
    if (tensor.dtype !== 'F32' && tensor.dtype !== 'F64') {
      throw new InputError(where, `tensor ${name} is ${tensor.dtype}; expected floating-point numbers`);
    }
    if (tensor.data.length !== sizeOf(shape)) {
      throw new InputError(where, `tensor ${name} holds ${tensor.data.length} values; its shape has ${sizeOf(shape)}`);
    }
    const values = new Float32Array(tensor.data);
    // A loop: `findIndex` and `from` call back for each of millions of values.
    for (let i = 0; i < values.length; i++)
      if (!Number.isFinite(values[i]))
        throw new InputError(where, `tensor ${name} holds ${values[i]} at position ${i}`);
    weights.set(name, values);
  }
  return weights;
}

function someOf(names: readonly string[]): string {
  return names.slice(0, 4).join(', ') + (names.length > 4 ? ', ...' : '');
}
