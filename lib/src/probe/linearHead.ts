/**
 * The linear probe in closed form: logits = x W' + b, gradient W = delta' x with delta = (softmax - targets) / N, then
 * Adam. Sums and moments are float64, weights float32. At these sizes (128 x 24) a step of a tensor backend is mostly
 * the cost of calling it. The tests compare it with its twins: plain loops, to the bit, and TensorHead without hidden
 * layers. Letters: N clips, K = 24 keys.
 */
import { NUM_KEYS } from '../keys/index.js';
import { float32, type StoredTensor } from '../store/index.js';
import type { Head, HeadOptions, HeadWeights } from './head.js';
import { HeadMemory } from './memory.js';
import { crossEntropyInPlace } from './mixUp.js';
import { BETA1, BETA2, Buffer, EPSILON } from './stages.js';

export class LinearHead implements Head {
  readonly #memory = HeadMemory.acquire(null);
  readonly #width: number;
  readonly #options: Pick<HeadOptions, 'learningRate' | 'weightDecay'>;
  /** Values [width, K] and [K] with gradients and moments; float64, though values are always float32 numbers. */
  readonly #weight: WideParameter;
  readonly #bias: WideParameter;
  readonly #x = new Buffer(this.#memory);
  readonly #logits = new Buffer(this.#memory);
  #steps = 0;

  constructor(weights: HeadWeights, options: Pick<HeadOptions, 'learningRate' | 'weightDecay'>) {
    const weight = weights.get('0.weight')!.data;
    this.#width = weight.length / NUM_KEYS;
    this.#options = options;
    const width = this.#width;
    const byInput = Float64Array.from({ length: weight.length }, (_, i) =>
      Number(weight[(i % NUM_KEYS) * width + Math.floor(i / NUM_KEYS)]),
    );
    this.#weight = new WideParameter(this.#memory, byInput);
    this.#bias = new WideParameter(this.#memory, Float64Array.from(weights.get('0.bias')!.data as Float32Array));
  }

  step(x: Float32Array, targets: Float64Array): number {
    const n = x.length / this.#width;
    const { kernels } = this.#memory;
    const [xAt, logitsAt] = this.#forward(x);
    const loss = crossEntropyInPlace(this.#memory.f64(logitsAt, n * NUM_KEYS), targets);
    kernels.linearGradients(n, this.#width, xAt, logitsAt, this.#weight.gradient, this.#bias.gradient);
    this.#steps++;
    const { learningRate, weightDecay } = this.#options;
    const stepSize = learningRate / (1 - BETA1 ** this.#steps);
    const correction2 = Math.sqrt(1 - BETA2 ** this.#steps);
    for (const { length, at, gradient, m, v } of [this.#weight, this.#bias])
      kernels.adam64(length, at, gradient, m, v, stepSize, BETA1, BETA2, EPSILON, correction2, weightDecay);
    return loss;
  }

  logits(x: Float32Array): Float32Array {
    const [, at] = this.#forward(x);
    return Float32Array.from(this.#memory.f64(at, (x.length / this.#width) * NUM_KEYS));
  }

  weights(): Map<string, StoredTensor> {
    const width = this.#width;
    const byInput = this.#weight.values();
    const byKey = new Float32Array(byInput.length);
    for (let k = 0; k < NUM_KEYS; k++) for (let j = 0; j < width; j++) byKey[k * width + j] = byInput[j * NUM_KEYS + k];
    return new Map([
      ['0.weight', float32([NUM_KEYS, width], byKey)],
      ['0.bias', float32([NUM_KEYS], Float32Array.from(this.#bias.values()))],
    ]);
  }

  dispose(): void {
    this.#memory.release();
  }

  /** Addresses of x and of its logits. */
  #forward(x: Float32Array): [xAt: number, logitsAt: number] {
    const n = x.length / this.#width;
    const [xAt, logitsAt] = [this.#x.at(4 * x.length), this.#logits.at(8 * n * NUM_KEYS)];
    this.#memory.f32(xAt, x.length).set(x);
    this.#memory.kernels.linearLogits(n, this.#width, xAt, this.#weight.at, this.#bias.at, logitsAt);
    return [xAt, logitsAt];
  }
}

class WideParameter {
  readonly at: number;
  readonly gradient: number;
  readonly m: number;
  readonly v: number;
  readonly length: number;

  constructor(
    private readonly memory: HeadMemory,
    values: Float64Array,
  ) {
    this.length = values.length;
    [this.at, this.gradient, this.m, this.v] = Array.from({ length: 4 }, () => memory.block(8 * this.length));
    this.values().set(values);
  }

  values(): Float64Array {
    return this.memory.f64(this.at, this.length);
  }
}
