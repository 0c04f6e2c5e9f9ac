import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyAugmentation } from '../../lib/src/audio/index.js';
import { embeddedCorpus } from '../../lib/src/corpus/index.js';
import * as experiments from '../../lib/src/experiments/index.js';
import { loadTable } from '../../lib/src/experiments/features/embeddingTables.js';
import { pairTables } from '../../lib/src/maps/index.js';
import { createRng } from '../../lib/src/tensor/index.js';

const { presetOf, mapChains, robustnessChains, augmentedChains, chainName, chainShift } = experiments;

describe('chains', () => {
  const laptop = presetOf('laptop');

  it('are clean + 15 augmentations + 12 shifts + 4 compositions for maps', () => {
    expect(mapChains(laptop)).toHaveLength(1 + 15 + 12 + 4);
  });

  it('are clean + 15 x 3 strengths + 12 shifts for robustness, x 4 with the paper', () => {
    expect(robustnessChains(laptop)).toHaveLength(1 + 15 * 3 + 12);
    expect(robustnessChains(presetOf('paper'))).toHaveLength(1 + 15 * 4 + 12);
  });

  it.each(['smoke', 'laptop', 'study', 'paper'])(
    '%s: no chain and no name twice, every one can be applied',
    async (name) => {
      const rng = createRng(0);
      for (const split of ['train', 'test', 'testTimbre'] as const) {
        const chains = augmentedChains(presetOf(name), split);
        expect(new Set(chains.map(chainName)).size).toBe(chains.length);
        for (const augmentation of chains.flat()) await applyAugmentation(new Float32Array(8), augmentation, rng);
      }
    },
  );

  it('move the key by the sum of their semitones', () => {
    expect(chainShift([])).toBe(0);
    expect(
      chainShift([
        { id: 'pitchShift', strength: -2 },
        { id: 'lowPass', strength: 2000 },
        { id: 'pitchShift', strength: 5 },
      ]),
    ).toBe(3);
  });

  it('leave compositions out whose shift the preset does not have', () => {
    const augmented = { ...laptop.augmented, semitones: [-1, 1] };
    expect(mapChains({ ...laptop, augmented })).toHaveLength(1 + 15 + 2 + 3);
  });
});

describe('augmented tables', () => {
  let root: string;
  let run: experiments.Run;
  const tracks = { train: 2, valid: 1, test: 1, testTimbre: 1 };

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'keymyna-augmented-'));
    const smoke = await experiments.openRun('smoke', { root, cacheDir: join(root, 'cache'), threads: 1 });
    const corpus = { ...smoke.preset.corpus, sizes: { train: 4, valid: 2, test: 2, testTimbre: 2 } };
    const preset: experiments.ExperimentPreset = {
      ...smoke.preset,
      corpus,
      pretraining: { ...smoke.preset.pretraining, steps: 1, batchPairs: 4, warmUpSteps: 0, snapshotSteps: [] },
      augmented: { clips: 2, seeds: [0], tracks, strengths: 1, semitones: [-1, 2] },
    };
    run = { ...smoke, preset, corpus: embeddedCorpus(corpus) };
    for (const stage of ['features', 'pretraining', 'embeddings'] as const) await experiments.runStageOf(run, stage);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('say that the stage has not run, or that there is no such chain', () => {
    const [encoder] = experiments.augmentedEncoders(run);
    expect(() => experiments.loadAugmented(run, encoder, 'test', [])).toThrow("the stage 'augmented' has not run");
    const chain = [{ id: 'gain', strength: 3 }] as const;
    expect(() => experiments.loadAugmented(run, encoder, 'test', chain)).toThrow(
      'Gain +3 dB: the preset has no such chain',
    );
  });

  it('have the same clips under every chain, for three encoders, and are not made twice', async () => {
    await experiments.runStageOf(run, 'augmented');
    const files = readdirSync(join(root, 'cache', 'augmented'));
    await experiments.runStageOf(run, 'augmented');
    expect(readdirSync(join(root, 'cache', 'augmented'))).toEqual(files);
    const encoders = experiments.augmentedEncoders(run);
    expect(encoders.map(({ name }) => name.id).sort()).toEqual([
      'square-pretrained',
      'vertical-pretrained',
      'vertical-random',
    ]);
    for (const encoder of encoders)
      for (const split of ['train', 'testTimbre'] as const) {
        const clean = experiments.loadAugmented(run, encoder, split, []);
        expect(clean.nClips).toBe(2 * tracks[split]);
        for (const chain of augmentedChains(run.preset, split)) {
          const pairs = pairTables(clean, experiments.loadAugmented(run, encoder, split, chain));
          expect(pairs.n).toBe(clean.nClips);
        }
      }
    expect(experiments.loadAugmentedChroma(run, 'train', [])).toHaveLength(2);
  });

  it('are, clean, the embeddings of the whole track but for the frame at the cut', () => {
    const encoder = experiments.augmentedEncoders(run).find(({ name }) => name.id === 'vertical-pretrained')!;
    const clean = experiments.loadAugmented(run, encoder, 'train', []);
    const whole = loadTable(run, encoder, 'train');
    expect(whole.trackIds.slice(0, 2)).toEqual(clean.trackIds);
    for (let i = 0; i < clean.width; i++) expect(clean.embeddings[i]).toBeCloseTo(whole.embeddings[i], 5);
  });

  it('keep the place in the music when it is stretched', () => {
    const encoder = experiments.augmentedEncoders(run).find(({ name }) => name.id === 'vertical-random')!;
    const clean = experiments.loadAugmented(run, encoder, 'train', []);
    const stretched = experiments.loadAugmented(run, encoder, 'train', [{ id: 'timeStretch', strength: 1.25 }]);
    const distance = (a: number, b: number): number =>
      Math.hypot(...Array.from({ length: clean.width }, (_, i) => clean.embeddings[a * clean.width + i] - stretched.embeddings[b * clean.width + i])); // prettier-ignore
    expect(distance(1, 1)).toBeLessThan(distance(1, 0));
    expect(distance(0, 0)).toBeLessThan(distance(0, 1));
  });
});
