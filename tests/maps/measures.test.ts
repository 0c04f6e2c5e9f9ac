import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NUM_KEYS, transposeKey } from '../../lib/src/keys/index.js';
import {
  augmentBatch,
  type AugmentConfig,
  compareMaps,
  createMap,
  createMapBank,
  drawMaps,
  type EmbeddingPairs,
  evaluateMap,
  fitMap,
  fitMeanShift,
  identityMap,
  keyPermutation,
  linearReadout,
  PAPER_AUGMENT,
  shiftAgreement,
} from '../../lib/src/maps/index.js';
import { predict } from '../../lib/src/maps/map.js';
import { retrievalRanks } from '../../lib/src/maps/retrieval.js';
import { quantileOfSorted } from '../../lib/src/stats/index.js';
import { createRng } from '../../lib/src/tensor/index.js';
import { normals, pairsOf, resampled, someMap, worst } from './fixture.js';

const rename = (pairs: EmbeddingPairs, prefix: string): EmbeddingPairs => ({ ...pairs, trackIds: pairs.trackIds.map((_, i) => `${prefix}${i}`) }); // prettier-ignore

describe('evaluateMap', () => {
  const width = 6;
  const truth = someMap(1, width);
  const train = pairsOf(truth, 80);
  const held = pairsOf(truth, 60, { prefix: 'test' });

  test('law: a perfect map has R2 1, cosine 1, no error, and finds every clip first', () => {
    const row = evaluateMap(truth, held, { train, bootstrap: resampled() });
    for (const measure of [row.r2, row.explainedChange, row.cosine, row.centredCosine])
      expect(measure.low).toBeGreaterThan(1 - 1e-6);
    expect(row.relativeError.high).toBeLessThan(1e-6);
    expect(row.retrieval).toMatchObject({ nCandidates: 60, similarity: 'cosine', top1: { estimate: 1, low: 1 }, medianRank: { estimate: 1, high: 1 } }); // prettier-ignore
    expect(row).toMatchObject({ name: 'map 1', kind: 'linear', nClips: 60, nTracks: 15 });
  });

  test('golden: every measure on three clips worked out by hand', () => {
    // width 2; clean, augmented and (identity) prediction; train's mean augmented embedding is (1, 0)
    const pairs = (clean: number[], augmented: number[], trackOf: number[], prefix: string): EmbeddingPairs => ({
      clean: Float32Array.from(clean), augmented: Float32Array.from(augmented), n: trackOf.length, width: 2,
      trackOf: Int32Array.from(trackOf), trackIds: trackOf.map((_, i) => `${prefix}${i}`),
    }); // prettier-ignore
    const known = pairs([0, 0, 0, 0], [2, 1, 0, -1], [0, 0], 'train');
    const three = pairs([1, 0, 0, 2, 3, 4], [1, 1, 0, 1, 4, 3], [0, 0, 1], 'test');
    const row = evaluateMap(identityMap(2), three, { train: known, bootstrap: resampled() });
    // errors 1, 1, 2; around (1, 0): 1, 1 + 1, 9 + 9; energies 2, 1, 25; column errors 0+0+1, 1+1+1; totals 0+1+9, 1+1+9
    expect(row.r2.estimate).toBeCloseTo(1 - 4 / 21, 12);
    expect(row.r2PerDimension[0]).toBeCloseTo(1 - 1 / 10, 12);
    expect(row.r2PerDimension[1]).toBeCloseTo(1 - 3 / 11, 12);
    expect(row.explainedChange.estimate).toBe(0);
    expect(row.relativeError.estimate).toBeCloseTo(Math.sqrt(4 / 28), 12);
    expect(row.cosine.estimate).toBeCloseTo((Math.SQRT1_2 + 1 + 24 / 25) / 3, 12);
    // centred: (0,0)-(0,1): 0; (-1,2)-(-1,1): 3 / sqrt 10; (2,4)-(3,3): 18 / sqrt(20 * 18)
    expect(row.centredCosine.estimate).toBeCloseTo((0 + 3 / Math.sqrt(10) + 18 / Math.sqrt(360)) / 3, 12);
    // cosines of (1,0) with the three: .71, 0, .8 -> rank 2; (0,2): .71, 1, .6 -> 1; (3,4): .99, .8, .96 -> 2
    expect(row.retrieval!.top1.estimate).toBeCloseTo(1 / 3, 12);
    expect(row.retrieval!.top5.estimate).toBe(1);
    expect(row.retrieval!.meanReciprocalRank.estimate).toBeCloseTo(2 / 3, 12);
    expect(row.retrieval!.medianRank.estimate).toBe(2);
    expect(row.nTracks).toBe(2);
  });

  test('law: the train mean as a prediction has R2 0; the identity explains none of the change', () => {
    const mean = Float64Array.from({ length: width }, (_, k) => Array.from({ length: 80 }, (_, row) => train.augmented[row * width + k]).reduce((a, b) => a + b) / 80); // prettier-ignore
    const constant = createMap({ name: 'constant', width, matrix: new Float64Array(width * width), offset: mean });
    const row = evaluateMap(constant, held, { train, bootstrap: resampled() });
    expect(row.r2.estimate).toBeCloseTo(0, 12);
    row.r2PerDimension.forEach((value) => expect(value).toBeCloseTo(0, 12));
    expect(row.centredCosine.estimate).toBeCloseTo(0, 12);
    // One point for all: every candidate is a tie or cannot be told apart by the map; never a first rank for all.
    expect(row.retrieval!.top1.estimate).toBeLessThan(0.1);
    expect(evaluateMap(identityMap(width), held, { train, bootstrap: resampled() }).explainedChange.estimate).toBe(0);
  });

  test('law: intervals bracket the estimate, are the same for the same seed, and narrow with more tracks', () => {
    const noisy = (n: number, prefix: string) => pairsOf(truth, n, { noise: 1, prefix });
    const run = (n: number, seed = 1) => evaluateMap(truth, noisy(n, 'test'), { train, bootstrap: resampled(seed, 200), similarity: null }); // prettier-ignore
    const few = run(32);
    for (const { low, estimate, high } of [
      few.r2,
      few.cosine,
      few.centredCosine,
      few.relativeError,
      few.explainedChange,
    ]) {
      expect(low).toBeLessThan(estimate);
      expect(high).toBeGreaterThan(estimate);
    }
    expect(run(32)).toEqual(few);
    expect(run(32, 2).r2.low).not.toBe(few.r2.low);
    const wide = few.r2.high - few.r2.low;
    const narrow = run(512).r2;
    expect(narrow.high - narrow.low).toBeLessThan(wide / 2);
    expect(few.retrieval).toBeNull();
  });

  test('law: the ranks are summed up as their definitions say, for odd and even numbers of clips', () => {
    let split = 0;
    for (const n of [8, 9, 14, 20, 26, 27]) {
      const pairs = pairsOf(truth, n, { noise: 6, prefix: 'test' });
      const { retrieval } = evaluateMap(truth, pairs, { train, bootstrap: resampled(), similarity: 'euclidean' });
      const ranks = [...retrievalRanks(predict(truth, pairs.clean), pairs, 'euclidean', new Float64Array(width))].sort(
        (a, b) => a - b,
      );
      if (n % 2 === 0 && ranks[n / 2] !== ranks[n / 2 - 1]) split++;
      expect(retrieval!.medianRank.estimate).toBe(quantileOfSorted(ranks, 0.5));
      expect(retrieval!.top5.estimate).toBeCloseTo(ranks.filter((rank) => rank <= 5).length / n, 12);
      expect(retrieval!.meanReciprocalRank.estimate).toBeCloseTo(
        ranks.reduce((sum, rank) => sum + 1 / rank, 0) / n,
        12,
      );
    }
    expect(split).toBeGreaterThan(0); // somewhere the two clips in the middle have different ranks
  });

  test('a dimension that does not vary has no R2, and nothing to change is nothing explained; never a NaN', () => {
    const still = { ...held, augmented: held.clean.map((x, i) => (i % width === 2 ? 1 : x)) };
    const same = { ...still, clean: still.augmented };
    const known = { ...train, augmented: train.clean.map((x, i) => (i % width === 2 ? 1 : x)) };
    const row = evaluateMap(identityMap(width), same, { train: known, bootstrap: resampled() });
    expect(row.r2PerDimension[2]).toBeNull();
    expect(row.explainedChange).toMatchObject({ estimate: 0, low: 0, high: 0 });
    expect(JSON.stringify(row)).not.toMatch(/NaN|"low":null/);
  });

  test('bad input: each with its sentence', () => {
    const evaluate = (pairs: EmbeddingPairs, known = train) => () => evaluateMap(truth, pairs, { train: known, bootstrap: resampled() }); // prettier-ignore
    expect(evaluate(rename(held, 'train'))).toThrow(/train and test pairs: share 15 tracks/);
    expect(evaluate({ ...held, n: 0 })).toThrow(/test pairs: 0 pairs/);
    expect(evaluate(pairsOf(someMap(1, 5), 8, { prefix: 'test' }))).toThrow(/has width 6; the test pairs: width 5, expected the same/); // prettier-ignore
    expect(evaluate(held, pairsOf(someMap(1, 5), 8))).toThrow(/train pairs: pairs of width 5; expected 6/);
  });
});

