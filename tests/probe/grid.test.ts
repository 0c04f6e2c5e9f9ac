import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildTable } from '../../lib/src/embeddings/index.js';
import { scoreKeys } from '../../lib/src/keys/index.js';
import {
  architectureGrid,
  evaluateProbe,
  gridChoice,
  type GridData,
  gridDataId,
  gridRuns,
  type ProbeConfig,
  probeConfig,
  type ProbeData,
  publishedClaims,
  readGridTests,
  runGrid,
  trainingGrid,
  trainProbe,
} from '../../lib/src/probe/index.js';
import { configId } from '../../lib/src/store/index.js';
import { createRng, initBackend, type Rng } from '../../lib/src/tensor/index.js';

const folder = mkdtempSync(join(tmpdir(), 'grid-'));
beforeAll(async () => {
  await initBackend({ prefer: 'wasm' });
});
afterAll(() => rmSync(folder, { recursive: true }));

const WIDTH = 16;

function synthetic(rng: Rng, nTracks: number, signal: number, prefix: string): ProbeData {
  const directions = createRng('directions of the keys');
  const centres = Float32Array.from({ length: 24 * WIDTH }, () => directions.normal());
  const keyOfTrack = Int32Array.from({ length: nTracks }, (_, i) => i % 24);
  const rows = Array.from(keyOfTrack, (keyId) =>
    Float32Array.from({ length: 2 * WIDTH }, (_, i) => signal * centres[keyId * WIDTH + (i % WIDTH)] + rng.normal()),
  );
  return {
    table: buildTable(
      Array.from(keyOfTrack, (_, i) => `${prefix}${i}`),
      rows,
      WIDTH,
    ),
    keyOfTrack,
  };
}

function gridData(signal: number, seed: number): GridData {
  const rng = createRng(seed);
  const [train, valid, held] = (
    [
      ['a', 144],
      ['b', 72],
      ['c', 96],
    ] as const
  ).map(([prefix, n]) => synthetic(rng, n, signal, prefix));
  return { train, valid, tests: { test: held } };
}

const configs: Partial<ProbeConfig>[] = [
  { hidden: [24, 'd0.5'] },
  { hidden: [48, 'd0.9', 32], mixUp: { alpha: 2, beta: 5 } },
  { hidden: [] },
  { hidden: [], learningRate: 1e-5 },
].map((config) => ({ learningRate: 1e-2, ...config, hidden: config.hidden as ProbeConfig['hidden'], epochs: 6 }));
const ids = configs.map((config) => configId(probeConfig(config)));
const dir = (name: string): string => join(folder, name);

test('the published grids have 28 and 160 runs, and share one', () => {
  const [architectures, trainings] = [architectureGrid(), trainingGrid({ hidden: [4096, 'd0.99', 4096] })];
  expect([architectures.length, trainings.length]).toEqual([28, 160]);
  expect(architectures.filter(({ hidden }) => hidden.length === 2)).toHaveLength(16);
  expect(architectures.filter(({ hidden }) => hidden.length === 3 && hidden[0] !== 8192)).toHaveLength(12);
  expect(trainings.filter(({ mixUp }) => mixUp !== null)).toHaveLength(80);
  expect(new Set([...architectures, ...trainings].map((config) => configId(config))).size).toBe(187);
});

