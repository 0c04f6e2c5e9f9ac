/** Fitting the paper's bias-free linear map by gradient steps. Letters: N training pairs, B pairs in a batch. */
import { InputError } from '../errors.js';
import { Adam, linear, type Rng, createRng, tf } from '../tensor/index.js';
import type { Progress } from '../workers/index.js';
import { type AugmentationMap, createMap, type RidgeTarget } from './map.js';
import { eye, squaredDistance, sumOfSquares } from './matrix.js';
import { assertDisjoint, assertPairs, type EmbeddingPairs } from './pairs.js';

export interface GradientFitConfig {
  readonly optimizer: 'sgd' | 'adam';
  /** > 0; falls as half a cosine to 0 over all steps: at a constant rate mini-batches keep the matrix moving */
  readonly learningRate: number;
  /** of sgd, in [0, 1) */
  readonly momentum: number;
  readonly batchSize: number;
  readonly epochs: number;
  /** the matrix before the first step; random: uniform in +-1 / sqrt(width), PyTorch's default */
  readonly start: 'zero' | 'identity' | 'random';
  readonly towards: RidgeTarget;
  /** relative ridge >= 0, as in `fitMap` */
  readonly ridge: number;
  readonly seed: number;
}

export const GRADIENT_FIT_DEFAULTS: GradientFitConfig = {
  optimizer: 'adam',
  learningRate: 1e-3,
  momentum: 0.9,
  batchSize: 256,
  epochs: 100,
  start: 'random',
  towards: 'zero',
  ridge: 0,
  seed: 0,
};

export interface GradientFitOptions {
  readonly name: string;
  readonly labelShift?: number;
  readonly config?: Partial<GradientFitConfig>;
  /** the epoch with the smallest validation loss is kept instead of the last; no track of train */
  readonly valid?: EmbeddingPairs;
  /** called after each epoch */
  readonly onProgress?: Progress;
  /** on abort the epoch is finished and `signal.reason` is thrown */
  readonly signal?: AbortSignal;
}

export interface GradientEpoch {
  /** from 0 */
  readonly epoch: number;
  /** mean squared error (with the ridge) over the epoch's batches, while the matrix moved */
  readonly trainLoss: number;
  /** mean squared error on the validation pairs after the epoch, without the ridge */
  readonly validLoss: number | null;
}

export interface GradientFit {
  readonly map: AugmentationMap;
  readonly history: readonly GradientEpoch[];
  /** the epoch whose matrix was kept */
  readonly epoch: number;
}

/**
 * Minimises the mean of (Y - X W')^2 over batch and dimensions, plus ridge * s * |W - T|^2 / width: the objective of
 * `fitMap` divided by the width, so both go to the same matrix. With `ridge: 0, towards: 'zero'` this is a bias-free
 * Linear layer with a mean squared error, the paper's form; float32 on the current backend.
 *
 * @throws InputError for bad pairs or settings, and if the loss stops being finite
 */
export async function fitMapByGradient(train: EmbeddingPairs, options: GradientFitOptions): Promise<GradientFit> {
  const { name, labelShift = 0, valid = null } = options;
  const where = `map "${name}" by gradient`;
  const config = checkedConfig(where, options.config ?? {});
  const { n, width } = assertPairs(`${where}, train`, train);
  if (valid) {
    assertPairs(`${where}, valid`, valid, width);
    assertDisjoint('train', train, 'valid', valid);
  }
  const rng = createRng(config.seed);
  const trainer = new Trainer(train, config, rng.fork('weights'));
  const order = rng.fork('order');
  const history: GradientEpoch[] = [];
  let best: { epoch: number; loss: number; matrix: Float32Array } = {
    epoch: -1,
    loss: Infinity,
    matrix: new Float32Array(0),
  };
  try {
    for (let epoch = 0; epoch < config.epochs; epoch++) {
      const trainLoss = trainer.epoch(order.permutation(n));
      if (!Number.isFinite(trainLoss))
        throw new InputError(`${where}, epoch ${epoch}`, `the loss is ${trainLoss}; lower learningRate (${config.learningRate})`); // prettier-ignore
      const validLoss = valid && trainer.loss(valid);
      history.push({ epoch, trainLoss, validLoss });
      if (validLoss === null || validLoss < best.loss)
        best = { epoch, loss: validLoss ?? Infinity, matrix: trainer.matrix() };
      options.onProgress?.(epoch + 1, config.epochs);
      await new Promise((resolve) => setImmediate(resolve)); // lets an abort through
      options.signal?.throwIfAborted();
    }
  } finally {
    trainer.dispose();
  }
  const { optimizer: method, ridge, towards } = config;
  const fit = { method, n, ridge, towards, ridgePath: [] };
  return {
    map: createMap({ name, width, matrix: Float64Array.from(best.matrix), labelShift, fit }),
    history,
    epoch: best.epoch,
  };
}

/** Holds the tensors of one fit. */
class Trainer {
  readonly #weight: tf.Variable<tf.Rank.R2>;
  readonly #velocity: tf.Variable | null;
  readonly #target: tf.Tensor2D;
  readonly #adam: Adam | null;
  readonly #steps: number;
  /** ridge * s / width */
  readonly #penalty: number;
  #step = 0;

