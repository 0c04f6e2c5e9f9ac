import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildTable } from '../../lib/src/embeddings/index.js';
import {
  architectureGrid,
  chooseRun,
  decideTracks,
  evaluateProbe,
  loadProbe,
  type ProbeConfig,
  probeConfig,
  type ProbeData,
  PROTOCOLS,
  type ProbeRun,
  saveProbe,
  selectProbe,
  topKAccuracy,
  trainingGrid,
  trainProbe,
  trainProbeEachWay,
} from '../../lib/src/probe/index.js';
import { headLayers, initialWeights } from '../../lib/src/probe/head.js';
import { LinearHead } from '../../lib/src/probe/linearHead.js';
import { softTargets } from '../../lib/src/probe/mixUp.js';
import { TensorHead } from '../../lib/src/probe/tensorHead.js';
import { configId, float32 } from '../../lib/src/store/index.js';
import { meanAndDeviation } from '../../lib/src/stats/index.js';
import { createRng, initBackend, type Rng, tf } from '../../lib/src/tensor/index.js';

beforeAll(async () => {
  await initBackend({ prefer: 'wasm' });
});

const WIDTH = 24;

/** Tracks of 2 to 4 clips: a direction for each key, plus noise; `signal` 0 leaves nothing to learn. */
function synthetic(rng: Rng, nTracks: number, signal: number, prefix: string): ProbeData {
  const directions = createRng('directions of the keys');
  const centres = Float32Array.from({ length: 24 * WIDTH }, () => directions.normal());
  const keyOfTrack = Int32Array.from({ length: nTracks }, (_, i) => i % 24);
  const rows = Array.from(keyOfTrack, (keyId) => {
    const nClips = 2 + rng.int(3);
    return Float32Array.from(
      { length: nClips * WIDTH },
      (_, i) => 5 + signal * centres[keyId * WIDTH + (i % WIDTH)] + rng.normal(),
    );
  });
  const ids = Array.from(keyOfTrack, (_, i) => `${prefix}${i}`);
  return { table: buildTable(ids, rows, WIDTH), keyOfTrack };
}

function splits(signal: number, seed: number) {
  const rng = createRng(seed);
  return {
    train: synthetic(rng, 240, signal, 'train'),
    valid: synthetic(rng, 72, signal, 'valid'),
    test: synthetic(rng, 144, signal, 'test'),
  };
}
const fast: Partial<ProbeConfig> = { learningRate: 1e-2, epochs: 20 };

describe('a linear probe', () => {
  test('steps exactly as its twin on the tensor backend', () => {
    const rng = createRng(3);
    const width = 19; // no multiple of the unrolled loops
    const weights = initialWeights([], width, rng);
    const options = { learningRate: 1e-2, weightDecay: 1e-2, rng };
    const [plain, twin] = [new LinearHead(weights, options), new TensorHead(headLayers([], width), weights, options)];
    for (let step = 0; step < 25; step++) {
      const n = 1 + rng.int(9);
      const x = Float32Array.from({ length: n * width }, () => rng.normal());
      const keyIds = Array.from({ length: n }, () => rng.int(24));
      const targets = softTargets(keyIds, { lambda: rng.uniform(), partner: rng.permutation(n) });
      expect(Math.abs(plain.step(x, targets) - twin.step(x, targets))).toBeLessThan(5e-6);
    }
    // Adam divides by |gradient|: rounding of tiny gradients shows, hence 2e-5 after 25 steps of 1e-2.
    for (const name of ['0.weight', '0.bias']) {
      const [a, b] = [plain.weights().get(name)!.data, twin.weights().get(name)!.data];
      a.forEach((value, i) => expect(Math.abs(value - b[i])).toBeLessThan(2e-5));
    }
    twin.dispose();
  });

  test('learns separable keys', async () => {
    const { train, valid, test: held } = splits(1.5, 1);
    const probe = await trainProbe(fast, { train, valid });
    const { score, top5, intervals, rows } = evaluateProbe(probe, held);
    expect(score.accuracy).toBeGreaterThan(0.95);
    expect(top5).toBeGreaterThan(0.99);
    expect(intervals.weighted.low).toBeGreaterThan(0.9);
    expect(intervals.weighted.estimate).toBeCloseTo(score.weighted, 12);
    expect(intervals.weightedBothFifths.estimate).toBeCloseTo(score.weightedBothFifths, 12);
    expect(rows).toHaveLength(144);
    expect(rows[7]).toMatchObject({ trackId: 'test7', referenceKey: 7 });
    expect(rows[7].logits).toHaveLength(24);
  });

  test('null check: with shuffled labels it stays near chance', async () => {
    const { train, valid, test: held } = splits(1.5, 2);
    const rng = createRng('shuffle');
    const shuffled = (data: ProbeData): ProbeData => {
      const order = rng.permutation(data.keyOfTrack.length);
      return { table: data.table, keyOfTrack: Int32Array.from(order, (track) => data.keyOfTrack[track]) };
    };
    const probe = await trainProbe(fast, { train: shuffled(train), valid: shuffled(valid) });
    const { score } = evaluateProbe(probe, held);
    // Chance: 1/24 exact = .042 (standard error .017), 2/24 = .083 weighted.
    expect(score.accuracy).toBeLessThan(0.11);
    expect(score.weighted).toBeLessThan(0.17);
  });

  test('the same seed gives the same weights, another seed others', async () => {
    const { train, valid } = splits(1, 3);
    const run = (seed: number) =>
      trainProbe({ ...fast, epochs: 3, seed, mixUp: { alpha: 2, beta: 5 } }, { train, valid });
    const [a, b, c] = [await run(1), await run(1), await run(2)];
    expect(a.weights).toEqual(b.weights);
    expect(a.weights).not.toEqual(c.weights);
  });

  test('law: the order of a table does not change what is said about a track', async () => {
    const { train, valid } = splits(0.7, 4);
    const probe = await trainProbe({ ...fast, epochs: 3 }, { train, valid });
    const { table } = valid;
    const whole = probe.trackLogits(table);
    const alone = probe.trackLogits({
      ...table,
      embeddings: table.embeddings.filter((_, i) => table.trackOf[Math.floor(i / WIDTH)] === 5),
      nClips: table.trackOf.filter((track) => track === 5).length,
      trackOf: Int32Array.from(
        table.trackOf.filter((track) => track === 5),
        () => 0,
      ),
      trackIds: [table.trackIds[5]],
    });
    expect([...alone]).toEqual([...whole.subarray(5 * 24, 6 * 24)]);
  });
});

