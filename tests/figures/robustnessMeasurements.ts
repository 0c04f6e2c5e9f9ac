/** Small measurements of notebook 08 with made-up numbers, enough for every branch of every figure. */
import type * as m from '../../lib/src/experiments/index.js';

const base: m.Provenance = { preset: 'smoke', configId: '0123456789ab', backend: 'cpu' };
const interval = (estimate: number): m.Interval => ({ estimate, low: estimate - 0.05, high: estimate + 0.07 });

const systems: readonly m.RobustnessSystem[] = [
  { id: 'template-edma', label: 'edma template', family: 'template', method: 'template', patches: null, seeds: 1, isDrawn: true },
  { id: 'template-bgate', label: 'bgate template', family: 'template', method: 'template', patches: null, seeds: 1, isDrawn: false },
  { id: 'vertical-random-linear', label: 'vertical, random, linear probe', family: 'random', method: 'linear', patches: 'vertical', seeds: 3, isDrawn: true },
  { id: 'vertical-pretrained-linear', label: 'vertical, pretrained, linear probe', family: 'pretrained', method: 'linear', patches: 'vertical', seeds: 3, isDrawn: true },
  { id: 'square-pretrained-linear', label: 'square, pretrained, linear probe', family: 'pretrained', method: 'linear', patches: 'square', seeds: 3, isDrawn: true },
  { id: 'vertical-pretrained-mlp', label: 'vertical, pretrained, MLP probe', family: 'pretrained', method: 'mlp', patches: 'vertical', seeds: 3, isDrawn: true },
]; // prettier-ignore
const described = ({ id, ...system }: m.RobustnessSystem): m.Described => ({ system: id, ...system });
const axes: readonly m.StrengthAxis[] = [
  { id: 'gain', name: 'Gain', axisLabel: 'Gain (dB)', unit: 'dB', scale: 'linear', strengths: [-10, 5], positions: [-10, 5], clean: { position: 0, isNeutral: true } },
  { id: 'whiteNoise', name: 'White noise', axisLabel: 'Signal-to-noise ratio (dB)', unit: 'dB', scale: 'linear', strengths: [40, 0], positions: [-40, 0], clean: { position: -80, isNeutral: false } },
  { id: 'lowPass', name: 'Low-pass', axisLabel: 'Low-pass cut-off (Hz)', unit: 'Hz', scale: 'log', strengths: [4000, 500], positions: [-12, -9], clean: { position: -13, isNeutral: true } },
  { id: 'timeStretch', name: 'Time stretch', axisLabel: 'Time stretch (length ratio)', unit: 'ratio', scale: 'log', strengths: [0.5, 2], positions: [-1, 1], clean: { position: 0, isNeutral: true } },
]; // prettier-ignore
const bothSplits = ['test', 'testTimbre'] as const;
export const robustness: m.RobustnessMeasurement = {
  ...base,
  systems,
  nTracks: { test: 48, testTimbre: 24 },
  clips: 2,
  chance: 0.0833,
  axes,
  clean: bothSplits.flatMap((split) =>
    systems.map(({ id }, i) => ({
      system: id,
      split,
      n: 48,
      weighted: interval(0.7 - i / 10),
      weightedBothFifths: interval(0.72 - i / 10),
      accuracy: interval(0.6 - i / 10),
    })),
  ),
  curves: bothSplits.flatMap((split) =>
    systems.flatMap(({ id }, i) =>
      axes.map((one) => ({
        system: id,
        split,
        augmentation: one.id,
        weighted: [interval(0.6 - i / 10), interval(0.4 - i / 20)],
        weightedBothFifths: [interval(0.6), interval(0.4)],
        accuracy: [interval(0.5), interval(0.3)],
        change: [interval(-0.1), interval(-0.3)],
      })),
    ),
  ),
  summaries: bothSplits.flatMap((split) =>
    systems.flatMap(({ id }, i) =>
      axes.map((one, a) => ({
        system: id,
        split,
        augmentation: one.id,
        area: interval(0.4),
        loss: interval(0.1),
        p: 0.01,
        pHolm: a === 1 ? 0.02 : 0.4,
        retained: i === 2 ? null : interval(0.8 - a / 10),
        halves: [
          { side: 'left' as const, strength: i === 2 ? null : ([-7, 'before', 1230, 'beyond'] as const)[a], low: null, high: null },
        ], // prettier-ignore
      })),
    ),
  ),
  pairs: bothSplits.flatMap((split) =>
    axes.map((one, a) => ({
      a: 'vertical-pretrained-linear',
      b: 'template-edma',
      split,
      augmentation: one.id,
      lossDifference: interval(-0.1 + a / 10),
      p: 0.01,
      pHolm: a === 0 ? 0.01 : 0.3,
      retainedDifference: null,
      pRetained: null,
      pRetainedHolm: null,
    })),
  ),
};
export const strengths: m.StrengthMeasurement = {
  ...base,
  track: 't1',
  seconds: 5,
  rows: [
    { augmentation: 'gain', name: 'Gain', quantity: 'change of level', unit: 'dB', signal: 'track', asked: -10, measured: -10.01, tolerance: 0.05 },
    { augmentation: 'mp3', name: 'MP3 round trip', quantity: 'signal-to-noise ratio left', unit: 'dB', signal: 'track', asked: 24, measured: 13.7, tolerance: null },
  ], // prettier-ignore
};
export const equivariance: m.EquivarianceMeasurement = {
  ...base,
  nTracks: { test: 48, testTimbre: 24 },
  curves: bothSplits.flatMap((split) =>
    systems.map((system, i) => ({
      ...described(system),
      split,
      semitones: [-1, 1, 2],
      moves: [0.9, 0.8, 0.5].map((share) => interval(share - i / 10)),
      stays: [0.1, 0.1, 0.2].map(interval),
      unrelated: [0.04, 0.05, 0.04],
      correlation: [0.9, 0.8, 0.6].map(interval),
    })),
  ),
  points: bothSplits.flatMap((split) =>
    systems.map((system, i) => ({
      ...described(system),
      seed: 0,
      split,
      moves: 0.9 - i / 10,
      correlation: 0.9,
      score: interval(0.7 - i / 10),
    })),
  ),
  ranks: [
    { split: 'test', over: 'all probes', n: 6, moves: 0.8, correlation: 0.7 },
    { split: 'testTimbre', over: 'all probes', n: 6, moves: null, correlation: null },
  ],
};
export const averaging: m.TestTimeMeasurement = {
  ...base,
  nTracks: { test: 48, testTimbre: 24 },
  copies: [1, 3],
  rows: bothSplits.flatMap((split) =>
    systems.map((system, i) => ({
      ...described(system),
      split,
      averaging: 'probabilities' as const,
      weighted: [interval(0.6 - i / 10), interval(0.65 - i / 10)],
      accuracy: [interval(0.5), interval(0.55)],
      difference: interval(0.05),
      p: 0.01,
      pHolm: 0.05,
      otherDifference: interval(0.04),
    })),
  ),
};
export const confidence: m.ConfidenceMeasurement = {
  ...base,
  rows: bothSplits.flatMap((split) =>
    systems
      .filter(({ isDrawn }) => isDrawn)
      .map((system, i) => ({
        ...described(system),
        split,
        n: 144,
        seeds: 3,
        temperature: 1.5,
        eceRaw: 0.2,
        ece: 0.08,
        eceHonest: 0.1,
        bins: [
          { confidence: 0.3, accuracy: 0.2, count: 72 },
          { confidence: 0.8, accuracy: 0.7, count: 72 },
        ],
        auroc: i === 0 ? null : interval(0.7),
        coverage: [0.5, 1],
        weighted: [interval(0.8 - i / 10), interval(0.6 - i / 10)],
        accuracy: [interval(0.7), interval(0.5)],
        gainAtHalf: interval(0.2),
        p: 0.001,
        pHolm: 0.005,
      })),
  ),
  degraded: systems
    .filter(({ isDrawn }) => isDrawn)
    .flatMap(({ id }) => [
      { system: id, split: 'test' as const, augmentation: 'clean', strength: null, confidence: 0.6, accuracy: 0.55 },
      { system: id, split: 'test' as const, augmentation: 'whiteNoise', strength: 0, confidence: 0.5, accuracy: 0.2 },
    ]),
};
