import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedCorpus } from '../../lib/src/corpus/index.js';
import { augmentedPlan } from '../../lib/src/experiments/augmented/augmentedTables.js';
import { embeddingPlan } from '../../lib/src/experiments/features/embeddingTables.js';
import { featurePlan } from '../../lib/src/experiments/features/features.js';
import * as experiments from '../../lib/src/experiments/index.js';
import { pretrainingPlan } from '../../lib/src/experiments/pretraining/pretraining.js';
import { runStages } from '../../lib/src/experiments/run/stages.js';
import { Cache } from '../../lib/src/store/index.js';

let root: string;
let run: experiments.Run;
const seen: string[] = [];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'keymyna-stages-'));
  const smoke = await experiments.openRun('smoke', {
    root,
    cacheDir: join(root, 'cache'),
    threads: 1,
    onProgress: (stage, done, total) => seen.push(`${stage} ${done}/${total}`),
  });
  const corpus = { ...smoke.preset.corpus, sizes: { train: 6, valid: 3, test: 3, testTimbre: 3 } };
  const preset: experiments.ExperimentPreset = {
    ...smoke.preset,
    corpus,
    pretraining: {
      ...smoke.preset.pretraining,
      steps: 4,
      batchPairs: 4,
      warmUpSteps: 1,
      snapshotSteps: [2],
      checkpointEverySteps: 2,
    },
    probes: { ...smoke.preset.probes, mlp: [{ hidden: [8], epochs: 2 }], seeds: [0, 1] },
    augmented: {
      clips: 1,
      seeds: [0],
      tracks: { train: 1, valid: 1, test: 1, testTimbre: 1 },
      strengths: 1,
      semitones: [1],
    },
    resamples: 50,
  };
  run = { ...smoke, preset, corpus: embeddedCorpus(corpus) };
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Every file of a cache, by its path inside, with what `of` says of it. */
function filesOf<T>(cache: string, of: (path: string) => T): Map<string, T> {
  const paths = existsSync(cache) ? readdirSync(cache, { recursive: true, withFileTypes: true }) : [];
  return new Map(
    paths
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [relative(cache, path), of(path)]),
  );
}

/** Every file of the run's cache with its time of change. */
const files = (): Map<string, number> => filesOf(join(root, 'cache'), (path) => statSync(path).mtimeMs);

describe('the stages of a preset', () => {
  it('stop when asked to, keep what is whole, and go on', async () => {
    const stop = new AbortController();
    const stopping: experiments.Run = { ...run, options: { ...run.options, signal: stop.signal } };
    stop.abort(new Error('enough'));
    await expect(experiments.runStageOf(stopping, 'features')).rejects.toThrow('enough');
    await experiments.runStageOf(run, 'features');
    expect(experiments.loadMels(run, 'train').map(({ id }) => id)).toEqual(
      run.corpus.tracks.filter((track) => track.split === 'train').map(({ id }) => id),
    );
  });

  it('overlap on threads that they share, in the order of what they read, and leave the same tables', async () => {
    for (const stage of ['pretraining', 'embeddings', 'augmented'] as const) await experiments.runStageOf(run, stage);
    const cache = new Cache(join(root, 'overlapping'));
    const told: string[] = [];
    const onProgress = (stage: string, done: number, total: number) => void (done === total && told.push(stage));
    const beside = { ...run, cache, options: { ...run.options, threads: 2, onProgress } };
    const sets = ['train', 'valid', 'test', 'testTimbre'] as const;
    const plans = () => [
      featurePlan(beside, sets),
      pretrainingPlan(beside),
      embeddingPlan(beside),
      augmentedPlan(beside),
    ];
    const seconds = await runStages(beside, plans());
    expect(seconds.every((stage) => stage > 0)).toBe(true);
    expect(told).toEqual(['features', 'pretraining', 'embeddings', 'augmented']);
    const tensors = (path: string) => (path.endsWith('.safetensors') ? readFileSync(path).toString('base64') : null);
    expect(filesOf(cache.root, tensors)).toEqual(filesOf(run.cache.root, tensors));
    expect(await runStages(beside, plans())).toEqual([0, 0, 0, 0]);
  });

  it('run one after the other, and a second time do nothing', async () => {
    // The analyses after these ask for more tracks than this corpus has.
    const stages = ['features', 'pretraining', 'embeddings', 'augmented', 'probes'] as const;
    for (const stage of stages) await experiments.runStageOf(run, stage);
    const before = files();
    expect([...before.keys()].filter((path) => path.includes('.tmp'))).toEqual([]);
    for (const stage of stages) await experiments.runStageOf(run, stage);
    expect(files()).toEqual(before);
    expect(seen.some((line) => line.startsWith('pretraining 8/8'))).toBe(true);
  });

  it('leave what the measurements read: curves of both encoders, rows of all systems, flaws', async () => {
    const curves = await experiments.trainingCurves(run);
    expect(curves.curves.map((curve) => [curve.encoder.id, curve.step])).toEqual([
      ['vertical-pretrained', [1, 2, 3, 4]],
      ['square-pretrained', [1, 2, 3, 4]],
    ]);
    const snapshots = await experiments.snapshotScores(run);
    expect(snapshots.curves.map((curve) => curve.step)).toEqual([
      [0, 2, 4],
      [0, 2, 4],
    ]);

    const { rows } = await experiments.comparison(run);
    expect(rows).toHaveLength(2 * (4 + 2 + 4 * 3)); // splits x (templates, plain probes, encoders x (linear, layer, mlp))
    for (const row of rows) {
      expect(row.n).toBe(3);
      expect(Object.values(row.shares).reduce((a, b) => a + b)).toBeCloseTo(1, 4);
      expect(row.weighted.low).toBeLessThanOrEqual(row.weighted.estimate);
      expect(row.weighted.high).toBeGreaterThanOrEqual(row.weighted.estimate);
    }
    const protocol = await experiments.protocol(run);
    const byTest = protocol.rows.filter((row) => row.flaw.includes('chosen by test'));
    expect(byTest).toHaveLength(2);
    const pairwise = await experiments.pairwise(run);
    expect(pairwise.rows.length).toBeGreaterThan(10);
    const layers = await experiments.layerScores(run);
    expect(layers.curves.map((curve) => curve.layer)).toEqual(Array.from({ length: 4 }, () => [0, 1, 2, 3]));
    const confusion = await experiments.confusion(run, 'vertical-pretrained-linear', 'test');
    expect(confusion.counts.flat().reduce((a, b) => a + b)).toBe(3 * confusion.seeds);
    await expect(experiments.confusion(run, 'nobody', 'test')).rejects.toThrow('expected one of template-');
  });

  it('the random encoder is where pretraining begins', async () => {
    const encoders = experiments.encodersOf(run.preset, false);
    const pretrained = encoders.find((encoder) => encoder.name.id === 'vertical-pretrained')!;
    expect(experiments.checkpointOf(run, encoders[0])).toBeNull();
    expect(existsSync(experiments.checkpointOf(run, pretrained)!)).toBe(true);
    expect(existsSync(experiments.checkpointOf(run, pretrained, 2)!)).toBe(true);
  });
});
