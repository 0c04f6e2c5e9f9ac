/** A probe head of any depth on the tensor backend: Linear, ReLU, inverted dropout, final Linear(24). */
import { NUM_KEYS } from '../keys/index.js';
import { float32, type StoredTensor } from '../store/index.js';
import { Adam, linear, type Rng, tf } from '../tensor/index.js';
import { dropoutFactors, rarePlaces } from './dropout.js';
import type { Head, HeadLayer, HeadOptions, HeadWeights } from './head.js';

/** Rows per forward pass outside training; bounds memory, changes no value. */
const ROWS_AT_ONCE = 1024;

export class TensorHead implements Head {
  readonly #layers: readonly HeadLayer[];
  readonly #width: number;
  readonly #variables: Map<string, tf.Variable>;
  readonly #adam: Adam;
  readonly #rng: Rng;

  /** Needs `initBackend` first. */
  constructor(layers: readonly HeadLayer[], weights: HeadWeights, options: HeadOptions) {
    this.#layers = layers;
    this.#width = layers.find((layer) => layer.kind === 'linear')!.inputs;
    this.#rng = options.rng;
    this.#variables = new Map(
      [...weights].map(([name, { shape, data }]) => [
        name,
        tf.tidy(() => tf.variable(tf.tensor(data as Float32Array, [...shape]))),
      ]),
    );
    this.#adam = new Adam(this.#variables, options);
  }

  step(x: Float32Array, targets: Float64Array): number {
    const n = targets.length / NUM_KEYS;
    return tf.tidy(() => {
      const input = tf.tensor2d(x, [n, this.#width]);
      const wanted = tf.tensor2d(Float32Array.from(targets), [n, NUM_KEYS]);
      const { value, grads } = tf.variableGrads(
        () => tf.neg(tf.mean(tf.sum(tf.mul(wanted, tf.logSoftmax(this.#forward(input, true))), 1))) as tf.Scalar,
        [...this.#variables.values()],
      );
      this.#adam.step(new Map([...this.#variables].map(([name, variable]) => [name, grads[variable.name]])));
      return value.dataSync()[0];
    });
  }

  logits(x: Float32Array): Float32Array {
    const n = x.length / this.#width;
    const logits = new Float32Array(n * NUM_KEYS);
    for (let start = 0; start < n; start += ROWS_AT_ONCE) {
      const rows = Math.min(ROWS_AT_ONCE, n - start);
      const part = x.subarray(start * this.#width, (start + rows) * this.#width);
      const values = tf.tidy(() => this.#forward(tf.tensor2d(part, [rows, this.#width]), false).dataSync());
      logits.set(values, start * NUM_KEYS);
    }
    return logits;
  }

  weights(): Map<string, StoredTensor> {
    return new Map(
      [...this.#variables].map(([name, variable]) => [
        name,
        float32([...variable.shape], Float32Array.from(variable.dataSync())),
      ]),
    );
  }

  dispose(): void {
    this.#adam.dispose();
    for (const variable of this.#variables.values()) variable.dispose();
  }

  #forward(input: tf.Tensor2D, training: boolean): tf.Tensor2D {
    let x = input;
    for (const layer of this.#layers) {
      if (layer.kind === 'relu') x = tf.relu(x);
      else if (layer.kind === 'dropout')
        x = training && layer.rate > 0 ? tf.mul(x, this.#dropoutMask(x.shape, layer.rate)) : x;
      else
        x = linear(
          x,
          this.#variables.get(`${layer.name}.weight`) as tf.Tensor2D,
          this.#variables.get(`${layer.name}.bias`) as unknown as tf.Tensor1D,
        );
    }
    return x;
  }

  #dropoutMask(shape: [number, number], rate: number): tf.Tensor2D {
    const { common, rare } = dropoutFactors(rate);
    const mask = new Float32Array(shape[0] * shape[1]).fill(common);
    for (const place of rarePlaces(mask.length, rate, this.#rng)) mask[place] = rare;
    return tf.tensor2d(mask, shape);
  }
}