describe('retrieval', () => {
  /** As the definition says, one pair at a time. */
  const twin = (
    predicted: Float32Array,
    augmented: Float32Array,
    width: number,
    near: (a: number[], b: number[]) => number,
  ): number[] => {
    // prettier-ignore
    const rowOf = (x: Float32Array, i: number): number[] => [...x.subarray(i * width, (i + 1) * width)];
    const n = predicted.length / width;
    return Array.from({ length: n }, (_, i) => {
      const scores = Array.from({ length: n }, (_, j) => near(rowOf(predicted, i), rowOf(augmented, j)));
      return scores.filter((score, j) => j === i || score >= scores[i]).length;
    });
  };
  const product = (a: number[], b: number[]): number => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const cosine = (a: number[], b: number[]): number => product(a, b) / Math.sqrt(product(a, a) * product(b, b));

  test('law: as its naive twin, for each similarity', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 1, max: 30 }), fc.nat(99), (width, n, seed) => {
        const pairs = pairsOf(someMap(seed, width), n, { noise: 0.5, mean: 2 });
        const predicted = pairs.clean;
        const mean = Float64Array.from({ length: width }, (_, k) => 2 + k / 10);
        const ranks = (similarity: 'cosine' | 'centredCosine' | 'euclidean') => [...retrievalRanks(Float64Array.from(predicted), pairs, similarity, mean)]; // prettier-ignore
        const centre = (a: number[]): number[] => a.map((value, k) => value - mean[k]);
        const apart = (a: number[], b: number[]): number => -product(a, a) + 2 * product(a, b) - product(b, b);
        expect(ranks('cosine')).toEqual(twin(predicted, pairs.augmented, width, cosine));
        expect(ranks('centredCosine')).toEqual(twin(predicted, pairs.augmented, width, (a, b) => cosine(centre(a), centre(b)))); // prettier-ignore
        expect(ranks('euclidean')).toEqual(twin(predicted, pairs.augmented, width, apart));
      }),
      { numRuns: 25 },
    );
  });

  test('law: ties are lost: a clip that is there seven times over has rank 7, in whatever place it stands', () => {
    const pairs = pairsOf(someMap(1, 5), 7);
    const first = (x: Float32Array): Float32Array => x.map((_, i) => x[i % 5]);
    const copies = { ...pairs, clean: first(pairs.clean), augmented: first(pairs.augmented) };
    for (const similarity of ['cosine', 'euclidean'] as const)
      expect([...retrievalRanks(Float64Array.from(copies.augmented), copies, similarity, new Float64Array(5))]).toEqual(Array(7).fill(7)); // prettier-ignore
  });

  test('law: the order of the pairs does not matter, over the border of a block', () => {
    const pairs = pairsOf(someMap(2, 4), 261, { noise: 1 });
    const order = createRng(3).permutation(261);
    const move = (x: Float32Array): Float32Array => Float32Array.from(x, (_, i) => x[order[Math.floor(i / 4)] * 4 + (i % 4)]); // prettier-ignore
    const moved = { ...pairs, clean: move(pairs.clean), augmented: move(pairs.augmented) };
    const ranks = (some: EmbeddingPairs) => retrievalRanks(Float64Array.from(some.clean), some, 'cosine', new Float64Array(4)); // prettier-ignore
    const before = ranks(pairs);
    expect([...ranks(moved)]).toEqual(Array.from(order, (from) => before[from]));
  });
});

