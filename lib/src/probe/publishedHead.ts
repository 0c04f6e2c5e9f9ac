/** Heads that others trained: the state dict of a PyTorch Sequential of Linear, ReLU and Dropout. */
import { InputError } from '../errors.js';
import { NUM_KEYS } from '../keys/index.js';
import { float32, type StoredTensor } from '../store/index.js';
import { probeConfig, type HiddenEntry } from './config.js';
import { Probe } from './probe.js';

/**
 * The order of the 24 logits.
 * - `interleaved`: C major, C minor, Db major, ... (KeyMyna, and this suite)
 * - `majorThenMinor`: C major, Db major, ... B major, C minor, ... B minor
 *
 * The file does not say which; the wrong one scrambles every answer and looks no different.
 */
export type KeyOrder = 'interleaved' | 'majorThenMinor';

interface Layer {
  readonly prefix: string;
  readonly place: number;
  readonly weight: StoredTensor;
  readonly bias: StoredTensor;
}

/**
 * A probe from the state dict of a Sequential: `0.weight`, `0.bias`, `3.weight`, ... with any prefix (`head.`, `model.`),
 * or of one Linear (`weight`, `bias`, `linear_head.weight`). Between two Linear layers stands a ReLU; further places
 * between them are Dropout, whose rate a state dict does not tell: they come as `d0`, which changes no answer.
 * It reads raw embeddings, as KeyMyna's heads do.
 *
 * @param where what to name in errors
 * @throws InputError if the tensors are no such head, do not fit each other, or end in another number of keys than 24
 */
export function probeFromHead(
  tensors: ReadonlyMap<string, StoredTensor>,
  where: string,
  keyOrder: KeyOrder = 'interleaved',
): Probe {
  const layers = headLayersOf(tensors, where);
  const hidden: HiddenEntry[] = [];
  const weights = new Map<string, StoredTensor>();
  const width = layers[0].weight.shape[1];
  layers.forEach(({ weight, place, prefix }, i) => {
    const [outputs, inputs] = weight.shape;
    const name = `${where}, tensor ${prefix}${place}.weight`;
    const before = i === 0 ? width : layers[i - 1].weight.shape[0];
    if (inputs !== before) throw new InputError(name, `takes ${inputs} values; what stands before it gives ${before}.`);
    if (i === layers.length - 1 && outputs !== NUM_KEYS)
      throw new InputError(name, `gives ${outputs} logits; a head for keys gives ${NUM_KEYS}.`);
    // Places that the layer before it and its ReLU leave are Dropout.
    const first = i === 0 ? 0 : layers[i - 1].place + 2;
    if (place < first || place > first + MOST_DROPOUTS)
      throw new InputError(
        name,
        `is at place ${place}; after a Linear and its ReLU ${first} or little more is expected.`,
      );
    for (let dropout = first; dropout < place; dropout++) hidden.push('d0');
    if (i < layers.length - 1) hidden.push(outputs);
  });
  layers.forEach(({ place, weight, bias }, i) => {
    const reordered = i === layers.length - 1 && keyOrder === 'majorThenMinor';
    weights.set(`${place}.weight`, reordered ? interleave(weight) : weight);
    weights.set(`${place}.bias`, reordered ? interleave(bias) : bias);
  });
  return new Probe(probeConfig({ hidden, standardize: 'none', selection: 'last' }), width, weights, null);
}

/** More Dropout layers in a row than this nobody writes. */
const MOST_DROPOUTS = 8;

/** The Linear layers in order; all tensors must belong to one. */
function headLayersOf(tensors: ReadonlyMap<string, StoredTensor>, where: string): Layer[] {
  const layers: Layer[] = [];
  for (const [name, weight] of tensors) {
    const match = /^(.*?)(?:(\d+)\.)?weight$/.exec(name);
    if (!match) continue;
    const [, prefix, number] = match;
    const bias = tensors.get(name.replace(/weight$/, 'bias'));
    if (weight.shape.length !== 2 || bias?.shape.join() !== String(weight.shape[0])) continue;
    if (weight.data.length === 0) continue;
    layers.push({ prefix, place: Number(number ?? 0), weight: asFloat(weight, where, name), bias: asFloat(bias, where, name) }); // prettier-ignore
  }
  layers.sort((a, b) => a.place - b.place);
  const [first] = layers;
  const fits =
    first !== undefined &&
    2 * layers.length === tensors.size &&
    layers.every(({ prefix, place }, i) => prefix === first.prefix && (i === 0 || place > layers[i - 1].place));
  if (!fits) {
    const names = [...tensors.keys()].slice(0, 4).join(', ') + (tensors.size > 4 ? ', ...' : '');
    throw new InputError(
      where,
      `is neither a probe of keymyna probe nor the state dict of a head (0.weight [width, ...], 0.bias, ...); ` +
        `found ${names.slice(0, 200) || 'no tensors'}.`,
    );
  }
  return layers;
}

function asFloat(tensor: StoredTensor, where: string, name: string): StoredTensor {
  if (tensor.dtype !== 'F32' && tensor.dtype !== 'F64')
    throw new InputError(`${where}, tensor ${name}`, `is ${tensor.dtype}; expected floating-point numbers.`);
  const data = tensor.dtype === 'F32' ? (tensor.data as Float32Array) : Float32Array.from(tensor.data);
  for (let i = 0; i < data.length; i++)
    if (!Number.isFinite(data[i]))
      throw new InputError(`${where}, tensor ${name}`, `holds ${data[i]} at position ${i}.`);
  return float32(tensor.shape, data);
}

/** Rows of 12 majors and 12 minors to rows by key id, 2 * tonic + (minor ? 1 : 0). */
function interleave(tensor: StoredTensor): StoredTensor {
  const row = tensor.data.length / NUM_KEYS;
  const data = new Float32Array(tensor.data.length);
  for (let key = 0; key < NUM_KEYS; key++) {
    const source = Math.floor(key / 2) + (key % 2 === 1 ? NUM_KEYS / 2 : 0);
    data.set(tensor.data.subarray(source * row, (source + 1) * row), key * row);
  }
  return float32(tensor.shape, data);
}
