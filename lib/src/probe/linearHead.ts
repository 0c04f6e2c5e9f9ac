/**
 * The linear probe in closed form on typed arrays: logits = x W' + b, gradient W = delta' x with
 * delta = (softmax - targets) / N, then Adam. At these sizes (128 x 24) a step of a tensor backend is mostly the cost
 * of calling it. The test compares it with its twin, TensorHead without hidden layers. Letters: N clips, K = 24 keys.
 */
import { NUM_KEYS } from '../keys/index.js';
import { float32, type StoredTensor } from '../store/index.js';
import type { Head, HeadOptions, HeadWeights } from './head.js';
import { crossEntropy } from './mixUp.js';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

export class LinearHead implements Head {
  readonly #width: number;
  readonly #options: Pick<HeadOptions, 'learningRate' | 'weightDecay'>;
  readonly #weight: Parameter;
  readonly #bias: Parameter;
  #steps = 0;

  constructor(weights: HeadWeights, options: Pick<HeadOptions, 'learningRate' | 'weightDecay'>) {
    this.#weight = parameter(weights.get('0.weight')!);
    this.#bias = parameter(weights.get('0.bias')!);
    this.#width = this.#weight.values.length / NUM_KEYS;
    this.#options = options;
  }

  step(x: Float32Array, targets: Float64Array): number {
    const { loss, gradient } = crossEntropy(this.#forward(x), targets);
    this.#backward(x, gradient);
    this.#steps++;
    this.#adam(this.#weight);
    this.#adam(this.#bias);
    return loss;
  }

  logits(x: Float32Array): Float32Array {
    return Float32Array.from(this.#forward(x));
  }

  weights(): Map<string, StoredTensor> {
    return new Map([
      ['0.weight', float32([NUM_KEYS, this.#width], this.#weight.values.slice())],
      ['0.bias', float32([NUM_KEYS], this.#bias.values.slice())],
    ]);
  }

  dispose(): void {}

  /** [N, K]; four keys at a time, so that each x is read a quarter as often. */
  #forward(x: Float32Array): Float64Array {
    const width = this.#width;
    const weight = this.#weight.values;
    const bias = this.#bias.values;
    const n = x.length / width;
    const logits = new Float64Array(n * NUM_KEYS);
    for (let row = 0; row < n; row++) {
      const xStart = row * width;
      for (let k = 0; k < NUM_KEYS; k += 4) {
        const w0 = k * width;
        const w1 = w0 + width;
        const w2 = w1 + width;
        const w3 = w2 + width;
        let sum0 = 0;
        let sum1 = 0;
        let sum2 = 0;
        let sum3 = 0;
        for (let j = 0; j < width; j++) {
          const value = x[xStart + j];
          sum0 += value * weight[w0 + j];
          sum1 += value * weight[w1 + j];
          sum2 += value * weight[w2 + j];
          sum3 += value * weight[w3 + j];
        }
        const out = row * NUM_KEYS + k;
        logits[out] = sum0 + bias[k];
        logits[out + 1] = sum1 + bias[k + 1];
        logits[out + 2] = sum2 + bias[k + 2];
        logits[out + 3] = sum3 + bias[k + 3];
      }
    }
    return logits;
  }

  /** Fills the gradients; four clips at a time, so that each gradient is written a quarter as often. */
  #backward(x: Float32Array, delta: Float64Array): void {
    const width = this.#width;
    const n = x.length / width;
    const weightGradient = this.#weight.gradient.fill(0);
    const biasGradient = this.#bias.gradient.fill(0);
    for (let row = 0; row < n; row++) for (let k = 0; k < NUM_KEYS; k++) biasGradient[k] += delta[row * NUM_KEYS + k];
    let row = 0;
    for (; row + 4 <= n; row += 4) {
      const x0 = row * width;
      const x1 = x0 + width;
      const x2 = x1 + width;
      const x3 = x2 + width;
      for (let k = 0; k < NUM_KEYS; k++) {
        const d0 = delta[row * NUM_KEYS + k];
        const d1 = delta[(row + 1) * NUM_KEYS + k];
        const d2 = delta[(row + 2) * NUM_KEYS + k];
        const d3 = delta[(row + 3) * NUM_KEYS + k];
        const g = k * width;
        for (let j = 0; j < width; j++)
          weightGradient[g + j] += d0 * x[x0 + j] + d1 * x[x1 + j] + d2 * x[x2 + j] + d3 * x[x3 + j];
      }
    }
    for (; row < n; row++)
      for (let k = 0; k < NUM_KEYS; k++) {
        const d = delta[row * NUM_KEYS + k];
        for (let j = 0; j < width; j++) weightGradient[k * width + j] += d * x[row * width + j];
      }
  }

  #adam({ values, gradient, m, v }: Parameter): void {
    const { learningRate, weightDecay } = this.#options;
    const stepSize = learningRate / (1 - BETA1 ** this.#steps);
    const correction2 = Math.sqrt(1 - BETA2 ** this.#steps);
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i] + weightDecay * values[i];
      m[i] = BETA1 * m[i] + (1 - BETA1) * g;
      v[i] = BETA2 * v[i] + (1 - BETA2) * g * g;
      values[i] -= (stepSize * m[i]) / (Math.sqrt(v[i]) / correction2 + EPSILON);
    }
  }
}

interface Parameter {
  readonly values: Float32Array;
  readonly gradient: Float64Array;
  readonly m: Float64Array;
  readonly v: Float64Array;
}

function parameter({ data }: StoredTensor): Parameter {
  const zeros = (): Float64Array => new Float64Array(data.length);
  return { values: Float32Array.from(data), gradient: zeros(), m: zeros(), v: zeros() };
}
