/** Shifted copies of tracks: which jobs ask for them, and that the files hold the shifted sound. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { applyAugmentation } from '../../lib/src/audio/index.js';
import { trackAudio } from '../../lib/src/corpus/index.js';
import { openRun, type Run } from '../../lib/src/experiments/index.js';
import { featureTask } from '../../lib/src/experiments/features/featureTask.js';
import { featurePlan, readMelShard, shiftedShards } from '../../lib/src/experiments/features/features.js';
import { jobsOf, pretrainingUnit } from '../../lib/src/experiments/pretraining/pretraining.js';
import { melSpectrogram } from '../../lib/src/mel/index.js';
import { createRng } from '../../lib/src/tensor/index.js';

const root = mkdtempSync(join(tmpdir(), 'shifted-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const open = (preset: string): Promise<Run> => openRun(preset, { root, cacheDir: join(root, preset) });

describe('shifted copies', () => {
  it('are made of the train split, for a preset whose jobs ask for them', async () => {
    const study = await open('study');
    const units = featurePlan(study, ['train', 'valid']).units.filter(({ item }) => 'copies' in item);
    expect(units).toHaveLength(20);
    const made = new Set(units.flatMap(({ makes = [] }) => makes));
    expect(made.size).toBe(6 * 20);
    const smoke = await open('smoke');
    expect(featurePlan(smoke, ['train', 'valid']).units.some(({ item }) => 'copies' in item)).toBe(false);
  });

  it('are read by those jobs alone, which wait for them', async () => {
    const study = await open('study');
    for (const job of jobsOf(study)) {
      const { melPaths, shifted = [] } = pretrainingUnit(study, job);
      expect(shifted.map(({ semitones }) => semitones)).toEqual(job.config.pitchShifts);
      for (const copy of shifted) expect(copy.melPaths).toHaveLength(melPaths.length);
    }
  });

  it('hold the mel of the shifted audio, in track order', async () => {
    const smoke = await open('smoke');
    const [{ tracks, copies }] = shiftedShards(smoke, 'train', [-3, 5]);
    const two = { tracks: tracks.slice(0, 2), copies };
    const counters = new Int32Array(new SharedArrayBuffer(8));
    await featureTask({ counters })({ unit: 0, item: two, weight: 6 });
    expect(counters[1]).toBe(6);
    for (const { semitones, melPath } of copies) {
      const stored = readMelShard(melPath);
      expect(stored.map(({ id }) => id)).toEqual(two.tracks.map(({ id }) => id));
      const samples = await trackAudio(two.tracks[1]);
      const shifted = await applyAugmentation(samples, { id: 'pitchShift', strength: semitones }, createRng(0));
      expect(stored[1].mel).toEqual(melSpectrogram(shifted));
      expect(stored[1].mel.nFrames).toBe(melSpectrogram(samples).nFrames);
    }
  });
});