describe('a grid', () => {
  const data = gridData(1, 1);

  test('gives the same files with one thread as with two, and each run is what trainProbe gives', async () => {
    const progress: [number, number, string?][] = [];
    const one = await runGrid(configs, data, { dir: dir('one'), threads: 1 });
    const two = await runGrid(configs, data, {
      dir: dir('two'),
      threads: 2,
      onProgress: (...said) => progress.push(said),
    });
    expect(two).toEqual(one);
    expect(one.map((run) => run.configId)).toEqual(ids);
    const names = readdirSync(dir('one')).sort();
    expect(names).toEqual(ids.flatMap((id) => [`${id}.json`, `${id}.test.json`]).sort());
    for (const name of names)
      expect(readFileSync(join(dir('one'), name))).toEqual(readFileSync(join(dir('two'), name)));
    expect(progress[0]).toEqual([0, 24, '0 of 4 runs']);
    expect(progress.at(-1)).toEqual([24, 24, '4 of 4 runs']);

    const probe = await trainProbe(configs[1], { train: data.train, valid: data.valid });
    const { history, epoch, estimated, score } = one[1];
    expect({ history, epoch }).toEqual({ history: probe.history, epoch: probe.epoch });
    expect(estimated).toEqual(Array.from(probe.decide(data.valid.table).estimated));
    expect(score).toEqual(evaluateProbe(probe, data.valid).score);
    const tests = readGridTests(dir('one'), one[1]).splits.test;
    expect(tests.estimated).toEqual(evaluateProbe(probe, data.tests!.test).rows.map((row) => row.estimatedKey));
    // The published flaw cannot score less on the split that it chooses by.
    const weighted = (keys: readonly number[]): number =>
      scoreKeys(data.tests!.test.keyOfTrack, keys).weightedBothFifths;
    expect(weighted(tests.chosenByTest.estimated)).toBeGreaterThanOrEqual(weighted(tests.estimated));
  });

  test('goes on run by run, and refuses to choose while one is missing', async () => {
    const path = (i: number): string => join(dir('one'), `${ids[i]}.json`);
    const before = readFileSync(path(1));
    const kept = statSync(path(0)).mtimeMs;
    rmSync(path(1));
    expect(() => gridChoice(configs, data, dir('one'))).toThrow(`1 of 4 runs are missing (${ids[1]})`);
    await runGrid(configs, data, { dir: dir('one'), threads: 2 });
    expect(readFileSync(path(1))).toEqual(before);
    expect(statSync(path(0)).mtimeMs).toBe(kept);
  });

  test('chooses on validation and then reads test of the chosen run only', () => {
    const runs = gridRuns(configs, dir('one'), gridDataId(data));
    const { best, tests } = gridChoice(configs, data, dir('one'), { resamples: 100 });
    const scores = runs.map(({ score }) => score.weightedBothFifths);
    expect(best.configId).toBe(ids[scores.indexOf(Math.max(...scores))]);
    expect(tests.test.score.n).toBe(96);
    expect(tests.test.intervals.weighted.resamples).toBe(100);
    // The others' test files may be anything.
    for (const id of ids) if (id !== best.configId) writeFileSync(join(dir('two'), `${id}.test.json`), 'unreadable');
    expect(gridChoice(configs, data, dir('two'), { resamples: 100 }).best.configId).toBe(best.configId);
  });

  test('a file that was changed, cut or copied is named with the field, and what to do', async () => {
    const some = configs.slice(0, 1);
    await runGrid(some, data, { dir: dir('files'), threads: 1 });
    const paths = [`${ids[0]}.json`, `${ids[0]}.test.json`].map((name) => join(dir('files'), name));
    const whole = paths.map((path) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, never>);
    const split = whole[1].splits['test'] as object;
    const broken: [number, object, RegExp][] = [
      [0, { configId: ids[1] }, /configId is "\w+"; expected "\w+", as the file is named/],
      [0, { config: { ...(whole[0].config as object), epochs: 7 } }, /config is "\w+"; expected the configuration/],
      [0, { config: { epochz: 7 } }, /config is {"epochz":7}; expected/],
      [0, { history: [] }, /history is \[\]; expected one entry an epoch/],
      [0, { history: [{ epoch: 0, trainLoss: 'low' }] }, /history\[0\]\.trainLoss is "low"; expected a number/],
      [0, { epoch: 6 }, /epoch is 6; expected a whole number from 0 to 5/],
      [0, { estimated: [3, 24] }, /estimated is \[3,24\]; expected key ids from 0 to 23/],
      [0, { score: { ...(whole[0].score as object), accuracy: 1.2 } }, /score\.accuracy is 1\.2; expected/],
      [0, { score: undefined }, /score is nothing; expected an object/],
      [1, { splits: { test: { ...split, chosenByTest: null } } }, /splits\.test\.chosenByTest is null; expected/],
      [1, { splits: { test: { ...split, estimated: [] } } }, /splits\.test\.estimated is \[\]; expected key ids/],
    ];
    for (const [file, change, sentence] of broken) {
      writeFileSync(paths[file], JSON.stringify({ ...whole[file], ...change }));
      const choose = () => gridChoice(some, data, dir('files'), { resamples: 1 });
      expect(choose).toThrow(sentence);
      expect(choose).toThrow(/\.json: .* Delete the file and run the grid again$/);
      writeFileSync(paths[file], JSON.stringify(whole[file]));
    }
    expect(gridChoice(some, data, dir('files'), { resamples: 1 }).best.configId).toBe(ids[0]);
  });

  test('choosing by test claims the best score on test that any run ever had, and never less than validation', async () => {
    await runGrid(configs, data, { dir: dir('claims'), threads: 2 });
    const choice = gridChoice(configs, data, dir('claims'), { resamples: 10 });
    const { test: claim } = publishedClaims(choice, data, dir('claims'), { resamples: 10 });
    const everSaid = choice.runs.map(
      (run) =>
        scoreKeys(data.tests!.test.keyOfTrack, readGridTests(dir('claims'), run).splits.test.chosenByTest.estimated)
          .weightedBothFifths,
    );
    expect(claim.score.weightedBothFifths).toBe(Math.max(...everSaid));
    expect(claim.score.weightedBothFifths).toBeGreaterThanOrEqual(choice.tests.test.score.weightedBothFifths);
    expect(claim.intervals.weighted.estimate).toBeCloseTo(claim.score.weighted, 12);
    // The same as training that run anew with the flaw itself.
    const splits = { train: data.train, test: data.tests!.test };
    const flawed = await trainProbe({ ...claim.run.config, selection: 'test' }, splits);
    expect(flawed.epoch).toBe(claim.epoch);
    expect(Array.from(flawed.decide(data.tests!.test.table).estimated)).toEqual(claim.estimated);
  });

  test('an aborted grid keeps the runs that ended', async () => {
    const abort = new AbortController();
    const slow = { ...configs[1], epochs: 30_000 };
    const running = runGrid([configs[2], slow], data, {
      dir: dir('aborted'),
      threads: 2,
      signal: abort.signal,
      onProgress: (done) => done >= 30 && abort.abort(new Error('enough')),
    });
    await expect(running).rejects.toThrow('enough');
    expect(readdirSync(dir('aborted'))).toContain(`${ids[2]}.json`);
    expect(readdirSync(dir('aborted'))).not.toContain(`${configId(probeConfig(slow))}.json`);
  });

  test('refuses a folder of other data, and an epoch chosen by test', async () => {
    await expect(runGrid(configs, gridData(1, 2), { dir: dir('one'), threads: 1 })).rejects.toThrow(
      /is of the data .*Use a folder for each data set/,
    );
    await expect(
      runGrid([{ ...configs[0], selection: 'test' }], data, { dir: dir('flawed'), threads: 1 }),
    ).rejects.toThrow(/chosen on "valid"/);
  });

  test('null check: with shuffled labels the best of a grid stays near chance on test', async () => {
    const rng = createRng('shuffle');
    const shuffled = ({ table, keyOfTrack }: ProbeData): ProbeData => ({
      table,
      keyOfTrack: Int32Array.from(rng.permutation(keyOfTrack.length), (track) => keyOfTrack[track]),
    });
    const { train, valid, tests } = data;
    const labels = { train: shuffled(train), valid: shuffled(valid), tests };
    await runGrid(configs, labels, { dir: dir('shuffled'), threads: 2 });
    const { score } = gridChoice(configs, labels, dir('shuffled'), { resamples: 100 }).tests.test;
    // Chance: 1/24 exact = .042 (standard error of 96 tracks .020), .083 weighted by one fifth.
    expect(score.accuracy).toBeLessThan(0.13);
    expect(score.weighted).toBeLessThan(0.2);
  });
});