describe('compareMaps', () => {
  const width = 8;
  const split = (truth: ReturnType<typeof someMap>, noise: number) => ({
    train: pairsOf(truth, 200, { noise, mean: 1 }),
    valid: pairsOf(truth, 60, { noise, mean: 1, prefix: 'valid' }),
    test: pairsOf(truth, 80, { noise, mean: 1, prefix: 'test' }),
  });
  const options = { name: 'tilt', towards: 'identity' as const, ridges: [0, 1e-3, 1e-1, 1] };

  test('bad before, good after: a linear effect is found by the linear map, not by identity or mean shift', () => {
    const { maps, rows, gains } = compareMaps(split(someMap(1, width, { spread: 1 }), 0.1), { ...options, labelShift: 1, bootstrap: resampled() }); // prettier-ignore
    const [identity, meanShift, linear, affine] = rows;
    expect(rows.map((row) => row.kind)).toEqual(['identity', 'meanShift', 'linear', 'affine']);
    expect(identity.r2.estimate).toBeLessThan(0.5);
    expect(meanShift.r2.estimate).toBeGreaterThan(identity.r2.estimate);
    expect(linear.r2.estimate).toBeGreaterThan(0.97);
    expect(affine.r2.estimate).toBeGreaterThan(0.97);
    expect(linear.retrieval!.top1.estimate).toBeGreaterThan(identity.retrieval!.top1.estimate + 0.2);
    expect(gains.map(({ over }) => over)).toEqual(['identity', 'meanShift', 'affine']);
    expect(gains[1].r2.low).toBeGreaterThan(0);
    expect(gains[0].r2.estimate).toBeCloseTo(linear.r2.estimate - identity.r2.estimate, 12);
    expect(gains[2].r2.high - gains[2].r2.low).toBeLessThan(0.01);
    expect(Object.values(maps).map((map) => map.labelShift)).toEqual([1, 1, 1, 1]);
  });

  test('a pure shift is explained by the mean shift; nothing is gained where nothing happens but noise', () => {
    const shift = createMap({ name: 'shift', width, offset: Float64Array.from({ length: width }, (_, k) => 1 + k) });
    const rows = compareMaps(split(shift, 0.1), { ...options, bootstrap: resampled(), similarity: null }).rows;
    expect(rows[1].explainedChange.estimate).toBeGreaterThan(0.99);
    expect(rows[3].explainedChange.estimate).toBeGreaterThan(0.99);
    expect(rows[2].explainedChange.estimate).toBeLessThan(0.99);
    const still = compareMaps(split(identityMap(width), 0.5), { ...options, bootstrap: resampled(), similarity: null });
    expect(Math.abs(still.gains[0].r2.estimate)).toBeLessThan(0.02);
    expect(still.gains[0].top1).toBeNull();
    expect(still.maps.linear.fit!.ridge).toBeGreaterThan(0); // the identity is the target
  });

  test('a track in two splits is refused', () => {
    const splits = split(identityMap(width), 0.5);
    for (const [name, pairs] of [['valid', splits.valid], ['train', splits.train]] as const) // prettier-ignore
      expect(() => compareMaps({ ...splits, test: pairs }, { ...options, bootstrap: resampled() })).toThrow(`${name} and test pairs: share`); // prettier-ignore
  });
});

