/** A small run that every test of the loop shares: tracks that differ by which bands they use, a tiny encoder. */
import { encoderConfig } from '../../lib/src/encoder/index.js';
import type { MelTrack } from '../../lib/src/mel/index.js';
import { pretrain, pretrainConfig, type PretrainConfig, type PretrainOptions } from '../../lib/src/pretrain/index.js';
import { createRng, initBackend, type BackendOptions } from '../../lib/src/tensor/index.js';

/** Tracks of `nFrames` frames: each has its own few loud bands, so that clips of one track resemble each other. */
export function makeTracks(nTracks: number, nFrames = 96): MelTrack[] {
  return Array.from({ length: nTracks }, (_, t) => {
    const rng = createRng(`track ${t}`);
    const loud = Array.from({ length: 128 }, () => (rng.uniform() < 0.1 ? 20 * rng.uniform() : 0.1));
    const data = Float32Array.from({ length: 128 * nFrames }, (_, i) => {
      return loud[Math.floor(i / nFrames)] * (0.5 + rng.uniform());
    });
    return { id: `track-${t}`, mel: { nMels: 128, nFrames, data } };
  });
}

export function smallConfig(overrides: Partial<PretrainConfig> = {}): PretrainConfig {
  return pretrainConfig({
    encoder: encoderConfig('vertical', 'tiny', { clipFrames: 32 }),
    steps: 12,
    batchPairs: 6,
    maskRatio: 0.5,
    checkpointEverySteps: 4,
    warmUpSteps: 2,
    schedule: 'cosine',
    clipNorm: 1,
    projectionHead: 'mlp-16-8',
    snapshotSteps: [0, 5],
    seed: 3,
    ...overrides,
  });
}

/** What a child process runs: the small run, hanging for good once it has logged step `hangAfter`. */
export async function runAndHang(
  dir: string,
  hangAfter: number,
  backend: BackendOptions,
  overrides: Partial<PretrainConfig> = {},
): Promise<void> {
  await initBackend(backend);
  const onStep: PretrainOptions['onStep'] = ({ step }) => {
    if (step === hangAfter) {
      process.stdout.write('hanging\n', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
    }
  };
  // The hang begins at the next turn of the event loop, which the training loop grants before each step.
  await pretrain(smallConfig(overrides), makeTracks(15), { dir, clock: () => performance.now(), onStep });
}
