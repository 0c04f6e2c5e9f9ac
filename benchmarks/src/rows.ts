/** The one table of what is measured, beside what, at which size, and the ratio to stay at or below. */
import type { Setting } from './measure.js';

export interface BenchmarkRow {
  readonly name: string;
  /** What is measured, with its sizes; README shows it. */
  readonly title: string;
  /** The file of this folder that writes the inputs and measures ours. */
  readonly module: string;
  /** A script of peers/, or a module of this folder that measures an npm package. */
  readonly peer:
    | { readonly python: string; readonly needs: readonly PythonModule[] }
    | { readonly module: string; readonly npm: string };
  readonly goal: number;
  readonly ratioOf: 'ms' | 'MB';
  readonly setting: Setting;
  /** What is smaller with --quick. */
  readonly quick: Setting;
  /** What is smaller while the peer's best number of threads is looked for; without it there is one setting only. */
  readonly calibrate?: Setting;
  /** Environment of our side. */
  readonly env?: Readonly<Record<string, string>>;
  /** Rounds of one process each, unless --runs says otherwise; 1 stays 1. */
  readonly rounds: number;
}

/** Python modules that peers need, with the Debian package of each. */
export const DEBIAN_PACKAGES = {
  torch: 'python3-torch',
  torchaudio: 'python3-torchaudio',
  sklearn: 'python3-sklearn',
} as const;

export type PythonModule = keyof typeof DEBIAN_PACKAGES;

const NO_BLAS = { KEYMYNA_BLAS: 'none' };
const CLIP = { visible: 10, clipFrames: 196, trackFrames: 600 };
const LARGE = { ...CLIP, width: 384, depth: 12, pairs: 64, repeats: 5 };
const SMALL = { ...CLIP, width: 128, depth: 4, pairs: 128, repeats: 20 };
const STEP = { module: 'pretrainStep', peer: { python: 'pretrain_step.py', needs: ['torch'] }, ratioOf: 'ms' } as const;
const LARGE_STEP = 'pretraining step, 384 wide, 12 blocks, 64 pairs, 10 visible tokens';
const SMALL_STEP = 'pretraining step, 128 wide, 4 blocks, 128 pairs, 10 visible tokens';

/** `reproduce-laptop` is not in here: it is measured beside another checkout (reproduce.ts). */
export const ROWS: readonly BenchmarkRow[] = [
  { ...STEP, name: 'pretrain-384x12', title: LARGE_STEP, goal: 1, setting: LARGE, quick: { repeats: 1 }, calibrate: { repeats: 2 }, rounds: 5 }, // prettier-ignore
  { ...STEP, name: 'pretrain-384x12-no-blas', title: `${LARGE_STEP}, without BLAS`, goal: 5, setting: { ...LARGE, repeats: 2 }, quick: { repeats: 1 }, calibrate: { repeats: 2 }, env: NO_BLAS, rounds: 3 }, // prettier-ignore
  { ...STEP, name: 'pretrain-128x4', title: SMALL_STEP, goal: 1, setting: SMALL, quick: { repeats: 3 }, calibrate: { repeats: 5 }, rounds: 5 }, // prettier-ignore
  { ...STEP, name: 'pretrain-128x4-no-blas', title: `${SMALL_STEP}, without BLAS`, goal: 5, setting: { ...SMALL, repeats: 5 }, quick: { repeats: 2 }, calibrate: { repeats: 5 }, env: NO_BLAS, rounds: 3 }, // prettier-ignore
  {
    name: 'memory-384x12',
    title: `largest resident set of the process, ${LARGE_STEP}`,
    module: 'pretrainStep',
    peer: { python: 'pretrain_step.py', needs: ['torch'] },
    goal: 1.2,
    ratioOf: 'MB',
    setting: { ...LARGE, repeats: 2 },
    quick: { repeats: 1 },
    calibrate: { repeats: 2 },
    rounds: 3,
  },
  {
    name: 'embed-10-minutes',
    title: 'embedding a file of 10 minutes (wav, 44.1 kHz, stereo) from decoding to the table, 384 wide, 12 blocks',
    module: 'embedFile',
    peer: { python: 'embed_file.py', needs: ['torch', 'torchaudio'] },
    goal: 0.9,
    ratioOf: 'ms',
    setting: { seconds: 600, width: 384, depth: 12, repeats: 2 },
    quick: { seconds: 60, repeats: 1 },
    calibrate: { repeats: 1 },
    rounds: 5,
  },
  {
    name: 'mel-10-minutes',
    title: 'mel spectrogram of 10 minutes',
    module: 'mel',
    peer: { python: 'mel.py', needs: ['torchaudio'] },
    goal: 0.9,
    ratioOf: 'ms',
    setting: { seconds: 600, repeats: 9 },
    quick: { seconds: 60, repeats: 3 },
    calibrate: { repeats: 5 },
    rounds: 5,
  },
  {
    name: 'probe-step',
    title: 'MLP probe step, 384-4096-24, 64 clips, dropout .9, Adam with L2',
    module: 'probeStep',
    peer: { python: 'probe_step.py', needs: ['torch'] },
    goal: 0.9,
    ratioOf: 'ms',
    setting: { width: 384, hidden: 4096, repeats: 200 },
    quick: { repeats: 20 },
    calibrate: {}, // the steps are few enough
    rounds: 5,
  },
  {
    name: 'probe-grid',
    title:
      '28 probe architectures, 384 wide: each 40 steps of 64 clips (a quarter of a pass over 10,000), then 512 clips of validation',
    module: 'probeGrid',
    peer: { python: 'probe_grid.py', needs: ['torch'] },
    goal: 0.6,
    ratioOf: 'ms',
    setting: { clips: 2560, validClips: 512, width: 384, widest: 8192, repeats: 1 },
    quick: { clips: 256, validClips: 64, widest: 1024 },
    calibrate: { widest: 2048 },
    rounds: 3,
  },
  {
    name: 'tsne-5000',
    title: 't-SNE of 5,000 x 384 in 60 clusters, perplexity 30, 1,000 iterations',
    module: 'tsne',
    peer: { python: 'tsne.py', needs: ['sklearn'] },
    goal: 0.33,
    ratioOf: 'ms',
    setting: { n: 5000, width: 384, clusters: 60, perplexity: 30, iterations: 1000, repeats: 1 },
    quick: { n: 300, iterations: 250 },
    calibrate: { iterations: 250 },
    rounds: 3,
  },
  {
    name: 'tsne-js-1000',
    title: 't-SNE of 1,000 x 384 in 60 clusters, perplexity 30: 1,000 iterations, tsne-js only 200',
    module: 'tsne',
    peer: { module: 'tsneJs', npm: 'tsne-js' },
    goal: 0.01,
    ratioOf: 'ms',
    setting: { n: 1000, width: 384, clusters: 60, perplexity: 30, iterations: 1000, peerIterations: 200, repeats: 3 },
    quick: { n: 150, perplexity: 10 },
    rounds: 1,
  },
];
