/** Small grids with made-up numbers. */
import type * as m from '../../lib/src/experiments/index.js';

const base: m.Provenance = { preset: 'smoke', configId: '0123456789ab', backend: 'cpu' };
const interval = (estimate: number): m.Interval => ({ estimate, low: estimate - 0.05, high: estimate + 0.07 });
const encoder = (id: string): m.EncoderName => ({
  id,
  label: id.replace('-', ', '),
  patches: id.startsWith('square') ? 'square' : 'vertical',
  origin: id.endsWith('random') ? 'random' : 'pretrained',
  data: id.endsWith('random') ? null : 'embedded',
  variant: null,
});

const row = (name: string, more: Partial<m.GridRunRow>, valid: number): m.GridRunRow => ({
  name,
  width: 2048,
  layers: 1,
  dropout: 0.75,
  batchSize: 64,
  learningRate: 3e-4,
  weightDecay: 1e-5,
  isMixed: false,
  epoch: 3,
  valid,
  test: 1.1 * valid - 0.08,
  testTimbre: valid - 0.1,
  ...more,
});

const result = (run: string, score: number): m.GridResult => ({
  run,
  epoch: 3,
  weighted: interval(score - 0.02),
  weightedBothFifths: interval(score),
  accuracy: interval(score - 0.1),
});

function grid(name: m.GridName, wholeSize: number, runs: readonly m.GridRunRow[]): m.GridMeasurement {
  const chosen = runs.reduce((best, run) => (run.valid > best.valid ? run : best));
  const split = (id: m.TestSplit): m.GridSplit => ({
    split: id,
    n: 144,
    corrected: result(chosen.name, chosen[id]),
    asPublished: result(runs[0].name, chosen[id] + 0.05),
    difference: interval(0.05),
    rankCorrelation: id === 'test' ? interval(0.3) : null,
    reselected: interval(chosen[id] - 0.01),
    halves: { seen: 0.04, unseen: -0.01 },
  });
  return {
    ...base,
    grid: name,
    encoder: encoder('vertical-pretrained'),
    wholeSize,
    epochs: 30,
    trainClips: 1920,
    validTracks: 96,
    runs,
    chosen: chosen.name,
    sameChoice: 0.4,
    chosenEver: 3,
    splits: [split('test'), split('testTimbre')],
  };
}

export const grids = {
  architectures: grid('architectures', 28, [
    row('1024-d0.75', { width: 1024 }, 0.5),
    row('1024-d0.99', { width: 1024, dropout: 0.99 }, 0.55),
    row('2048-d0.75', {}, 0.52),
    row('1024-d0.75-1024', { width: 1024, layers: 2 }, 0.58),
  ]),
  trainings: grid('trainings', 160, [
    row('batch 64, rate 0.0003, decay 0.00001', {}, 0.5),
    row('batch 64, rate 0.0003, decay 0.00001, MixUp', { isMixed: true }, 0.56),
    row('batch 512, rate 0.003, decay 0.00001', { batchSize: 512, learningRate: 3e-3 }, 0.53),
  ]),
};

export const pitchAugmentation: m.PitchAugmentationMeasurement = {
  ...base,
  trainTracks: 96,
  trainClips: 192,
  semitones: [-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5],
  validTracks: 96,
  rows: ['vertical-pretrained', 'square-pretrained'].flatMap((id) =>
    (['linear', 'mlp'] as const).flatMap((method) =>
      (['test', 'testTimbre'] as const).map((split) => ({
        encoder: encoder(id),
        method,
        split,
        n: 144,
        seeds: 1,
        without: interval(0.4),
        with: interval(0.47),
        accuracyWithout: interval(0.3),
        accuracyWith: interval(0.35),
        difference: interval(0.07),
        pBootstrap: 0.02,
      })),
    ),
  ),
};
