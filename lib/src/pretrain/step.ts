/** One optimizer step: batch -> patches -> objective (encoder, head, loss) -> gradients -> update. */
import { Encoder } from '../encoder/index.js';
import { Adam, createRng, globalNorm, tf } from '../tensor/index.js';
import type { Batch } from './batches.js';
import type { PretrainConfig } from './config.js';
import { PatchDecoder } from './decoder.js';
import { clipFactor } from './gradients.js';
import type { ContrastiveMetrics } from './metrics.js';
import { ntXent } from './ntXent.js';
import { contrast, reconstruction } from './objective.js';
import { ProjectionHead } from './projectionHead.js';
import { SogClr } from './sogClr.js';

/** What stands after the encoder while pretraining: contrast needs a projection head, reconstruction a decoder. */
export type TrainingHead = ProjectionHead | PatchDecoder;

/** Everything that a step changes. */
export interface PretrainState {
  readonly encoder: Encoder;
  readonly head: TrainingHead;
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
  start?: { readonly encoder: Encoder; readonly head: TrainingHead },
): PretrainState {
  const encoder = start?.encoder ?? initialEncoder(config);
  const head = start?.head ?? initialHead(config);
  const { learningRate, weightDecay, temperature, gamma, gammaSchedule, uInitialisation } = config;
  const optimizer = new Adam(new Map([...encoder.weights, ...head.weights]), {
    learningRate,
    weightDecay,
    decoupled: config.optimizer === 'adamW',
  });
  const sogClr =
    config.objective === 'contrastive' && config.loss === 'sogClr'
      ? new SogClr(nTracks, { temperature, gamma, gammaSchedule, gammaDecayEpochs: nEpochs, uInitialisation })
      : null;
  return { encoder, head, optimizer, sogClr };
}

function initialHead(config: PretrainConfig): TrainingHead {
  const rng = createRng(config.seed);
  return config.objective === 'contrastive'
    ? ProjectionHead.init(config.projectionHead, config.encoder.width, rng.fork('projection head'))
    : PatchDecoder.init(config.encoder, rng.fork('decoder'));
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
  /** Null where nothing is contrasted. */
  readonly metrics: ContrastiveMetrics | null;
  /** By parameter name; the caller disposes them. */
  readonly gradients: Map<string, tf.Tensor>;
  readonly times: Omit<StepTimes, 'update'>;
}

/**
 * Loss and gradients of a batch, without a step; moves SogCLR's estimates.
 *
 * @param clock milliseconds
 */
export function gradientsOfBatch(
  { encoder, head, sogClr }: PretrainState,
  config: PretrainConfig,
  batch: Batch,
  clock: () => number,
): Gradients {
  const { trackIds, epoch } = batch;
  const begin = clock();
  const objective =
    head instanceof PatchDecoder
      ? reconstruction(encoder, head, batch)
      : contrast(encoder, head, batch, (first, second) =>
          sogClr ? sogClr.loss(first, second, trackIds, epoch) : ntXent(first, second, config.temperature),
        );
  const gathered = clock();

  let forwarded = gathered;
  const lossOfBatch = (): tf.Scalar => {
    const loss = objective.loss();
    forwarded = clock();
    return loss;
  };
  const parameters = new Map([...encoder.weights, ...head.weights]);
  const { value, grads } = tf.variableGrads(lossOfBatch, [...parameters.values()]);
  const loss = value.dataSync()[0];
  value.dispose();
  const gradients = new Map(Array.from(parameters, ([name, { name: id }]) => [name, grads[id]]));
  const differentiated = clock();

  const metrics = objective.metrics();
  const times = {
    gather: gathered - begin,
    forward: forwarded - gathered,
    backward: differentiated - forwarded,
    metrics: clock() - differentiated,
  };
  return { loss, metrics, gradients, times };
}

/** The metrics of a step, all null where nothing is contrasted. */
export type StepMetrics = { readonly [M in keyof ContrastiveMetrics]: number | null };

const NO_METRICS: StepMetrics = { accuracy: null, alignment: null, uniformity: null };

export interface StepReport extends StepMetrics {
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
  return { loss, ...(metrics ?? NO_METRICS), gradientNorm, times: { ...times, update: clock() - begin } };
}
