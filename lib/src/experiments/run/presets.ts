/** The one table of what each preset computes. Everything that a result depends on stands here or in the corpus' config. */
import { EMBEDDED_SIZES, type Split } from '../../corpus/index.js';
import type { EncoderConfig, EncoderSize, InputScale } from '../../encoder/index.js';
import { InputError } from '../../errors.js';
import type { PretrainConfig } from '../../pretrain/index.js';
import type { ProbeConfig } from '../../probe/index.js';
import type { PatchVariant } from '../../views/index.js';
import { ABLATIONS, BASE_STEPS, INPUT_MIXUP, ONE_CLIP, PRETRAINING, RECONSTRUCTION, viewDistance } from './variants.js';

export type PresetName = 'smoke' | 'laptop' | 'study' | 'paper';

/** What pretraining listens to: the embedded corpus' train split, real recordings, or both. */
export type PretrainingData = 'embedded' | 'real' | 'both';

/** A further pretraining with vertical patches: what differs from the preset's base. */
export interface PretrainingVariant {
  /** The encoder is called `vertical-<id>`. */
  readonly id: string;
  /** For people: what differs. */
  readonly label: string;
  readonly data?: PretrainingData;
  readonly inputScale?: InputScale;
  readonly changes?: Partial<Omit<PretrainConfig, 'encoder' | 'seed'>>;
  /** Whether notebook 04 compares it too; the others are the ablations of notebook 03. */
  readonly isCompared?: boolean;
}

/** Values along the fields of the grid of trainings. */
export interface GridAxes {
  readonly batchSize?: readonly number[];
  readonly learningRate?: readonly number[];
  readonly weightDecay?: readonly number[];
}

/** An encoder that was trained elsewhere. */
export interface PublishedEncoder {
  /** Names its weights by their content. */
  readonly id: string;
  readonly config: EncoderConfig;
}

export interface ExperimentPreset {
  readonly name: PresetName;
  /** Encoders that take the place of pretraining, by patches; a reader's, in no preset of the table. */
  readonly published?: { readonly [P in PatchVariant]?: PublishedEncoder };
  readonly corpus: {
    readonly sizes: Readonly<Record<Split, number>>;
    readonly seed: number;
    readonly keysPerPiece: number;
  };
  /** Seconds of the items that recordings are cut into. */
  readonly itemSeconds: number;
  readonly encoderSize: EncoderSize;
  readonly inputScale: InputScale;
  /** Seeds of pretraining (and of the random initialisation that it starts from). */
  readonly seeds: readonly number[];
  readonly pretraining: Omit<PretrainConfig, 'encoder' | 'seed'>;
  /** Encoders pretrained under equal conditions on the embedded corpus, every seed. */
  readonly patches: readonly PatchVariant[];
  /** Further jobs with vertical patches. */
  readonly variants: readonly PretrainingVariant[];
  readonly probes: {
    /** Configurations that validation chooses among, for each embedding alike. */
    readonly linear: readonly Partial<ProbeConfig>[];
    readonly mlp: readonly Partial<ProbeConfig>[];
    /** The one configuration of quick looks: snapshots, layers. */
    readonly quick: Partial<ProbeConfig>;
    /** Seeds of each probe's training on the first pretraining seed; the others get the first of these. */
    readonly seeds: readonly number[];
  };
  /** Seeds of pretraining whose layers are probed one by one. */
  readonly layerSeeds: readonly number[];
  /** The paper's two grids of probes, whole or in part. */
  readonly grid: {
    /** By name, as `2048-d0.75-2048`. */
    readonly architectures: 'all' | readonly string[];
    /** Those whose fields have one of these values; a field that is not named may have any. */
    readonly trainings: 'all' | GridAxes;
    /** What differs from the paper's training. */
    readonly base: Partial<ProbeConfig>;
  };
  /** Notebooks 06 to 08: which part of the corpus is heard augmented, and how. */
  readonly augmented: {
    /** The first clips of each track, each of 6.25 s. */
    readonly clips: number;
    /** Seeds of pretraining whose encoders embed it. */
    readonly seeds: readonly number[];
    /** The first tracks of each split. */
    readonly tracks: Readonly<Record<Split, number>>;
    /** How many of an augmentation's strengths the robustness curves have. */
    readonly strengths: number;
    /** Pitch shifts. */
    readonly semitones: readonly number[];
  };
  /** Notebook 05: probes trained with and without MixUp. */
  readonly mixUp: {
    /** Seeds of each probe's training, for every seed of pretraining. */
    readonly seeds: readonly number[];
    /** Learning rates and weight decays that validation chooses among, for each way of mixing alike. */
    readonly linear: readonly Partial<ProbeConfig>[];
    readonly mlp: readonly Partial<ProbeConfig>[];
    /** Whether the random initialisation is probed too (linearly), as a control. */
    readonly withRandom: boolean;
  };
  /** Notebook 06. */
  readonly tsne: {
    /** Random starts of each map. */
    readonly seeds: readonly number[];
    readonly perplexities: readonly number[];
    /** Clips that tsne-js is given at most (its time grows with their square), and its starts. */
    readonly tsneJsClips: number;
    readonly tsneJsSeeds: readonly number[];
    /** Tracks whose copies are drawn and can be heard. */
    readonly heardTracks: number;
  };
  readonly resamples: number;
}

