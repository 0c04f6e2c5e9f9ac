import fc from 'fast-check';
import { Matrix, solve } from 'ml-matrix';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  evaluateMap,
  fitMap,
  fitMapByGradient,
  fitMeanShift,
  identityMap,
  matrixOf,
  pairTables,
  residual,
  RIDGES,
  selectPairs,
} from '../../lib/src/maps/index.js';
import { crossProduct, gram, symmetricEigen, timesTransposed } from '../../lib/src/maps/matrix.js';
import { createRng, initBackend, tf } from '../../lib/src/tensor/index.js';
import { normals, pairsOf, resampled, someMap, worst } from './fixture.js';

beforeAll(async () => {
  await initBackend({ prefer: 'wasm' });
});

const name = 'gain';
const size = fc.integer({ min: 1, max: 11 });

describe('float64 products', () => {
  test('law: as their three-line twins, on all remainders of the tiles and panels', () => {
    fc.assert(
      fc.property(size, size, size, fc.integer(), (m, n, k, seed) => {
        const rng = createRng(seed);
        const [a, b] = [Float64Array.from(normals(rng, m * k)), Float64Array.from(normals(rng, n * k))];
        const twin = Matrix.from1DArray(m, k, a).mmul(Matrix.from1DArray(n, k, b).transpose());
        expect(worst(timesTransposed(a, b, m, n, k), twin.to1DArray())).toBeLessThan(1e-12);
        const [x, y] = [Float64Array.from(normals(rng, 259 * m)), Float64Array.from(normals(rng, 259 * n))];
        const left = Matrix.from1DArray(259, m, x).transpose();
        expect(worst(crossProduct(x, y, m, n), left.mmul(Matrix.from1DArray(259, n, y)).to1DArray())).toBeLessThan(1e-11); // prettier-ignore
        expect(worst(gram(x, m), left.mmul(left.transpose()).to1DArray())).toBeLessThan(1e-11);
      }),
      { numRuns: 40 },
    );
  });

  test('law: eigenvectors are rows, orthonormal, largest first', () => {
    const a = gram(Float64Array.from(normals(createRng(2), 90)), 9);
    const { values, vectors } = symmetricEigen(a, 9);
    expect([...values]).toEqual([...values].sort((p, q) => q - p));
    const back = timesTransposed(a, vectors, 9, 9, 9);
    vectors.forEach((value, i) => expect(back[(i % 9) * 9 + Math.floor(i / 9)]).toBeCloseTo(values[Math.floor(i / 9)] * value, 10)); // prettier-ignore
  });
});

