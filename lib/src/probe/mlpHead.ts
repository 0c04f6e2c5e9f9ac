/**
 * An MLP head without a tape: few products and elementwise passes in a memory of its own, with Adam's update made while
 * a gradient is in the cache. The test compares it with its plain twin, TensorHead. Letters: N clips, K = 24 keys.
 */
import { NUM_KEYS } from '../keys/index.js';
import type { StoredTensor } from '../store/index.js';
import type { Blas } from '../tensor/index.js';
import type { Head, HeadLayer, HeadOptions, HeadWeights } from './head.js';
import { KeptStage } from './keptStage.js';
import { HeadMemory } from './memory.js';
import { crossEntropyInPlace } from './mixUp.js';
import { BETA1, BETA2, Buffer, DropoutStage, LinearStage, ReluStage, type Stage } from './stages.js';

/** Rows per forward pass outside training; bounds memory, changes no value. */
const ROWS_AT_ONCE = 256;

/** From which dropout on only what is kept is computed: a whole product wastes less where it is fast. */
const KEPT_FROM = { withBlas: 0.85, without: 0.7 };

export class MlpHead implements Head {
  readonly #memory: HeadMemory;
  readonly #options: HeadOptions;
  readonly #width: number;
  readonly #stages: Stage[] = [];
  readonly #input: Buffer;
  #steps = 0;

  /**
   * @param blas for products; null = the suite's own
   * @param keptFrom the dropout from which on only what is kept is computed, at least .5
   */
  constructor(
    layers: readonly HeadLayer[],
    weights: HeadWeights,
    options: HeadOptions,
    blas: Blas | null,
    keptFrom = blas ? KEPT_FROM.withBlas : KEPT_FROM.without,
  ) {
    const memory = HeadMemory.acquire(blas);
    this.#memory = memory;
    this.#options = options;
    this.#input = new Buffer(memory);
    let width = layers.find((layer) => layer.kind === 'linear')!.inputs;
    this.#width = width;
    const [before, relu, dropout, behind] = layers;
    const rest = [...layers];
    if (before.kind === 'linear' && relu?.kind === 'relu' && dropout?.kind === 'dropout' && behind?.kind === 'linear')
      if (dropout.rate >= keptFrom) {
        const sizes = { inputs: width, units: before.outputs, outputs: behind.outputs, rate: dropout.rate };
        const names = { before: before.name, behind: behind.name };
        this.#stages.push(new KeptStage(memory, { ...sizes, ...names }, weights, options.rng));
        rest.splice(0, 4);
        width = behind.outputs;
      }
    for (const layer of rest) {
      if (layer.kind === 'relu') this.#stages.push(new ReluStage(memory, width));
      else if (layer.kind === 'dropout') this.#stages.push(new DropoutStage(memory, width, layer.rate, options.rng));
      else {
        this.#stages.push(new LinearStage(memory, layer, weights));
        width = layer.outputs;
      }
    }
  }

  step(x: Float32Array, targets: Float64Array): number {
    const memory = this.#memory;
    const n = targets.length / NUM_KEYS;
    const inputs = [this.#load(x)];
    for (const stage of this.#stages) inputs.push(stage.forward(n, inputs[inputs.length - 1], true));
    const out = inputs[this.#stages.length];
    const gradient = Float64Array.from(memory.f32(out, n * NUM_KEYS));
    const loss = crossEntropyInPlace(gradient, targets);
    memory.f32(out, n * NUM_KEYS).set(gradient);
    this.#steps++;
    const { learningRate, weightDecay } = this.#options;
    const corrections = { correction1: 1 - BETA1 ** this.#steps, correction2: 1 - BETA2 ** this.#steps };
    const adam = { learningRate, weightDecay, ...corrections };
    const firstTrained = this.#stages.findIndex((stage) => stage instanceof LinearStage || stage instanceof KeptStage);
    let gradientAt = out;
    for (let i = this.#stages.length - 1; i >= firstTrained; i--)
      gradientAt = this.#stages[i].backward(n, inputs[i], gradientAt, i > firstTrained, adam);
    return loss;
  }

  logits(x: Float32Array): Float32Array {
    const n = x.length / this.#width;
    const logits = new Float32Array(n * NUM_KEYS);
    for (let start = 0; start < n; start += ROWS_AT_ONCE) {
      const rows = Math.min(ROWS_AT_ONCE, n - start);
      let at = this.#load(x.subarray(start * this.#width, (start + rows) * this.#width));
      for (const stage of this.#stages) at = stage.forward(rows, at, false);
      logits.set(this.#memory.f32(at, rows * NUM_KEYS), start * NUM_KEYS);
    }
    return logits;
  }

  weights(): Map<string, StoredTensor> {
    const weights = new Map<string, StoredTensor>();
    for (const stage of this.#stages) stage.collect(weights);
    return weights;
  }

  dispose(): void {
    this.#memory.release();
  }

  #load(x: Float32Array): number {
    const at = this.#input.at(4 * x.length);
    this.#memory.f32(at, x.length).set(x);
    return at;
  }
}
