/** The one table of what fine-tuning can be told, its defaults, and the check of every field. */
import { INPUT_SCALES, type InputScale } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { configId } from '../store/index.js';

/** Changes of a clip's mel power, drawn anew for every clip; each is off at 0. */
export interface MelAugmentation {
  /** Level: uniform within plus and minus this many dB. */
  readonly gainDb: number;
  /** Spectral envelope: a smooth random curve over the bands with this standard deviation in dB. */
  readonly equaliserDb: number;
  /** Share of clips that get a noise floor, and how far below the clip's mean power it lies, dB [nearest, farthest]. */
  readonly noiseShare: number;
  readonly noiseDb: readonly [number, number];
  /** Pitch: moved by a whole number of semitones from the first to the second, and the key with it; [0, 0] = off. */
  readonly semitones: readonly [number, number];
  /** Share of clips that get further overtones (`randomOvertones`); default none. */
  readonly overtoneShare?: number;
}

export interface FineTuneConfig {
  /** Optimizer steps. */
  readonly steps: number;
  /** Tracks per step. */
  readonly batchTracks: number;
  /** Clips drawn from each track of a batch. */
  readonly clipsPerTrack: number;
  /** Share of tokens removed from each clip, as in pretraining: cheaper steps, and other material at each. */
  readonly maskRatio: number;
  /** Units of the head's hidden layer (Linear, ReLU, Linear); 0 = one linear layer. */
  readonly hidden: number;
  /** Of encoder and head alike (AdamW). */
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly warmUpSteps: number;
  readonly schedule: 'constant' | 'cosine';
  /** Limit of the gradient's global norm; null = none. */
  readonly clipNorm: number | null;
  /** Share of the target that is spread over all 24 keys. */
  readonly labelSmoothing: number;
  /**
   * Weight of the second task beside the keys: from each token, which pitch classes sound, which is the lowest, which
   * begin (mean binary cross entropy). 0 = none. A key is a matter of notes, and notes teach far more a clip than its key.
   */
  readonly transcription: number;
  readonly augmentation: MelAugmentation;
  /** What the encoder reads from here on; default: what it has read so far. */
  readonly inputScale?: InputScale;
  readonly seed: number;
  /** Steps between two checkpoints. */
  readonly checkpointEverySteps: number;
}

export const FINE_TUNE_DEFAULTS: Omit<FineTuneConfig, 'steps'> = {
  batchTracks: 32,
  clipsPerTrack: 2,
  maskRatio: 0.5,
  hidden: 0,
  learningRate: 5e-4,
  weightDecay: 0.01,
  warmUpSteps: 100,
  schedule: 'cosine',
  clipNorm: 1,
  labelSmoothing: 0.05,
  transcription: 0,
  augmentation: { gainDb: 12, equaliserDb: 6, noiseShare: 0.5, noiseDb: [10, 50], semitones: [0, 0] },
  seed: 0,
  checkpointEverySteps: 100,
};

/**
 * A complete, checked configuration from what differs from the defaults.
 * @throws InputError that names the field: unknown, missing or out of range
 */
export function fineTuneConfig(fields: Partial<FineTuneConfig> & Pick<FineTuneConfig, 'steps'>): FineTuneConfig {
  const config: FineTuneConfig = { ...FINE_TUNE_DEFAULTS, ...fields };
  checkFineTuneConfig(config);
  return config;
}

/** Identifies a run's outcome; how often something is saved does not count, nor a task that is not there. */
export function fineTuneConfigId(config: FineTuneConfig): string {
  return configId({ ...config, checkpointEverySteps: undefined, transcription: config.transcription || undefined });
}

const isCount = (x: number): boolean => Number.isInteger(x) && x >= 1;
const isShare = (x: number): boolean => x >= 0 && x < 1;
const isAmount = (x: number): boolean => x >= 0 && Number.isFinite(x);

/** @throws InputError for the first field that is unknown or out of range */
export function checkFineTuneConfig(config: FineTuneConfig): void {
  const known = ['steps', 'inputScale', ...Object.keys(FINE_TUNE_DEFAULTS)];
  const fail = (field: string, found: unknown, expected: string): never => {
    throw new InputError(`fine-tuning config, field ${field}`, `found ${JSON.stringify(found)}; expected ${expected}`);
  };
  for (const name of Object.keys(config)) if (!known.includes(name)) fail(name, name, `one of ${known.join(', ')}`);
  const check = (field: keyof FineTuneConfig, holds: boolean, expected: string): void => {
    if (!holds) fail(field, config[field], expected);
  };
  for (const field of ['steps', 'batchTracks', 'clipsPerTrack', 'checkpointEverySteps'] as const)
    check(field, isCount(config[field]), 'a whole number >= 1');
  for (const field of ['hidden', 'warmUpSteps', 'seed'] as const)
    check(field, Number.isInteger(config[field]) && config[field] >= 0, 'a whole number >= 0');
  for (const field of ['maskRatio', 'labelSmoothing'] as const)
    check(field, isShare(config[field]), 'a share from 0 to below 1');
  check('learningRate', config.learningRate > 0 && Number.isFinite(config.learningRate), 'a number above 0');
  check('transcription', isAmount(config.transcription), 'a number of at least 0');
  check('weightDecay', isAmount(config.weightDecay), 'a number of at least 0');
  check('schedule', ['constant', 'cosine'].includes(config.schedule), 'constant or cosine');
  check('clipNorm', config.clipNorm === null || config.clipNorm > 0, 'null or a number above 0');
  check(
    'inputScale',
    config.inputScale === undefined || INPUT_SCALES.includes(config.inputScale),
    INPUT_SCALES.join(', ') + ' or none',
  );
  const { gainDb, equaliserDb, noiseShare, noiseDb, semitones, overtoneShare = 0 } = config.augmentation;
  check(
    'augmentation',
    [gainDb, equaliserDb].every((x) => isAmount(x) && x <= 60) &&
      [noiseShare, overtoneShare].every((share) => share >= 0 && share <= 1) &&
      noiseDb.length === 2 &&
      noiseDb[0] <= noiseDb[1] &&
      semitones.length === 2 &&
      semitones.every((x) => Number.isInteger(x) && Math.abs(x) <= 12) &&
      semitones[0] <= semitones[1],
    'gainDb and equaliserDb from 0 to 60, noiseShare and overtoneShare from 0 to 1, noiseDb [nearest, farthest], semitones two whole ' +
      'numbers from -12 to 12 in ascending order',
  );
}