describe('fitMap', () => {
  test('law: finds a known matrix in pairs without noise, whatever the width', () => {
    fc.assert(
      fc.property(size, fc.integer(), fc.constantFrom('zero' as const, 'identity' as const), (width, seed, towards) => {
        const truth = someMap(seed, width);
        const found = fitMap(pairsOf(truth, 6 * width + 4, { seed }), { name, towards, ridge: 0 });
        expect(found.kind).toBe('linear');
        expect(worst(found.matrix!, truth.matrix!)).toBeLessThan(1e-5); // pairs are float32
      }),
      { numRuns: 30 },
    );
  });

  test('law: an affine fit finds matrix and offset where a bias-free one cannot', () => {
    const truth = someMap(1, 8, { offset: true });
    const train = pairsOf(truth, 100, { mean: 3 });
    const found = fitMap(train, { name, kind: 'affine', towards: 'zero', ridge: 0 });
    expect(found.kind).toBe('affine');
    expect(worst(found.matrix!, truth.matrix!)).toBeLessThan(1e-5);
    expect(worst(found.offset!, truth.offset!)).toBeLessThan(1e-4);
    const biasFree = fitMap(train, { name, towards: 'zero', ridge: 0 });
    expect(worst(biasFree.matrix!, truth.matrix!)).toBeGreaterThan(1e-2);
  });

  test('law: solves the ridge equations as written, towards both targets', () => {
    const [width, n, ridge] = [7, 60, 0.3];
    const train = pairsOf(someMap(2, width), n, { noise: 1, mean: 1 });
    const x = Matrix.from1DArray(n, width, train.clean);
    const y = Matrix.from1DArray(n, width, train.augmented);
    const s = x.clone().mul(x).mean();
    for (const towards of ['zero', 'identity'] as const) {
      const target = towards === 'zero' ? Matrix.zeros(width, width) : Matrix.eye(width);
      const penalty = Matrix.eye(width).mul(ridge * n * s);
      const left = x.transpose().mmul(x).add(penalty);
      const twin = solve(left, x.transpose().mmul(y).add(penalty.mmul(target))).transpose();
      expect(worst(fitMap(train, { name, towards, ridge }).matrix!, twin.to1DArray())).toBeLessThan(1e-10);
    }
  });

  test('law: the identity is fitted on identical pairs, with any ridge towards it', () => {
    const train = pairsOf(identityMap(6), 40);
    for (const ridge of [0, 1e-3, 1, 1e6])
      expect(worst(fitMap(train, { name, towards: 'identity', ridge }).matrix!, matrixOf(identityMap(6)))).toBeLessThan(1e-12); // prettier-ignore
    expect(fitMap(train, { name, towards: 'zero', ridge: 1 }).matrix![0]).toBeLessThan(0.8);
  });

  test('law: a growing ridge tends to the target; affine to the identity, it becomes the mean shift', () => {
    const train = pairsOf(someMap(3, 6, { offset: true }), 80, { noise: 0.5, mean: 2 });
    const far = (towards: 'zero' | 'identity', ridge: number): number => {
      const target = towards === 'zero' ? new Float64Array(36) : matrixOf(identityMap(6));
      return worst(fitMap(train, { name, towards, ridge }).matrix!, target);
    };
    for (const towards of ['zero', 'identity'] as const) {
      const distances = [1e-2, 1, 1e2, 1e4, 1e10].map((ridge) => far(towards, ridge));
      expect(distances).toEqual([...distances].sort((a, b) => b - a));
      expect(distances.at(-1)).toBeLessThan(1e-8);
    }
    const limit = fitMap(train, { name, kind: 'affine', towards: 'identity', ridge: 1e12 });
    expect(worst(limit.offset!, fitMeanShift(train, name).offset!)).toBeLessThan(1e-8);
  });

  test('law: the ridge keeps its meaning when embeddings are scaled or pairs are repeated', () => {
    const train = pairsOf(someMap(4, 5), 40, { noise: 0.5 });
    const options = { name, towards: 'identity', ridge: 0.1 } as const;
    const wanted = fitMap(train, options).matrix!;
    const scaled = { ...train, clean: train.clean.map((x) => 8 * x), augmented: train.augmented.map((x) => 8 * x) };
    expect(worst(fitMap(scaled, options).matrix!, wanted)).toBeLessThan(1e-10);
    const twice = (x: Float32Array): Float32Array => Float32Array.of(...x, ...x);
    const doubled = { ...train, n: 80, clean: twice(train.clean), augmented: twice(train.augmented), trackOf: Int32Array.of(...train.trackOf, ...train.trackOf) }; // prettier-ignore
    expect(worst(fitMap(doubled, options).matrix!, wanted)).toBeLessThan(1e-10);
  });

  test('law: with fewer clips than dimensions it fits them exactly and leaves the other directions at the target', () => {
    const [width, n] = [10, 4];
    const train = pairsOf(someMap(5, width), n);
    for (const towards of ['zero', 'identity'] as const) {
      const map = fitMap(train, { name, towards, ridge: 0 });
      expect(Math.max(...residual(map, train).map(Math.abs))).toBeLessThan(1e-5);
      // A direction that no training clip has: the last eigenvector of X'X.
      const unseen = symmetricEigen(gram(Float64Array.from(train.clean), width), width).vectors.slice(-width);
      const image = timesTransposed(unseen, map.matrix!, 1, width, width);
      expect(worst(image, towards === 'zero' ? new Float64Array(width) : unseen)).toBeLessThan(1e-6);
    }
  });

  test('law: held-out R2 is what theory says for least squares in noise', () => {
    // x ~ N(0, 1), y = W x + noise e: the expected squared test error is noise^2 (1 + w / (n - w - 1)) a dimension.
    const [width, n, noise, seeds] = [12, 60, 0.7, 8];
    const truth = someMap(6, width);
    const held = pairsOf(truth, 1500, { noise, prefix: 'test' });
    const reference = pairsOf(truth, 1500, { noise, prefix: 'other' }); // R2 refers to its mean, near 0
    const options = { train: reference, bootstrap: resampled(1, 20), similarity: null };
    let mean = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const map = fitMap(pairsOf(truth, n, { seed, noise }), { name, towards: 'zero', ridge: 0 });
      mean += evaluateMap(map, held, options).r2.estimate / seeds;
    }
    const energy = truth.matrix!.reduce((sum, value) => sum + value * value, 0) / width;
    const expected = 1 - (noise ** 2 * (1 + width / (n - width - 1))) / (energy + noise ** 2);
    // Sampling error of 8 training sets and 1500 test clips: .006. Without the term w / (n - w - 1) it is .08 off.
    expect(Math.abs(mean - expected)).toBeLessThan(0.018);
  });

  test('the ridge is chosen by validation: little for many clips, more for few in noise; test is never seen', () => {
    const truth = someMap(7, 16, { spread: 0.1 });
    const valid = pairsOf(truth, 200, { noise: 0.8, prefix: 'valid' });
    const choose = (n: number) =>
      fitMap(pairsOf(truth, n, { noise: 0.8 }), { name, towards: 'identity', ridge: { candidates: RIDGES, valid } });
    const few = choose(24);
    expect(few.fit!.ridge).toBeGreaterThan(choose(4000).fit!.ridge);
    expect(few.fit!.ridgePath.map(({ ridge }) => ridge)).toEqual(RIDGES);
    const best = Math.max(...few.fit!.ridgePath.map(({ validR2 }) => validR2));
    expect(few.fit!.ridgePath.find(({ ridge }) => ridge === few.fit!.ridge)!.validR2).toBe(best);
    // Of equals the largest: on identical pairs every ridge towards the identity is perfect.
    const [still, stillValid] = [pairsOf(identityMap(4), 24), pairsOf(identityMap(4), 8, { prefix: 'valid' })];
    const ridge = { candidates: [1, 0, 10, 0.1], valid: stillValid };
    expect(fitMap(still, { name, towards: 'identity', ridge }).fit!.ridge).toBe(10);
    // What the path says is what the measures find.
    const options = { train: pairsOf(truth, 24, { noise: 0.8 }), bootstrap: resampled(1, 20), similarity: null };
    expect(evaluateMap(few, valid, options).r2.estimate).toBeCloseTo(best, 10);
    const affine = fitMap(options.train, {
      name,
      kind: 'affine',
      towards: 'zero',
      ridge: { candidates: [0.1], valid },
    });
    expect(evaluateMap(affine, valid, options).r2.estimate).toBeCloseTo(affine.fit!.ridgePath[0].validR2, 10);
  });

  test('bad input: each with its sentence', () => {
    const good = pairsOf(someMap(8, 4), 12);
    const valid = pairsOf(someMap(8, 4), 8, { prefix: 'valid' });
    const fit =
      (train: typeof good, ridge: Parameters<typeof fitMap>[1]['ridge'] = 0) =>
      () =>
        fitMap(train, { name, towards: 'zero', ridge });
    const empty = selectPairs(good, () => false);
    expect(fit(empty)).toThrow(/train: 0 pairs; expected at least one/);
    const withNaN = { ...good, augmented: good.augmented.map((x, i) => (i === 21 ? NaN : x)) };
    expect(fit(withNaN)).toThrow(/augmented embedding of pair 5 \(track train1\) has the value NaN at 1/);
    const withInfinity = { ...good, clean: good.clean.map((x, i) => (i === 0 ? Infinity : x)) };
    expect(fit(withInfinity)).toThrow(/clean embedding of pair 0 .* Infinity/);
    expect(fit({ ...good, augmented: good.augmented.slice(4) })).toThrow(/48 clean and 44 augmented values/);
    expect(fit({ ...good, trackOf: good.trackOf.map(() => 9) })).toThrow(/track index 9; the pairs name 3 tracks/);
    expect(fit(good, -1)).toThrow(/ridge -1; expected a number of at least 0/);
    expect(fit(good, NaN)).toThrow(/ridge NaN/);
    expect(fit(good, { candidates: [], valid })).toThrow(/no ridges to choose from/);
    expect(fit(good, { candidates: [1], valid: empty })).toThrow(/valid: 0 pairs/);
    const wide = pairsOf(someMap(8, 5), 8, { prefix: 'valid' });
    expect(fit(good, { candidates: [1], valid: wide })).toThrow(/valid: pairs of width 5; expected 4/);
    expect(fit(good, { candidates: [1], valid: good })).toThrow(
      /train and valid pairs: share 3 tracks \(first train0\)/,
    );
  });
});