describe('the probe as a witness', () => {
  // 24 dimensions, one a key, and a map that moves them round as a shift by s semitones does.
  const shiftOf = (semitones: number, labelShift = semitones) => {
    const matrix = new Float64Array(NUM_KEYS * NUM_KEYS);
    for (let keyId = 0; keyId < NUM_KEYS; keyId++) matrix[transposeKey(keyId, semitones) * NUM_KEYS + keyId] = 1;
    return createMap({ name: `shift ${semitones}`, width: NUM_KEYS, matrix, labelShift });
  };
  const { clean, n, trackOf } = pairsOf(identityMap(NUM_KEYS), 40);
  const table = { embeddings: clean, nClips: n, width: NUM_KEYS, trackOf };
  const eye = Float64Array.from({ length: NUM_KEYS ** 2 }, (_, i) => (i % (NUM_KEYS + 1) === 0 ? 1 : 0));
  const readout = linearReadout(eye, null);

  test('law: the permutation of the keys is a group of order 12', () => {
    fc.assert(
      fc.property(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -30, max: 30 }), (a, b) => {
        const [pa, pb, both] = [keyPermutation(a), keyPermutation(b), keyPermutation(a + b)];
        expect([...pb].map((keyId) => pa[keyId])).toEqual([...both]);
      }),
    );
    expect([...keyPermutation(12)]).toEqual([...keyPermutation(0)]);
    expect([...keyPermutation(1).subarray(0, 3)]).toEqual([2, 3, 4]); // C major -> Db major, C minor -> Db minor
    expect(() => keyPermutation(0.5)).toThrow(/0.5 semitones/);
  });

  test('law: an exact shift agrees wholly, by every measure; no map, or the wrong one, does not', () => {
    for (const semitones of [-5, 1, 12]) {
      const good = shiftAgreement(shiftOf(semitones), readout, table, { bootstrap: resampled() });
      expect(good).toMatchObject({ semitones, keyAgreement: { estimate: 1, low: 1 } });
      expect(good.logitCorrelation.low).toBeCloseTo(1, 10);
      expect(good.logitError.high).toBeCloseTo(0, 10);
    }
    for (const [map, semitones] of [
      [identityMap(NUM_KEYS), 3],
      [shiftOf(2), 3],
    ] as const) {
      // prettier-ignore
      const bad = shiftAgreement(map, readout, table, { bootstrap: resampled(), semitones });
      expect(bad.keyAgreement.estimate).toBeLessThan(0.2);
      expect(Math.abs(bad.logitCorrelation.estimate)).toBeLessThan(0.2);
      expect(bad.logitError.estimate).toBeGreaterThan(1);
    }
    // An octave: the identity agrees with itself.
    expect(shiftAgreement(identityMap(NUM_KEYS), readout, table, { bootstrap: resampled(), semitones: 12 }).keyAgreement.estimate).toBe(1); // prettier-ignore
  });

  test('law: a folded standardizer gives the logits of the standardized embeddings', () => {
    const rng = createRng(4);
    const weight = normals(rng, NUM_KEYS * 3);
    const bias = normals(rng, NUM_KEYS);
    const standardizer = { mean: Float64Array.of(1, -2, 3), scale: Float64Array.of(2, 0.5, 4) };
    const folded = linearReadout(weight, bias, standardizer);
    const x = normals(rng, 3);
    const logits = (w: ArrayLike<number>, b: ArrayLike<number>, v: ArrayLike<number>) => Array.from({ length: NUM_KEYS }, (_, k) => b[k] + v[0] * w[3 * k] + v[1] * w[3 * k + 1] + v[2] * w[3 * k + 2]); // prettier-ignore
    const standard = Array.from(x, (value, i) => (value - standardizer.mean[i]) / standardizer.scale[i]);
    expect(worst(logits(folded.weight, folded.bias, x), logits(weight, bias, standard))).toBeLessThan(1e-12);
    expect(() => linearReadout(new Float32Array(25), null)).toThrow(/25 weights; expected 24 rows/);
    expect(() => linearReadout(weight, [1])).toThrow(/a bias of 1 values; expected 24/);
    expect(() => linearReadout(weight, bias, { mean: Float64Array.of(1), scale: Float64Array.of(1) })).toThrow(/a standardizer of width 1; expected 3/); // prettier-ignore
  });

  test('bad input: each with its sentence', () => {
    const options = { bootstrap: resampled() };
    expect(() => shiftAgreement(identityMap(3), readout, table, options)).toThrow(/has width 3; the table: width 24/);
    expect(() => shiftAgreement(shiftOf(1), linearReadout(new Float64Array(48), null), table, options)).toThrow(/the readout: width 2/); // prettier-ignore
    expect(() => shiftAgreement(shiftOf(1), readout, { ...table, nClips: 0 }, options)).toThrow(/no clips/);
  });
});

