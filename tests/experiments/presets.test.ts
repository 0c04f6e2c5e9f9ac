import { describe, expect, it } from 'vitest';
import { encodersOf, presetOf, pretrainingJobs } from '../../lib/src/experiments/index.js';

describe('presets', () => {
  it('names the four in the error for a fifth', () => {
    expect(() => presetOf('desktop')).toThrow('preset: "desktop" found; expected one of smoke, laptop, study, paper');
    expect(() => presetOf('toString')).toThrow('expected one of');
  });

  it.each([
    ['smoke', 2, 4],
    ['laptop', 4, 6],
    // 3 seeds x (3 patch variants + one clip a track + views anywhere + 10 ablations); log mel has a random twin too
    ['study', 45, 57],
  ] as const)('%s has %i pretraining jobs and %i encoders without recordings', (name, nJobs, nEncoders) => {
    const preset = presetOf(name);
    expect(pretrainingJobs(preset, false)).toHaveLength(nJobs);
    expect(encodersOf(preset, false)).toHaveLength(nEncoders);
  });

  it('the study adds real-only and both, three seeds each, when there are recordings', () => {
    const jobs = pretrainingJobs(presetOf('study'), true);
    expect(jobs).toHaveLength(51);
    expect(jobs.filter((job) => job.data === 'real').map((job) => job.seed)).toEqual([0, 1, 2]);
    expect(jobs.filter((job) => job.data === 'both').every((job) => job.name.id === 'vertical-both')).toBe(true);
  });

  it('names differ where configurations differ', () => {
    const jobs = pretrainingJobs(presetOf('study'), true);
    expect(new Set(jobs.map((job) => `${job.name.id}/${job.seed}`)).size).toBe(jobs.length);
    expect(new Set(jobs.map((job) => JSON.stringify([job.config, job.data]))).size).toBe(jobs.length);
  });

  it('vertical and square get the same budget', () => {
    for (const name of ['smoke', 'laptop', 'study', 'paper']) {
      const [vertical, square] = ['vertical', 'square'].map((patches) =>
        pretrainingJobs(presetOf(name), false).find((job) => job.name.patches === patches)!,
      );
      expect({ ...square.config, encoder: null }).toEqual({ ...vertical.config, encoder: null });
    }
  });

  it('a random encoder has the seed and configuration of its pretrained twin', () => {
    const encoders = encodersOf(presetOf('study'), false);
    for (const { name, seed, config } of encoders.filter((one) => one.name.id.endsWith('-pretrained'))) {
      const twin = encoders.find((one) => !one.job && one.seed === seed && one.name.patches === name.patches);
      expect(twin?.config).toEqual(config);
    }
  });
});