describe('pairs', () => {
  test('of two tables of the same clips; tables of other clips are refused', () => {
    const { clean, augmented, n, width, trackOf, trackIds } = pairsOf(someMap(1, 3), 8);
    const table = { embeddings: clean, nClips: n, width, trackOf, trackIds };
    const other = { ...table, embeddings: augmented };
    expect(pairTables(table, other)).toEqual({ clean, augmented, n, width, trackOf, trackIds });
    expect(() => pairTables(table, { ...other, trackIds: ['x', 'y'] })).toThrow(/do not describe the same clips/);
    expect(() => pairTables(table, { ...other, trackOf: trackOf.map(() => 0) })).toThrow(/do not describe/);
    expect(() => pairTables(table, { ...other, width: 2 })).toThrow(/tables of width 3 and 2/);
  });

  test('law: a selection and its complement hold every pair once', () => {
    const pairs = pairsOf(someMap(1, 3), 18);
    const isEven = (id: string): boolean => Number(id.slice(5)) % 2 === 0;
    const [even, odd] = [selectPairs(pairs, isEven), selectPairs(pairs, (id) => !isEven(id))];
    expect(even.trackIds).toEqual(['train0', 'train2', 'train4']);
    expect(Array.from(even.trackOf)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2]);
    expect([...even.clean, ...odd.clean].sort()).toEqual([...pairs.clean].sort());
    expect(Array.from(odd.augmented.subarray(0, 3))).toEqual(Array.from(pairs.augmented.subarray(12, 15)));
  });
});

