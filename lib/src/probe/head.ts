/** What trains inside a probe: a linear map, or an MLP, from embeddings to 24 logits. */
import { NUM_KEYS } from '../keys/index.js';
import { float32, type StoredTensor } from '../store/index.js';
import type { Rng } from '../tensor/index.js';
import { dropoutRate, type HiddenEntry } from './config.js';

/** Weights under the reference's names: `<place in the sequence>.weight` [out, in], `<place>.bias` [out]. */
export type HeadWeights = ReadonlyMap<string, StoredTensor>;

export interface Head {
  /**
   * One Adam step on a batch.
   * @param x [N, width]
   * @param targets [N, 24], rows adding up to 1
   * @returns the loss before the step
   */
  step(x: Float32Array, targets: Float64Array): number;
  /** Logits [N, 24] without dropout. @param x [N, width] */
  logits(x: Float32Array): Float32Array;
  /** A copy of the weights. */
  weights(): Map<string, StoredTensor>;
  dispose(): void;
}

export interface HeadOptions {
  readonly learningRate: number;
  readonly weightDecay: number;
  /** for dropout masks */
  readonly rng: Rng;
}

/** One entry of the sequence Linear, ReLU, Dropout, ..., Linear(24), with its place as PyTorch's Sequential counts. */
export type HeadLayer =
  | { readonly kind: 'linear'; readonly name: string; readonly inputs: number; readonly outputs: number }
  | { readonly kind: 'relu' }
  | { readonly kind: 'dropout'; readonly rate: number };

/** The sequence that a list of hidden entries stands for: numbers -> Linear + ReLU, dX -> Dropout, then Linear(24). */
export function headLayers(hidden: readonly HiddenEntry[], width: number): HeadLayer[] {
  const layers: HeadLayer[] = [];
  let inputs = width;
  for (const entry of hidden) {
    if (typeof entry === 'number') {
      layers.push({ kind: 'linear', name: `${layers.length}`, inputs, outputs: entry }, { kind: 'relu' });
      inputs = entry;
    } else layers.push({ kind: 'dropout', rate: dropoutRate(entry) });
  }
  layers.push({ kind: 'linear', name: `${layers.length}`, inputs, outputs: NUM_KEYS });
  return layers;
}

/** Number of trainable values. */
export function headParameterCount(hidden: readonly HiddenEntry[], width: number): number {
  return headLayers(hidden, width).reduce(
    (sum, layer) => sum + (layer.kind === 'linear' ? (layer.inputs + 1) * layer.outputs : 0),
    0,
  );
}

/** PyTorch's default initialisation: weights and biases uniform in +-1 / sqrt(inputs). */
export function initialWeights(hidden: readonly HiddenEntry[], width: number, rng: Rng): Map<string, StoredTensor> {
  const weights = new Map<string, StoredTensor>();
  for (const layer of headLayers(hidden, width)) {
    if (layer.kind !== 'linear') continue;
    const { name, inputs, outputs } = layer;
    const bound = 1 / Math.sqrt(inputs);
    const draw = (length: number): Float32Array => {
      const values = new Float32Array(length);
      for (let i = 0; i < length; i++) values[i] = bound * (2 * rng.uniform() - 1);
      return values;
    };
    weights.set(`${name}.weight`, float32([outputs, inputs], draw(outputs * inputs)));
    weights.set(`${name}.bias`, float32([outputs], draw(outputs)));
  }
  return weights;
}