const TSNE: ExperimentPreset['tsne'] = {
  seeds: [0, 1, 2, 3, 4],
  perplexities: [5, 30, 100],
  tsneJsClips: 150,
  tsneJsSeeds: [0, 1, 2],
  heardTracks: 12,
};

const SEMITONES = [-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6];

const linear = (learningRate: number, weightDecay: number, epochs: number): Partial<ProbeConfig> => ({
  hidden: [],
  learningRate,
  weightDecay,
  epochs,
});

const FIVE_SEEDS = [0, 1, 2, 3, 4];
/** For notebook 05; the rates differ, so that no way of mixing has to live with another one's. */
const MIXUP_LINEAR = [linear(3e-3, 1e-5, 60), linear(1e-2, 1e-3, 60)];
const BILLBOARD_HEAD = { hidden: [2048, 'd0.75'], epochs: 40 } as const;
const MIXUP_BILLBOARD = [3e-4, 1e-3].map((learningRate) => ({ ...BILLBOARD_HEAD, learningRate }));

const PRESETS: Readonly<Record<PresetName, ExperimentPreset>> = {
  smoke: {
    name: 'smoke',
    corpus: { sizes: EMBEDDED_SIZES.smoke, seed: 1, keysPerPiece: 1 },
    itemSeconds: 30,
    encoderSize: 'tiny',
    inputScale: 'power',
    seeds: [0],
    pretraining: {
      ...PRETRAINING,
      steps: 20,
      batchPairs: 16,
      clipsPerTrack: 2,
      warmUpSteps: 2,
      checkpointEverySteps: 10,
      snapshotSteps: [10],
    },
    patches: ['vertical', 'square'],
    variants: [],
    probes: {
      linear: [linear(1e-2, 1e-5, 20)],
      mlp: [{ hidden: [64, 'd0.5'], learningRate: 3e-3, epochs: 10 }],
      quick: linear(1e-2, 1e-5, 10),
      seeds: [0, 1],
    },
    layerSeeds: [0],
    grid: {
      architectures: ['1024-d0.75', '1024-d0.99', '2048-d0.99', '1024-d0.75-1024', '2048-d0.99-2048'],
      trainings: { batchSize: [64], learningRate: [1e-3, 3e-3], weightDecay: [1e-5] },
      base: { epochs: 4 },
    },
    augmented: {
      clips: 1,
      seeds: [0],
      tracks: { train: 12, valid: 6, test: 12, testTimbre: 6 },
      strengths: 1,
      semitones: [-1, 1, 2],
    },
    mixUp: {
      seeds: [0, 1],
      linear: [linear(1e-2, 1e-5, 20)],
      mlp: [{ hidden: [64, 'd0.5'], learningRate: 3e-3, epochs: 10 }],
      withRandom: false,
    },
    tsne: { seeds: [0], perplexities: [5], tsneJsClips: 24, tsneJsSeeds: [0], heardTracks: 2 },
    resamples: 500,
  },
  laptop: {
    name: 'laptop',
    corpus: { sizes: EMBEDDED_SIZES.laptop, seed: 1, keysPerPiece: 1 },
    itemSeconds: 30,
    encoderSize: 'small',
    inputScale: 'power',
    seeds: [0],
    pretraining: { ...PRETRAINING, steps: BASE_STEPS, snapshotSteps: [50, 100, 200, 350] },
    patches: ['vertical', 'square'],
    variants: [RECONSTRUCTION, INPUT_MIXUP],
    probes: {
      linear: [linear(3e-3, 1e-5, 60), linear(1e-2, 1e-3, 60)],
      mlp: [{ hidden: [512, 'd0.75'], learningRate: 1e-3, epochs: 30 }],
      quick: linear(1e-2, 1e-3, 60),
      seeds: [0, 1, 2],
    },
    layerSeeds: [0],
    grid: {
      architectures: [
        ...['1024-d0.75', '1024-d0.99', '2048-d0.75', '2048-d0.99', '4096-d0.75', '4096-d0.99'],
        ...['1024-d0.75-1024', '1024-d0.99-1024'],
      ],
      trainings: { batchSize: [32, 128, 512], learningRate: [3e-4, 3e-3], weightDecay: [1e-5] },
      base: { epochs: 30 },
    },
    augmented: {
      clips: 2,
      seeds: [0],
      tracks: { train: 96, valid: 24, test: 48, testTimbre: 24 },
      strengths: 3,
      semitones: SEMITONES,
    },
    mixUp: {
      seeds: FIVE_SEEDS,
      linear: MIXUP_LINEAR,
      mlp: [1e-3, 3e-3].map((learningRate) => ({ hidden: [512, 'd0.75'], learningRate, epochs: 30 })),
      withRandom: false,
    },
    tsne: { ...TSNE, tsneJsSeeds: [0] },
    resamples: 2000,
  },
  study: {
    name: 'study',
    corpus: { sizes: EMBEDDED_SIZES.study, seed: 1, keysPerPiece: 1 },
    itemSeconds: 30,
    encoderSize: 'small',
    inputScale: 'power',
    seeds: [0, 1, 2],
    pretraining: { ...PRETRAINING, steps: BASE_STEPS, snapshotSteps: [100, 250] },
    patches: ['vertical', 'square', 'hybrid'],
    variants: [
      ONE_CLIP,
      { ...viewDistance('anywhere', 'views anywhere', null), isCompared: true },
      { id: 'real', label: 'recordings', data: 'real', isCompared: true },
      { id: 'both', label: 'corpus + recordings', data: 'both', isCompared: true },
      ...ABLATIONS,
    ],
    probes: {
      linear: [3e-3, 1e-2].flatMap((rate) => [1e-5, 1e-3].map((decay) => linear(rate, decay, 60))),
      mlp: [
        { hidden: [2048, 'd0.75'], epochs: 40 },
        { hidden: [4096, 'd0.9'], epochs: 40 },
      ],
      quick: linear(1e-2, 1e-3, 60),
      seeds: [0, 1, 2],
    },
    layerSeeds: [0, 1, 2],
    // 15 epochs where the paper has 100: both grids together take about 9 minutes of processor time.
    grid: { architectures: 'all', trainings: 'all', base: { epochs: 15 } },
    augmented: {
      clips: 2,
      seeds: [0, 1, 2],
      tracks: { train: 192, valid: 48, test: 96, testTimbre: 96 },
      strengths: 3,
      semitones: SEMITONES,
    },
    mixUp: { seeds: FIVE_SEEDS, linear: MIXUP_LINEAR, mlp: MIXUP_BILLBOARD, withRandom: true },
    tsne: TSNE,
    resamples: 10000,
  },
  paper: {
    name: 'paper',
    corpus: { sizes: EMBEDDED_SIZES.study, seed: 1, keysPerPiece: 1 },
    itemSeconds: 30,
    encoderSize: 'S',
    inputScale: 'power',
    seeds: [0, 1, 2],
    pretraining: {
      ...PRETRAINING,
      loss: 'sogClr',
      steps: 20000,
      batchPairs: 256,
      clipsPerTrack: 1,
      optimizer: 'adam',
      weightDecay: 1e-5,
      clipNorm: null,
      projectionHead: 'linear-50',
      learningRate: 3e-4,
      maxFrameDistance: null,
      warmUpSteps: 0,
      schedule: 'constant',
      checkpointEverySteps: 100,
      snapshotSteps: [1000, 5000, 10000],
    },
    patches: ['vertical', 'square', 'hybrid'],
    variants: [
      { id: 'real', label: 'recordings', data: 'real', isCompared: true },
      { id: 'both', label: 'corpus + recordings', data: 'both', isCompared: true },
    ],
    probes: {
      linear: [1e-4, 3e-4, 1e-3, 3e-3].flatMap((rate) => [1e-5, 1e-4, 1e-3].map((decay) => linear(rate, decay, 100))),
      mlp: [{ hidden: [4096, 'd0.99', 4096] }, { hidden: [2048, 'd0.75'] }],
      quick: linear(1e-2, 1e-3, 60),
      seeds: [0, 1, 2],
    },
    layerSeeds: [0, 1, 2],
    grid: { architectures: 'all', trainings: 'all', base: {} },
    augmented: {
      clips: 2,
      seeds: [0, 1, 2],
      tracks: { train: 240, valid: 96, test: 144, testTimbre: 144 },
      strengths: 4,
      semitones: SEMITONES,
    },
    mixUp: { seeds: FIVE_SEEDS, linear: MIXUP_LINEAR, mlp: MIXUP_BILLBOARD, withRandom: true },
    tsne: TSNE,
    resamples: 10000,
  },
};

/** The table entry of a preset. @throws InputError for an unknown name, naming the four */
export function presetOf(name: string): ExperimentPreset {
  if (!Object.hasOwn(PRESETS, name))
    throw new InputError('preset', `"${name}" found; expected one of ${Object.keys(PRESETS).join(', ')}`);
  return PRESETS[name as PresetName];
}