describe('fitMapByGradient', () => {
  const truth = someMap(9, 6);
  const train = pairsOf(truth, 96, { noise: 0.3 });

  test.each([
    ['sgd', 'zero', { optimizer: 'sgd', learningRate: 1, momentum: 0.7, batchSize: 96, epochs: 100 }, 0],
    ['sgd, ridge', 'identity', { optimizer: 'sgd', learningRate: 1, momentum: 0.7, batchSize: 96, epochs: 100 }, 0.2],
    ['sgd, batches', 'zero', { optimizer: 'sgd', learningRate: 0.1, batchSize: 16, epochs: 60 }, 0],
    ['adam, batches, ridge', 'zero', { optimizer: 'adam', learningRate: 0.03, batchSize: 16, epochs: 80 }, 0.2],
  ] as const)('law: %s towards %s goes to the closed form', async (_, towards, fields, ridge) => {
    const wanted = fitMap(train, { name, towards, ridge }).matrix!;
    const { map } = await fitMapByGradient(train, { name, config: { ...fields, towards, ridge } });
    // Full batches: float32 alone is between them. Small batches: what the last, small steps leave of the noise.
    expect(worst(map.matrix!, wanted)).toBeLessThan(fields.batchSize === 96 ? 1e-5 : 1e-2);
    expect(worst(wanted, truth.matrix!)).toBeGreaterThan(3e-2); // and that is another place than the truth
  });

  test('the loss falls from bad to good, and the same seed gives the same bytes', async () => {
    const run = (seed: number) => fitMapByGradient(train, { name, config: { learningRate: 0.02, epochs: 12, batchSize: 32, seed } }); // prettier-ignore
    const [a, b, c] = [await run(1), await run(1), await run(2)];
    expect(a.history[0].trainLoss).toBeGreaterThan(0.5);
    expect(a.history.at(-1)!.trainLoss).toBeLessThan(0.5 * a.history[0].trainLoss);
    expect(a).toEqual(b);
    expect(worst(a.map.matrix!, c.map.matrix!)).toBeGreaterThan(1e-6);
  });

  test('validation pairs choose the epoch; progress is told; abort is heard', async () => {
    const valid = pairsOf(truth, 24, { noise: 0.3, prefix: 'valid' });
    const told: number[] = [];
    const config = { learningRate: 0.05, epochs: 8, batchSize: 16 };
    const fit = await fitMapByGradient(train, { name, config, valid, onProgress: (done) => void told.push(done) });
    const losses = fit.history.map(({ validLoss }) => validLoss!);
    expect(losses[fit.epoch]).toBe(Math.min(...losses));
    const left = residual(fit.map, valid);
    expect(left.reduce((sum, x) => sum + x * x, 0) / left.length).toBeCloseTo(losses[fit.epoch], 5);
    expect(told).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const aborted = fitMapByGradient(train, { name, config, signal: AbortSignal.abort(new Error('enough')) });
    await expect(aborted).rejects.toThrow('enough');
  });

  test('leaves no tensors behind, nor on the way', async () => {
    const before = tf.memory().numTensors;
    const during: number[] = [];
    for (const optimizer of ['sgd', 'adam'] as const)
      await fitMapByGradient(train, { name, config: { optimizer, epochs: 3 }, onProgress: () => void during.push(tf.memory().numTensors) }); // prettier-ignore
    expect(new Set(during.slice(0, 3)).size).toBe(1);
    expect(new Set(during.slice(3)).size).toBe(1);
    await fitMapByGradient(train, { name, config: { optimizer: 'sgd', learningRate: 1e30 } }).catch(() => null);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('bad input: each with its sentence', async () => {
    const fit = (config: object, pairs = train) => fitMapByGradient(pairs, { name, config });
    await expect(fit({ epocs: 3 })).rejects.toThrow(/no setting "epocs"; known are optimizer, learningRate/);
    await expect(fit({ learningRate: 0 })).rejects.toThrow(/learningRate 0; expected a number above 0/);
    await expect(fit({ batchSize: 0 })).rejects.toThrow(/batchSize 0; expected a whole number/);
    await expect(fit({ momentum: 1 })).rejects.toThrow(/momentum 1/);
    await expect(fit({ ridge: -1 })).rejects.toThrow(/ridge -1/);
    await expect(fit({ optimizer: 'sgd', learningRate: 1e30 })).rejects.toThrow(/epoch \d+: the loss is .*lower learningRate/); // prettier-ignore
    await expect(
      fit(
        {},
        selectPairs(train, () => false),
      ),
    ).rejects.toThrow(/0 pairs; expected at least one/);
    await expect(fitMapByGradient(train, { name, valid: train })).rejects.toThrow(/train and valid pairs: share/);
  });
});
