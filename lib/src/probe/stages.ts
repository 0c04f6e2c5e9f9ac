/**
 * The parts of an MLP head, each with its forward pass, its gradients and its Adam step, in the head's memory. A
 * gradient is never held whole: it is made for some rows of a weight and used up while these are in the cache.
 * Letters: N clips in a batch, I inputs, O outputs; float32 throughout.
 */
import { float32, type StoredTensor } from '../store/index.js';
import type { Rng } from '../tensor/index.js';
import { dropoutFactors, rarePlaces } from './dropout.js';
import type { HeadWeights } from './head.js';
import type { HeadMemory } from './memory.js';

/** What Adam goes by in one step; corrections are 1 - beta^t. */
export interface AdamStep {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly correction1: number;
  readonly correction2: number;
}

/** A part of the head. Addresses that are returned hold until the part's next call. */
export interface Stage {
  /** @param x address of [N, I] @returns address of [N, O] */
  forward(n: number, x: number, isTraining: boolean): number;
  /**
   * Updates what the stage trains, after the forward pass on the same x.
   * @param dOut address of the gradient [N, O]; may be overwritten
   * @returns address of the gradient [N, I], 0 if not `isWanted`
   */
  backward(n: number, x: number, dOut: number, isWanted: boolean, step: AdamStep): number;
  /** Adds the weights under their names. */
  collect(into: Map<string, StoredTensor>): void;
}

export const BETA1 = 0.9;
export const BETA2 = 0.999;
export const EPSILON = 1e-8;

/** About as many bytes of a gradient are made at a time. */
const CHUNK_BYTES = 2 ** 19;

/** A block that is made anew, larger, when it is asked for more. */
export class Buffer {
  #at = 0;
  #bytes = 0;

  constructor(private readonly memory: HeadMemory) {}

  at(bytes: number): number {
    if (bytes > this.#bytes) {
      this.#at = this.memory.block(bytes);
      this.#bytes = bytes;
    }
    return this.#at;
  }
}

/** Values with Adam's moments, which exist from the first update on. */
export class Parameter {
  readonly at: number;
  #m = 0;
  #v = 0;

  constructor(
    private readonly memory: HeadMemory,
    values: ArrayLike<number>,
  ) {
    this.length = values.length;
    this.at = memory.block(4 * this.length);
    this.values().set(values);
  }

  readonly length: number;

  values(): Float32Array {
    return this.memory.f32(this.at, this.length);
  }

  /** Adam on `length` values from `first`, whose gradients are at `grad`. */
  update(first: number, length: number, grad: number, step: AdamStep): void {
    if (this.#m === 0) {
      this.#m = this.memory.block(4 * this.length);
      this.#v = this.memory.block(4 * this.length);
    }
    const { learningRate, correction1, correction2, weightDecay } = step;
    const shift = 4 * first;
    // prettier-ignore
    this.memory.kernels.adam(length, this.at + shift, grad, this.#m + shift, this.#v + shift, learningRate, BETA1, BETA2, EPSILON, correction1, correction2, weightDecay, 0, 1);
  }
}

/** Rows whose gradients are made at a time, of rows of `rowLength` values. */
export function rowsAtOnce(rowLength: number): number {
  return Math.max(1, Math.floor(CHUNK_BYTES / (4 * rowLength)));
}

/** x W' + b with W [O, I]. */
export class LinearStage implements Stage {
  readonly #weight: Parameter;
  readonly #bias: Parameter;
  readonly #out: Buffer;
  readonly #dX: Buffer;
  readonly #gradient: Buffer;

  constructor(
    private readonly memory: HeadMemory,
    private readonly layer: { readonly name: string; readonly inputs: number; readonly outputs: number },
    weights: HeadWeights,
  ) {
    this.#weight = new Parameter(memory, weights.get(`${layer.name}.weight`)!.data as Float32Array);
    this.#bias = new Parameter(memory, weights.get(`${layer.name}.bias`)!.data as Float32Array);
    [this.#out, this.#dX, this.#gradient] = [new Buffer(memory), new Buffer(memory), new Buffer(memory)];
  }

  forward(n: number, x: number): number {
    const { inputs, outputs } = this.layer;
    const out = this.#out.at(4 * n * outputs);
    this.memory.kernels.fillRows(n, outputs, this.#bias.at, out);
    this.memory.multiply(false, true, n, outputs, inputs, x, inputs, this.#weight.at, out, true);
    return out;
  }

  backward(n: number, x: number, dOut: number, isWanted: boolean, step: AdamStep): number {
    const { inputs, outputs } = this.layer;
    const { memory } = this;
    const dX = isWanted ? this.#dX.at(4 * n * inputs) : 0;
    if (isWanted) memory.multiply(false, false, n, inputs, outputs, dOut, outputs, this.#weight.at, dX);
    const most = rowsAtOnce(inputs);
    const gradient = this.#gradient.at(4 * Math.max(outputs, Math.min(most, outputs) * inputs));
    for (let first = 0; first < outputs; first += most) {
      const rows = Math.min(most, outputs - first);
      memory.multiply(true, false, rows, inputs, n, dOut + 4 * first, outputs, x, gradient);
      this.#weight.update(first * inputs, rows * inputs, gradient, step);
    }
    memory.kernels.columnSums(n, outputs, dOut, gradient);
    this.#bias.update(0, outputs, gradient, step);
    return dX;
  }

  collect(into: Map<string, StoredTensor>): void {
    const { name, inputs, outputs } = this.layer;
    into.set(`${name}.weight`, float32([outputs, inputs], this.#weight.values().slice()));
    into.set(`${name}.bias`, float32([outputs], this.#bias.values().slice()));
  }
}

/** max(x, 0) for N rows of `width`. */
export class ReluStage implements Stage {
  readonly #out: Buffer;

  constructor(
    private readonly memory: HeadMemory,
    private readonly width: number,
  ) {
    this.#out = new Buffer(memory);
  }

  forward(n: number, x: number): number {
    const out = this.#out.at(4 * n * this.width);
    this.memory.kernels.relu(n * this.width, x, out);
    return out;
  }

  backward(n: number, _x: number, dOut: number): number {
    this.memory.kernels.reluGrad(n * this.width, this.#out.at(0), dOut);
    return dOut;
  }

  collect(): void {}
}

/** Inverted dropout on N rows of `width`. */
export class DropoutStage implements Stage {
  readonly #mask: Buffer;
  readonly #places: Buffer;
  readonly #out: Buffer;

  constructor(
    private readonly memory: HeadMemory,
    private readonly width: number,
    private readonly rate: number,
    private readonly rng: Rng,
  ) {
    [this.#mask, this.#places, this.#out] = [new Buffer(memory), new Buffer(memory), new Buffer(memory)];
  }

  forward(n: number, x: number, isTraining: boolean): number {
    if (!isTraining || this.rate === 0) return x;
    const { memory } = this;
    const length = n * this.width;
    const drawn = rarePlaces(length, this.rate, this.rng);
    const { common, rare } = dropoutFactors(this.rate);
    const [mask, places, out] = [this.#mask.at(4 * length), this.#places.at(4 * length), this.#out.at(4 * length)];
    memory.i32(places, drawn.length).set(drawn);
    memory.kernels.maskOf(length, drawn.length, places, common, rare, mask);
    memory.kernels.multiply(length, x, mask, out);
    return out;
  }

  backward(n: number, _x: number, dOut: number): number {
    if (this.rate > 0) this.memory.kernels.multiply(n * this.width, dOut, this.#mask.at(0), dOut);
    return dOut;
  }

  collect(): void {}
}