describe('maps as augmentation', () => {
  const width = 5;
  const maps = [{ ...someMap(1, width), labelShift: 3 }, { ...someMap(2, width), labelShift: -1 }, someMap(3, width)];
  const batch = (n: number) => ({ x: normals(createRng(n), n * width), width, keyIds: Int32Array.from({ length: n }, (_, i) => i % 24) }); // prettier-ignore

  test('law: each row is its map of the clean row, with its label moved; the batch itself is untouched', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom('batch', 'row'),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(99),
        (n, per, probability, seed) => {
          // prettier-ignore
          const clean = batch(n);
          const before = clean.x.slice();
          const { x, keyIds, mapOf } = augmentBatch(clean, maps, { probability, per }, createRng(seed));
          expect(clean.x).toEqual(before);
          mapOf.forEach((map, row) => {
            const own = clean.x.slice(row * width, (row + 1) * width);
            const wanted = map < 0 ? own : augmentBatch({ x: own, width, keyIds: Int32Array.of(0) }, [maps[map]], { probability: 1, per: 'batch' }, createRng(0)).x; // prettier-ignore
            expect(x.slice(row * width, (row + 1) * width)).toEqual(wanted);
            expect(keyIds[row]).toBe(transposeKey(clean.keyIds[row], map < 0 ? 0 : maps[map].labelShift));
          });
          if (per === 'batch') expect(new Set(mapOf).size).toBe(1);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('law: a bank of mapped tables gives the same bytes as mapping the batch', () => {
    const table = { embeddings: normals(createRng(5), 11 * width), nClips: 11, width };
    const bank = createMapBank(table, maps);
    const clips = Int32Array.of(10, 0, 3, 3, 7);
    const keyIds = Int32Array.of(0, 5, 23, 23, 8);
    const x = Float32Array.from({ length: 5 * width }, (_, i) => table.embeddings[clips[Math.floor(i / width)] * width + (i % width)]); // prettier-ignore
    const [a, b] = [createRng(6), createRng(6)];
    for (const per of ['batch', 'row'] as const)
      for (let step = 0; step < 6; step++)
        expect(bank.batch(clips, keyIds, { probability: 0.6, per }, a)).toEqual(augmentBatch({ x, width, keyIds }, maps, { probability: 0.6, per }, b)); // prettier-ignore
    expect(() => bank.batch(Int32Array.of(11), Int32Array.of(0), PAPER_AUGMENT, a)).toThrow(
      /clip 11; the table has 11/,
    );
  });

  test('draws as often as asked, each map equally, and the same maps at every probability', () => {
    expect(PAPER_AUGMENT).toEqual({ probability: 0.8, per: 'batch' });
    const draws = drawMaps(20_000, 3, { probability: 0.8, per: 'row' }, createRng(7));
    const share = (map: number): number => draws.filter((drawn) => drawn === map).length / draws.length;
    expect(Math.abs(share(-1) - 0.2)).toBeLessThan(0.012); // four standard errors
    for (const map of [0, 1, 2]) expect(Math.abs(share(map) - 0.8 / 3)).toBeLessThan(0.013);
    const always = drawMaps(20_000, 3, { probability: 1, per: 'row' }, createRng(7));
    draws.forEach((map, row) => map >= 0 && expect(map).toBe(always[row]));
    const [rng, other] = [createRng(8), createRng(8)];
    drawMaps(5, 3, { probability: 0, per: 'batch' }, rng);
    drawMaps(9, 3, { probability: 1, per: 'batch' }, other);
    expect(rng.state()).toEqual(other.state());
    const never = batch(4);
    expect(augmentBatch(never, maps, { probability: 0, per: 'row' }, rng)).toEqual({ ...never, mapOf: new Int32Array(4).fill(-1) }); // prettier-ignore
  });

  test('bad input: each with its sentence', () => {
    const augment =
      (some: Parameters<typeof augmentBatch>[0], which = maps, config: AugmentConfig = PAPER_AUGMENT) =>
      () =>
        augmentBatch(some, which, config, createRng(1));
    expect(augment(batch(2), [])).toThrow(/no maps; expected at least one/);
    expect(augment(batch(2), maps, { probability: 1.1, per: 'row' })).toThrow(
      /probability 1.1; expected a number from 0 to 1/,
    );
    expect(augment(batch(2), [someMap(1, 4)])).toThrow(/has width 4; the batch or table: width 5/);
    expect(augment({ ...batch(2), keyIds: Int32Array.of(1) })).toThrow(/10 values and 1 keys; expected rows of 5/);
    expect(augment({ ...batch(1), keyIds: Int32Array.of(24) })).toThrow(/key id 24/);
  });

  test('a fitted map stands in for its augmentation', () => {
    const effect = someMap(9, width, { spread: 1 });
    const map = { ...fitMap(pairsOf(effect, 60), { name: 'a', towards: 'zero', ridge: 0 }), labelShift: 1 };
    const { clean, augmented } = pairsOf(effect, 6, { prefix: 'new' });
    const out = augmentBatch({ x: clean, width, keyIds: new Int32Array(6) }, [map], { probability: 1, per: 'batch' }, createRng(1)); // prettier-ignore
    expect(worst(out.x, augmented)).toBeLessThan(1e-5);
    expect([...out.keyIds]).toEqual(Array(6).fill(2));
    expect(worst(fitMeanShift(pairsOf(effect, 60), 'b').offset!, new Float64Array(width))).toBeGreaterThan(1e-3);
  });
});
