/** What the detector in data/checkpoints/ is made of: music, rounds of training, seeds. */
import type { Split } from '../../corpus/index.js';
import { encoderConfig } from '../../encoder/index.js';
import { FINE_TUNE_DEFAULTS, fineTuneConfig, type FineTuneConfig } from '../../finetune/index.js';
import { pretrainConfig, type PretrainConfig } from '../../pretrain/index.js';
import type { ProbeConfig } from '../../probe/index.js';
import { presetOf } from '../run/presets.js';
import type { NoteHeadRecipe } from './noteHead.js';

/** Everything that the model depends on; it stands in the metadata of its files. */
export interface ModelRecipe {
  readonly corpus: {
    readonly sizes: Readonly<Record<Split, number>>;
    readonly seed: number;
    readonly keysPerPiece: number;
  };
  /** Whether pretraining hears the recordings in data/user/open-music too; they must be there then. */
  readonly withRecordings: boolean;
  readonly pretraining: PretrainConfig;
  /** Rounds, each going on from the encoder of the one before it, with a new head; the last one transcribes. */
  readonly fineTuning: readonly [FineTuneConfig, ...FineTuneConfig[]];
  readonly noteHead: NoteHeadRecipe;
}

const ENCODER = encoderConfig('vertical', 'small', { width: 256, numHeads: 4, mlpDim: 1024, inputScale: 'log1p' });

const ROUND = { warmUpSteps: 200, weightDecay: 0.02, checkpointEverySteps: 200 } as const;

const AT_ALL_PITCHES = { ...FINE_TUNE_DEFAULTS.augmentation, semitones: [-5, 6] } as const;

/** For timbres that training does not have: half of the clips with other overtones, all in wider envelopes. */
const IN_OTHER_TIMBRES = { ...AT_ALL_PITCHES, equaliserDb: 8, overtoneShare: 0.5 };

const NOTE_HEAD: Partial<ProbeConfig> = {
  hidden: [768, 'd0.2', 768, 'd0.2'],
  batchSize: 128,
  weightDecay: 1e-5,
  standardize: 'train',
  selection: 'last',
};

/** The model in data/checkpoints/. */
export const SHIPPED_MODEL: ModelRecipe = {
  // A corpus of another seed than the presets': no piece of it is in their tables.
  corpus: { sizes: { train: 12288, valid: 384, test: 0, testTimbre: 0 }, seed: 20, keysPerPiece: 1 },
  withRecordings: true,
  pretraining: pretrainConfig({ ...presetOf('study').pretraining, encoder: ENCODER, steps: 600, snapshotSteps: [] }),
  fineTuning: [
    fineTuneConfig({ ...ROUND, steps: 7000, learningRate: 1e-3 }),
    // After the first round training pieces were answered better than those of valid: in other keys they are new ones.
    fineTuneConfig({
      ...ROUND,
      steps: 7500,
      learningRate: 8e-4,
      batchTracks: 64,
      clipsPerTrack: 1,
      augmentation: AT_ALL_PITCHES,
      seed: 1,
    }),
    // Keys alone taught no more: a head on the written notes answers valid far better than one on embeddings did.
    fineTuneConfig({
      ...ROUND,
      steps: 4500,
      learningRate: 8e-4,
      batchTracks: 64,
      clipsPerTrack: 1,
      transcription: 10,
      augmentation: AT_ALL_PITCHES,
      seed: 2,
    }),
    // Valid pieces were answered better when their mels were made louder: notes played softly had not been heard.
    fineTuneConfig({
      ...ROUND,
      steps: 5000,
      learningRate: 8e-4,
      batchTracks: 48,
      clipsPerTrack: 1,
      maskRatio: 0.25,
      transcription: 10,
      augmentation: IN_OTHER_TIMBRES,
      inputScale: 'log1p30dB',
      seed: 3,
    }),
  ],
  noteHead: {
    composed: { pieces: 100_000, seed: 501 },
    onComposed: { ...NOTE_HEAD, epochs: 6, learningRate: 5e-4 },
    onHeard: { ...NOTE_HEAD, epochs: 12, learningRate: 2e-4, seed: 1 },
  },
};