  constructor(
    private readonly train: EmbeddingPairs,
    private readonly config: GradientFitConfig,
    rng: Rng,
  ) {
    const { width, n } = train;
    const start = startMatrix(config.start, width, rng);
    const target = config.towards === 'identity' ? eye(width) : new Float64Array(width * width);
    const tensorOf = (values: Float64Array): tf.Tensor2D => tf.tensor2d(Float32Array.from(values), [width, width]);
    this.#weight = tf.tidy(() => tf.variable(tensorOf(start)));
    this.#velocity = config.optimizer === 'sgd' ? tf.tidy(() => tf.variable(tf.zeros([width, width]), false)) : null;
    this.#target = tensorOf(target);
    this.#adam =
      config.optimizer === 'adam'
        ? new Adam(new Map([['weight', this.#weight]]), { learningRate: config.learningRate })
        : null;
    this.#steps = config.epochs * Math.ceil(n / config.batchSize);
    this.#penalty = (config.ridge * sumOfSquares(train.clean)) / (n * width * width);
  }

  /** One pass in the given order; returns the mean loss over the batches. */
  epoch(order: Int32Array): number {
    const { batchSize } = this.config;
    let sum = 0;
    let batches = 0;
    for (let from = 0; from < order.length; from += batchSize, batches++)
      sum += this.#update(order.subarray(from, from + batchSize));
    return sum / batches;
  }

  /** Mean squared error on other pairs. */
  loss({ clean, augmented, n, width }: EmbeddingPairs): number {
    const predicted = tf.tidy(() => linear(tf.tensor2d(clean, [n, width]), this.#weight).dataSync<'float32'>());
    return squaredDistance(predicted, augmented) / augmented.length;
  }

  /** A copy. */
  matrix(): Float32Array {
    return Float32Array.from(this.#weight.dataSync<'float32'>());
  }

  dispose(): void {
    this.#adam?.dispose();
    tf.dispose([this.#weight, this.#target, ...(this.#velocity ? [this.#velocity] : [])]);
  }

  #update(rows: Int32Array): number {
    const { width } = this.train;
    const take = (from: Float32Array): tf.Tensor2D => {
      const batch = new Float32Array(rows.length * width);
      rows.forEach((row, i) => batch.set(from.subarray(row * width, (row + 1) * width), i * width));
      return tf.tensor2d(batch, [rows.length, width]);
    };
    const { learningRate, momentum } = this.config;
    const rate = (learningRate / 2) * (1 + Math.cos((Math.PI * this.#step++) / this.#steps));
    return tf.tidy(() => {
      const [x, y] = [take(this.train.clean), take(this.train.augmented)];
      const { value, grads } = tf.variableGrads(() => {
        const error = tf.mean(tf.square(tf.sub(linear(x, this.#weight), y)));
        if (this.#penalty === 0) return error as tf.Scalar;
        const pull = tf.sum(tf.square(tf.sub(this.#weight, this.#target)));
        return tf.add(error, tf.mul(pull, this.#penalty)) as tf.Scalar;
      }, [this.#weight]);
      const gradient = grads[this.#weight.name];
      this.#adam?.step(new Map([['weight', gradient]]), rate);
      if (this.#velocity) {
        this.#velocity.assign(tf.add(tf.mul(this.#velocity, momentum), gradient));
        this.#weight.assign(tf.sub(this.#weight, tf.mul(this.#velocity, rate)) as tf.Tensor2D);
      }
      return value.dataSync()[0];
    });
  }
}

function startMatrix(start: GradientFitConfig['start'], width: number, rng: Rng): Float64Array {
  if (start === 'identity') return eye(width);
  if (start === 'zero') return new Float64Array(width * width);
  const bound = 1 / Math.sqrt(width);
  return Float64Array.from({ length: width * width }, () => bound * (2 * rng.uniform() - 1));
}

function checkedConfig(where: string, fields: Partial<GradientFitConfig>): GradientFitConfig {
  const unknown = Object.keys(fields).find((field) => !Object.hasOwn(GRADIENT_FIT_DEFAULTS, field));
  if (unknown !== undefined)
    throw new InputError(where, `no setting "${unknown}"; known are ${Object.keys(GRADIENT_FIT_DEFAULTS).join(', ')}`);
  const config = { ...GRADIENT_FIT_DEFAULTS, ...fields };
  const { learningRate, momentum, batchSize, epochs, ridge } = config;
  if (!(learningRate > 0)) throw new InputError(where, `learningRate ${learningRate}; expected a number above 0`);
  if (!(momentum >= 0 && momentum < 1))
    throw new InputError(where, `momentum ${momentum}; expected a number from 0 to below 1`);
  if (!(ridge >= 0 && Number.isFinite(ridge)))
    throw new InputError(where, `ridge ${ridge}; expected a number of at least 0`);
  for (const [field, value] of Object.entries({ batchSize, epochs }))
    if (!Number.isInteger(value) || value < 1)
      throw new InputError(where, `${field} ${value}; expected a whole number of at least 1`);
  return config;
}
