/** One optimizer step: batch -> embeddings -> projections -> loss -> gradients -> update. */
import { Encoder } from '../encoder/index.js';
import { Adam, createRng, globalNorm, tf } from '../tensor/index.js';
import { gatherPatches, PATCHINGS } from '../views/index.js';
import type { Batch } from './batches.js';
import type { PretrainConfig } from './config.js';
import { clipFactor } from './gradients.js';
import { contrastiveMetrics, type ContrastiveMetrics } from './metrics.js';
import { ntXent } from './ntXent.js';
import { ProjectionHead } from './projectionHead.js';
import { SogClr } from './sogClr.js';

/** Everything that a step changes. */
export interface PretrainState {
  readonly encoder: Encoder;
  readonly head: ProjectionHead;
  readonly optimizer: Adam;
  /** The moving estimates, if the loss is SogCLR. */
  readonly sogClr: SogClr | null;
}

/** The encoder that a run of this configuration starts from: the random initialisation that it is compared with. */
export function initialEncoder(config: PretrainConfig): Encoder {
  return Encoder.init(config.encoder, createRng(config.seed).fork('encoder'));
}

/**
 * The state before the first step.
 *
 * @param nEpochs passes over the tracks that the run will make, the length of SogCLR's cosine
 * @param start weights to start from in place of the random initialisation
 */
export function initialState(
  config: PretrainConfig,
  nTracks: number,
  nEpochs: number,
  start?: { readonly encoder: Encoder; readonly head: ProjectionHead },
): PretrainState {
  const encoder = start?.encoder ?? initialEncoder(config);
  const head =
    start?.head ??
    ProjectionHead.init(config.projectionHead, config.encoder.width, createRng(config.seed).fork('projection head'));
  const { learningRate, weightDecay, temperature, gamma, gammaSchedule, uInitialisation } = config;
  const optimizer = new Adam(new Map([...encoder.weights, ...head.weights]), {
    learningRate,
    weightDecay,
    decoupled: config.optimizer === 'adamW',
  });
  const sogClr =
    config.loss === 'sogClr'
      ? new SogClr(nTracks, { temperature, gamma, gammaSchedule, gammaDecayEpochs: nEpochs, uInitialisation })
      : null;
  return { encoder, head, optimizer, sogClr };
}

export function disposeState({ encoder, head, optimizer }: PretrainState): void {
  encoder.dispose();
  head.dispose();
  optimizer.dispose();
}

/** Wall time of a step's stages, milliseconds. */
export interface StepTimes {
  readonly gather: number;
  readonly forward: number;
  readonly backward: number;
  readonly update: number;
  readonly metrics: number;
}

export interface Gradients {
  readonly loss: number;
  readonly metrics: ContrastiveMetrics;
  /** By parameter name; the caller disposes them. */
  readonly gradients: Map<string, tf.Tensor>;
  readonly times: Omit<StepTimes, 'update'>;
}

/**
 * Loss and gradients of a batch, without a step; moves SogCLR's estimates. Hybrid is the mean of the losses of its two
 * patchings, square first, which share SogCLR's estimates as in the reference.
 *
 * @param clock milliseconds
 */
export function gradientsOfBatch(
  { encoder, head, sogClr }: PretrainState,
  config: PretrainConfig,
  batch: Batch,
  clock: () => number,
): Gradients {
  const { views, kept, trackIds, epoch } = batch;
  const { clipFrames } = encoder.config;
  const patchings = PATCHINGS[encoder.config.patches];
  const nPairs = trackIds.length;
  const begin = clock();
  const patches = Object.fromEntries(
    patchings.map((patching) => [patching, gatherPatches(views, clipFrames, patching, kept[patching])]),
  );
  const gathered = clock();

  const projections: [tf.Tensor2D, tf.Tensor2D][] = [];
  let forwarded = gathered;
  const lossOfBatch = (): tf.Scalar => {
    // Both views run through the encoder in one call.
    const parts = encoder.forwardPatches(patches, 2 * nPairs, { kept });
    const losses = patchings.map((patching) => {
      const projected = head.forward(parts[patching]!); // [2B, D]
      const first = tf.keep(tf.slice(projected, [0, 0], [nPairs, -1]));
      const second = tf.keep(tf.slice(projected, [nPairs, 0], [nPairs, -1]));
      projections.push([first, second]);
      return sogClr ? sogClr.loss(first, second, trackIds, epoch) : ntXent(first, second, config.temperature);
    });
    const loss: tf.Scalar = losses.length === 1 ? losses[0] : tf.div(tf.addN(losses), losses.length);
    forwarded = clock();
    return loss;
  };
  const parameters = new Map([...encoder.weights, ...head.weights]);
  const { value, grads } = tf.variableGrads(lossOfBatch, [...parameters.values()]);
  const loss = value.dataSync()[0];
  value.dispose();
  const gradients = new Map(Array.from(parameters, ([name, { name: id }]) => [name, grads[id]]));
  const differentiated = clock();

  const metrics = meanMetrics(projections.map(([first, second]) => contrastiveMetrics(first, second)));
  tf.dispose(projections);
  const times = {
    gather: gathered - begin,
    forward: forwarded - gathered,
    backward: differentiated - forwarded,
    metrics: clock() - differentiated,
  };
  return { loss, metrics, gradients, times };
}

function meanMetrics(metrics: readonly ContrastiveMetrics[]): ContrastiveMetrics {
  const mean = (field: keyof ContrastiveMetrics): number =>
    metrics.reduce((sum, m) => sum + m[field], 0) / metrics.length;
  return { accuracy: mean('accuracy'), alignment: mean('alignment'), uniformity: mean('uniformity') };
}

export interface StepReport extends ContrastiveMetrics {
  readonly loss: number;
  /** Global norm before clipping. */
  readonly gradientNorm: number;
  readonly times: StepTimes;
}

/**
 * Takes one step.
 *
 * @param clock milliseconds
 * @returns the report; if loss or gradientNorm is not finite no weight has been changed, and the caller stops the run
 */
export function pretrainStep(
  state: PretrainState,
  config: PretrainConfig,
  batch: Batch,
  learningRate: number,
  clock: () => number,
): StepReport {
  const { loss, metrics, gradients, times } = gradientsOfBatch(state, config, batch, clock);
  const begin = clock();
  const gradientNorm = globalNorm(gradients.values());
  if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) {
    state.optimizer.step(gradients, learningRate, clipFactor(gradientNorm, config.clipNorm));
  }
  tf.dispose([...gradients.values()]);
  return { loss, ...metrics, gradientNorm, times: { ...times, update: clock() - begin } };
}