describe('an MLP probe', () => {
  const mlp: Partial<ProbeConfig> = { ...fast, hidden: [64, 'd0.5', 32], epochs: 25, mixUp: { alpha: 5, beta: 2 } };

  test('learns with dropout and MixUp, leaks no tensors, survives saving', async () => {
    const { train, valid, test: held } = splits(1.5, 5);
    const before = tf.memory().numTensors;
    const probe = await trainProbe(mlp, { train, valid });
    const evaluation = evaluateProbe(probe, held);
    expect(tf.memory().numTensors).toBe(before);
    expect(evaluation.score.accuracy).toBeGreaterThan(0.9);

    const folder = mkdtempSync(join(tmpdir(), 'probe-'));
    try {
      const path = join(folder, 'probe.safetensors');
      saveProbe(path, probe);
      const loaded = loadProbe(path);
      expect(loaded.config).toEqual(probe.config);
      expect(loaded.epoch).toBe(probe.epoch);
      expect(evaluateProbe(loaded, held)).toEqual(evaluation);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('an aborted training leaves no tensors behind', async () => {
    const { train, valid } = splits(1, 6);
    const before = tf.memory().numTensors;
    const abort = new AbortController();
    const training = trainProbe(
      mlp,
      { train, valid },
      {
        signal: abort.signal,
        onProgress: (done) => done === 2 && abort.abort(new Error('stopped')),
      },
    );
    await expect(training).rejects.toThrow('stopped');
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each([
    ['d0.75', 0.346],
    ['d0.2', 0.1],
  ] as const)('dropout %s keeps the expected activation', (entry, expected) => {
    // One row of ones over 400 inputs of .01: the logit of key 0 is 4 without dropout; from the loss of a single clip
    // against 23 logits of 0 it can be read back. A learning rate near 0 leaves the weights where they are.
    const width = 400;
    const weight = new Float32Array(24 * width).fill(1, 0, width);
    const weights = new Map([
      ['1.weight', float32([24, width], weight)],
      ['1.bias', float32([24], new Float32Array(24))],
    ]);
    const options = { learningRate: 1e-12, weightDecay: 0, rng: createRng(2) };
    const head = new TensorHead(headLayers([entry], width), weights, options);
    const x = new Float32Array(width).fill(0.01);
    const logits = Array.from({ length: 400 }, () => -Math.log(Math.expm1(head.step(x, softTargets([0]))) / 23));
    const { mean, deviation } = meanAndDeviation(logits);
    // Standard deviation of one logit: .01 * sqrt(400 * rate / (1 - rate)); of the mean of 400: a twentieth of it.
    expect(Math.abs(mean - 4)).toBeLessThan(expected / 5);
    expect(Math.abs(deviation! / expected - 1)).toBeLessThan(0.15);
    expect(head.logits(x)[0]).toBeCloseTo(4, 4);
    head.dispose();
  });
});

describe('selection', () => {
  test('keeps the earliest epoch with the best validation score, and records all', async () => {
    const { train, valid } = splits(0.6, 7);
    const probe = await trainProbe({ ...fast, epochs: 15 }, { train, valid });
    const scores = probe.history.map((record) => record.selectionScore!);
    expect(scores).toHaveLength(15);
    expect(probe.epoch).toBe(scores.indexOf(Math.max(...scores)));
    expect(evaluateProbe(probe, valid).score.weightedBothFifths).toBe(scores[probe.epoch]);
  });

  test('never reads test unless the published flaw is asked for by name', async () => {
    const { train, valid, test: held } = splits(0.4, 8);
    const forbidden = new Proxy(held, {
      get: () => {
        throw new Error('test was read');
      },
    });
    await trainProbe({ ...fast, epochs: 2 }, { train, valid, test: forbidden });
    await expect(
      trainProbe({ ...fast, epochs: 2, ...PROTOCOLS['as-published'] }, { train, valid, test: forbidden }),
    ).rejects.toThrow('test was read');

    const flawed = await trainProbe({ ...fast, ...PROTOCOLS['as-published'] }, { train, valid, test: held });
    const best = Math.max(...flawed.history.map((record) => record.selectionScore!));
    expect(evaluateProbe(flawed, held).score.weighted).toBe(best);
    expect(flawed.standardizer).toBeNull();
  });

  test('one training chosen from several ways gives the probe of each way alone', async () => {
    const { train, valid, test: held } = splits(0.5, 13);
    for (const hidden of [[], [40, 'd0.9'] as const]) {
      const config: Partial<ProbeConfig> = { ...fast, hidden, epochs: 8 };
      const together = await trainProbeEachWay(config, train, [
        { selection: 'valid', data: valid },
        { selection: 'test', data: held },
        { selection: 'last' },
      ]);
      const alone = [
        await trainProbe({ ...config, selection: 'valid' }, { train, valid }),
        await trainProbe({ ...config, selection: 'test' }, { train, test: held }),
        await trainProbe({ ...config, selection: 'last' }, { train }),
      ];
      expect(together).toEqual(alone);
      expect(new Set(together.map((probe) => probe.epoch)).size).toBeGreaterThan(1);
    }
  });

  test('a scaler per split is another probe than one fitted on train', async () => {
    const { train, valid, test: held } = splits(1, 9);
    const shifted = {
      ...held,
      table: { ...held.table, embeddings: held.table.embeddings.map((value) => 2 * value + 3) },
    };
    const run = async (standardize: ProbeConfig['standardize']) => {
      const probe = await trainProbe({ ...fast, standardize }, { train, valid });
      return evaluateProbe(probe, shifted).score.accuracy;
    };
    // Statistics of test undo a shift that a deployed probe would have to live with: the flaw flatters.
    expect(await run('perSplit')).toBeGreaterThan((await run('train')) + 0.1);
  });

  test('chooses among configurations by validation and evaluates every test split', async () => {
    const { train, valid, test: held } = splits(0.8, 10);
    const configs = [1e-6, 1e-2].map((learningRate) => ({ ...fast, epochs: 8, learningRate }));
    const finished: string[] = [];
    const selected = await selectProbe(
      configs,
      { train, valid, tests: { test: held, again: held } },
      {
        onRun: (run) => finished.push(run.configId),
      },
    );
    expect(selected.best.config.learningRate).toBe(1e-2);
    expect(selected.runs.map((run) => run.configId)).toEqual(finished);
    expect(selected.evaluations.test).toEqual(selected.evaluations.again);
    expect(selected.evaluations.test.score.accuracy).toBeGreaterThan(0.5);

    // Known runs are not run again, and the probe comes out the same.
    const known = new Map(selected.runs.map((run) => [run.configId, run]));
    let again = 0;
    const resumed = await selectProbe(
      configs,
      { train, valid, tests: { test: held } },
      { known, onRun: () => again++ },
    );
    expect(again).toBe(0);
    expect(resumed.evaluations.test).toEqual(selected.evaluations.test);
  });

  test('choosing by test is a flaw that has to be named, and flatters', async () => {
    const data = splits(0, 11); // nothing to learn: whatever is above chance is selection
    const configs = [1, 2, 3, 4].map((seed) => ({ ...fast, epochs: 6, seed }));
    const tests = { test: data.test };
    const honest = await selectProbe(configs, { ...data, tests });
    const flawed = await selectProbe(
      configs.map((config) => ({ ...config, ...PROTOCOLS['as-published'] })),
      { ...data, tests },
      { chooseBy: { test: 'test' } },
    );
    expect(flawed.evaluations.test.score.weighted).toBeGreaterThan(honest.evaluations.test.score.weighted);
    await expect(selectProbe(configs, { ...data, tests }, { chooseBy: { test: 'other' } })).rejects.toThrow(
      /no such split/,
    );
  });

  test('refuses to choose while a run is missing', () => {
    const configs = [1, 2, 3].map((seed) => probeConfig({ seed }));
    const runs = new Map<string, ProbeRun>();
    expect(() => chooseRun(configs, runs)).toThrow(/3 of 3 runs are missing/);
    expect(() => chooseRun([], runs)).toThrow(/no configurations/);
    expect(() => chooseRun(configs, runs)).toThrow(configId(configs[2]));
  });
});

describe('decisions', () => {
  const trackIds = ['a', 'b'];
  const trackOf = Int32Array.of(0, 1, 0, 0); // clips need not stand together
  const row = (...pairs: [number, number][]): number[] => {
    const logits = Array<number>(24).fill(0);
    for (const [keyId, value] of pairs) logits[keyId] = value;
    return logits;
  };

  test('mean of logits and vote can disagree', () => {
    const logits = Float32Array.from([...row([3, 9]), ...row([1, 1]), ...row([5, 2]), ...row([5, 2], [3, 1])]);
    expect([...decideTracks(logits, { trackOf, trackIds }).estimated]).toEqual([3, 1]);
    expect([...decideTracks(logits, { trackOf, trackIds }, 'vote').estimated]).toEqual([5, 1]);
  });

  test('a tied vote goes to the larger mean logit, and only among the tied', () => {
    const logits = Float32Array.from([
      ...row([3, 2], [9, 1.9]),
      ...row([1, 1]),
      ...row([5, 3], [9, 2.9]),
      ...row([7, 1]),
    ]);
    expect(decideTracks(logits, { trackOf, trackIds }, 'vote').estimated[0]).toBe(5);
  });

  test('top k counts the lower id first among equals', () => {
    expect(topKAccuracy(new Float32Array(48), [0, 1], 1)).toBe(0.5);
    expect(topKAccuracy(new Float32Array(48), [0, 1], 2)).toBe(1);
  });

  test('says which track has no clips or no finite logit', () => {
    const logits = new Float32Array(4 * 24);
    expect(() => decideTracks(logits, { trackOf, trackIds: ['a', 'b', 'c'] })).toThrow(/track c: has no clips/);
    expect(() => decideTracks(logits.slice(1), { trackOf, trackIds })).toThrow(/95 logits; expected 4 clips x 24/);
    expect(() => decideTracks(logits.fill(NaN), { trackOf, trackIds })).toThrow(/track a: a logit is NaN/);
  });
});

describe('configurations', () => {
  test('the grids of the paper have 28 and 160 members', () => {
    const [architectures, trainings] = [architectureGrid(), trainingGrid({ hidden: [4096, 'd0.99', 4096] })];
    expect(architectures).toHaveLength(28);
    expect(trainings).toHaveLength(160);
    // The default training of this architecture belongs to both.
    expect(new Set([...architectures, ...trainings].map((config) => configId(config))).size).toBe(187);
  });

  test.each([
    [{ learningRate: 0 }, /field learningRate: 0; expected a number above 0/],
    [{ batchSize: 1.5 }, /field batchSize/],
    [{ hidden: [16, 'd1'] }, /field hidden/],
    [{ hidden: [0] }, /field hidden/],
    [{ mixUp: { alpha: 0, beta: 1 } }, /field mixUp/],
    [{ selection: 'best' }, /field selection/],
    [{ standardise: true }, /field standardise: unknown; expected one of hidden/],
  ])('%j is refused', (fields, message) => {
    expect(() => probeConfig(fields as Partial<ProbeConfig>)).toThrow(message);
  });

  test('bad data is refused before any training', async () => {
    const { train, valid } = splits(1, 12);
    const unlabelled = { ...train, keyOfTrack: train.keyOfTrack.map((keyId, i) => (i === 4 ? -1 : keyId)) };
    await expect(trainProbe(fast, { train: unlabelled, valid })).rejects.toThrow(/train track train4: has no key/);
    await expect(trainProbe(fast, { train })).rejects.toThrow(/selection is "valid", but there is no such split/);
    const narrow = { ...valid, table: { ...valid.table, width: 12, nClips: 2 * valid.table.nClips } };
    await expect(trainProbe(fast, { train, valid: narrow })).rejects.toThrow(/width 12; expected 24/);
    const wild = { ...fast, learningRate: 1e39, standardize: 'none', selection: 'last' } as const;
    await expect(trainProbe(wild, { train })).rejects.toThrow(/the loss is .*lower learningRate/);
  });
});
