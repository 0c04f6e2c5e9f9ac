import { describe, expect, it } from 'vitest';
import { type ExperimentPreset, gridConfigs, presetOf, wholeGrid } from '../../lib/src/experiments/index.js';
import { choiceNoise, splitNoise } from '../../lib/src/experiments/grid/gridNoise.js';
import type { Run } from '../../lib/src/experiments/index.js';
import { configId } from '../../lib/src/store/index.js';
import { createRng } from '../../lib/src/tensor/index.js';

describe('the grids of a preset', () => {
  it.each([
    ['smoke', 5, 4],
    ['laptop', 8, 12],
    ['study', 28, 160],
    ['paper', 28, 160],
  ] as const)(
    '%s has %i architectures and %i trainings, all of the paper’s grids',
    (name, nArchitectures, nTrainings) => {
      const preset = presetOf(name);
      for (const [grid, size, wholeSize] of [
        ['architectures', nArchitectures, 28],
        ['trainings', nTrainings, 160],
      ] as const) {
        const whole = wholeGrid(preset, grid).map((config) => configId(config));
        const own = gridConfigs(preset, grid).map((config) => configId(config));
        expect(whole).toHaveLength(wholeSize);
        expect(own).toHaveLength(size);
        expect(new Set(own).size).toBe(size);
        expect(own.every((id) => whole.includes(id))).toBe(true);
      }
    },
  );

  it('the trainings all have the published Billboard head, and the paper’s preset its 100 epochs', () => {
    const trainings = gridConfigs(presetOf('paper'), 'trainings');
    expect(trainings.every(({ hidden }) => hidden.join() === '2048,d0.75')).toBe(true);
    expect(trainings.every(({ epochs }) => epochs === 100)).toBe(true);
  });

  it('an architecture that is none of the paper’s is refused by name', () => {
    const smoke = presetOf('smoke');
    const strange: ExperimentPreset = { ...smoke, grid: { ...smoke.grid, architectures: ['1024-d0.5'] } };
    expect(() => gridConfigs(strange, 'architectures')).toThrow(/"1024-d0.5" found; expected names such as 1024-d0.75/);
  });
});

describe('how noisy a choice is', () => {
  const run = { preset: { resamples: 400 } } as unknown as Run;
  const rng = createRng(5);
  /** Scores [run][track] around the quality of each run. */
  const scores = (qualities: readonly number[], nTracks: number, noise: number): Float64Array[] =>
    qualities.map((quality) => Float64Array.from({ length: nTracks }, () => quality + noise * rng.normal()));

  it('is none at all where one run is better on every track', () => {
    const qualities = [0.1, 0.2, 0.3, 0.4, 0.9];
    const [valid, test] = [scores(qualities, 40, 0.01), scores(qualities, 60, 0.01)];
    const { choices, sameChoice, chosenEver } = choiceNoise(run, valid, 4);
    expect([sameChoice, chosenEver]).toEqual([1, 1]);
    const { rankCorrelation, reselected, halves } = splitNoise(run, valid, test, 4, choices);
    expect(rankCorrelation!.estimate).toBe(1);
    expect(reselected.low).toBe(reselected.high);
    expect(halves).toEqual({ seen: 0, unseen: 0 });
  });

  it('where all runs are the same, choosing by half of test gains on that half alone', () => {
    const equal = Array.from({ length: 40 }, () => 0.5);
    const [valid, test] = [scores(equal, 60, 0.4), scores(equal, 100, 0.4)];
    const { choices, chosenEver } = choiceNoise(run, valid, 0);
    expect(chosenEver).toBeGreaterThan(8);
    const { rankCorrelation, halves } = splitNoise(run, valid, test, 0, choices);
    expect(rankCorrelation!.low).toBeLessThan(0);
    expect(rankCorrelation!.high).toBeGreaterThan(0);
    // The best of 40 means of 50 tracks lies about 2.2 standard errors (.4 / sqrt(50) = .057) above run 0's mean.
    expect(halves.seen).toBeGreaterThan(0.05);
    expect(halves.unseen).toBeLessThan(halves.seen / 2);
  });
});
