import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  applyMap,
  applyMapToTable,
  type AugmentationMap,
  commutatorNorm,
  composeMaps,
  compositionGap,
  createMap,
  effectiveRank,
  fitMap,
  fitMeanShift,
  identityGap,
  identityMap,
  invertMap,
  loadMap,
  mapSpectrum,
  matrixOf,
  powerGap,
  powerOfMap,
  rankCurve,
  rankForShare,
  reducedRankMaps,
  residual,
  saveMap,
  truncateMap,
} from '../../lib/src/maps/index.js';
import { timesTransposed } from '../../lib/src/maps/matrix.js';
import { readSafetensors, writeSafetensors } from '../../lib/src/store/index.js';
import { createRng } from '../../lib/src/tensor/index.js';
import { normals, pairsOf, resampled, someMap, worst } from './fixture.js';

const bootstrap = resampled(1, 20);
const width = fc.integer({ min: 1, max: 9 });
/** A map of any kind. */
const anyMap = (w: number, seed: number, kind: number): AugmentationMap => {
  const full = someMap(seed, w, { offset: true });
  const labelShift = seed % 13;
  return createMap({ ...full, matrix: kind & 1 ? full.matrix : null, offset: kind & 2 ? full.offset : null, labelShift }); // prettier-ignore
};
const kind = fc.integer({ min: 0, max: 3 });

describe('the algebra of maps', () => {
  test('law: composing is applying one after the other, for all kinds; label shifts add up', () => {
    fc.assert(
      fc.property(width, kind, kind, fc.nat(100), fc.nat(100), (w, kindA, kindB, seedA, seedB) => {
        const [a, b] = [anyMap(w, seedA, kindA), anyMap(w, seedB, kindB)];
        const both = composeMaps(a, b);
        const x = normals(createRng(seedA), 3 * w);
        expect(worst(applyMap(both, x), applyMap(a, applyMap(b, x)))).toBeLessThan(2e-5); // float32 in between
        expect(both.labelShift).toBe(a.labelShift + b.labelShift);
        expect(both.kind).toBe(['identity', 'linear', 'meanShift', 'affine'][kindA | kindB]);
        expect(both.name).toBe(`map ${seedA} after map ${seedB}`);
      }),
      { numRuns: 60 },
    );
  });

  test('law: the power is the repeated map', () => {
    fc.assert(
      fc.property(width, kind, fc.nat(9), (w, k, exponent) => {
        const map = anyMap(w, exponent, k);
        let repeated = identityMap(w);
        for (let i = 0; i < exponent; i++) repeated = composeMaps(map, repeated);
        const power = powerOfMap(map, exponent);
        expect(worst(matrixOf(power), matrixOf(repeated))).toBeLessThan(1e-9);
        expect(worst(power.offset ?? new Float64Array(w), repeated.offset ?? new Float64Array(w))).toBeLessThan(1e-9);
        expect(power.labelShift).toBe(exponent * map.labelShift);
      }),
      { numRuns: 40 },
    );
    expect(() => powerOfMap(identityMap(2), -1)).toThrow(/exponent -1; expected a whole number of at least 0/);
    expect(() => powerOfMap(identityMap(2), 0.5)).toThrow(/exponent 0.5/);
  });

  test('law: the inverse undoes its map from both sides', () => {
    fc.assert(
      fc.property(width, kind, fc.nat(50), (w, k, seed) => {
        const map = anyMap(w, seed, k);
        const { map: back, conditionNumber, rank } = invertMap(map);
        for (const both of [composeMaps(back, map), composeMaps(map, back)]) {
          expect(worst(matrixOf(both), matrixOf(identityMap(w)))).toBeLessThan(1e-9 * conditionNumber);
          expect(worst(both.offset ?? [0], new Float64Array(both.offset?.length ?? 1))).toBeLessThan(1e-9 * conditionNumber); // prettier-ignore
          expect(both.labelShift).toBe(0);
        }
        expect(conditionNumber).toBeGreaterThanOrEqual(1);
        expect(rank).toBe(w);
      }),
      { numRuns: 40 },
    );
  });

  test('a singular map is refused with a sentence; its pseudo-inverse keeps W P W = W', () => {
    const flat = truncateMap(someMap(1, 6), [4], 'zero')[0].map;
    expect(() => invertMap(flat)).toThrow(/singular \(2 of 6 singular values are 0 to rounding\).*cutoff/);
    const { map: pseudo, rank, conditionNumber } = invertMap(flat, { cutoff: 1e-9 });
    expect(rank).toBe(4);
    expect(worst(composeMaps(flat, composeMaps(pseudo, flat)).matrix!, flat.matrix!)).toBeLessThan(1e-12);
    expect(conditionNumber).toBeLessThan(50);
    const doubled = createMap({ name: 'd', width: 2, matrix: Float64Array.of(8, 0, 0, -2) });
    expect(invertMap(doubled).conditionNumber).toBeCloseTo(4, 12);
    expect(() => invertMap(doubled, { cutoff: 2 })).toThrow(/cutoff 2; expected a number between 0 and 1/);
  });

  test('the residual is what the map leaves; a table keeps its tracks', () => {
    const pairs = pairsOf(someMap(3, 5), 8);
    expect(worst(residual(someMap(3, 5), pairs), new Float32Array(40))).toBeLessThan(1e-6);
    const left = residual(identityMap(5), pairs);
    expect(left[7]).toBeCloseTo(pairs.augmented[7] - pairs.clean[7], 6);
    const { n: nClips, trackOf, trackIds } = pairs;
    const table = { embeddings: pairs.clean, nClips, width: 5, trackOf, trackIds };
    const mapped = applyMapToTable(someMap(3, 5), table);
    expect(mapped).toEqual({ ...table, embeddings: pairs.augmented });
  });

  test('bad input: each with its sentence', () => {
    const map = someMap(1, 3);
    expect(() => composeMaps(map, someMap(1, 4))).toThrow(/has width 3; the map "map 1": width 4, expected the same/);
    expect(() => applyMap(map, new Float32Array(4))).toThrow(/4 values; expected rows of 3/);
    expect(() => createMap({ name: 'a', width: 0 })).toThrow(/width 0/);
    expect(() => createMap({ name: 'a', width: 2, matrix: new Float64Array(3) })).toThrow(/matrix has 3 values; expected 4/); // prettier-ignore
    expect(() => createMap({ name: 'a', width: 1, offset: Float64Array.of(NaN) })).toThrow(
      /value 0 of the offset is NaN/,
    );
    expect(() => createMap({ name: 'a', width: 1, labelShift: 0.5 })).toThrow(
      /labelShift 0.5; expected a whole number/,
    );
  });
});

describe('composition', () => {
  // An encoder made linear by construction, embedding = E x, and augmentations linear on x: then M = E A E^-1.
  const w = 8;
  const encoder = someMap('encoder', w);
  const [gainOfAudio, shiftOfAudio] = [someMap('gain', w), someMap('shift', w)];
  const mapOf = (audio: AugmentationMap): AugmentationMap => composeMaps(encoder, composeMaps(audio, invertMap(encoder).map)); // prettier-ignore
  const pairsFor = (audio: AugmentationMap, prefix: string) => {
    const sound = pairsOf(audio, 80, { prefix });
    return { ...sound, clean: applyMap(encoder, sound.clean), augmented: applyMap(encoder, sound.augmented) };
  };
  const fitted = (audio: AugmentationMap, labelShift = 0) =>
    fitMap(pairsFor(audio, 'train'), { name: audio.name, towards: 'identity', ridge: 0, labelShift });
  const both = composeMaps(gainOfAudio, shiftOfAudio);
  const options = { train: pairsFor(both, 'train'), bootstrap, similarity: null };
  const held = pairsFor(both, 'test');

  test('law: fitted maps of a linear encoder compose exactly; in the wrong order they do not', () => {
    const [a, b, direct] = [fitted(gainOfAudio), fitted(shiftOfAudio), fitted(both)];
    const gap = compositionGap(composeMaps(a, b), direct, held, options);
    expect(Math.max(gap.frobenius, gap.frobeniusOfChange!, gap.prediction)).toBeLessThan(1e-5);
    expect(gap.offset).toBeNull();
    expect(Math.abs(gap.r2Difference.estimate)).toBeLessThan(1e-8);
    expect(gap.chained.cosine.estimate).toBeCloseTo(1, 8);
    const wrong = compositionGap(composeMaps(b, a), direct, held, options);
    expect(wrong.frobenius).toBeGreaterThan(0.05);
    expect(wrong.frobeniusOfChange).toBeGreaterThan(wrong.frobenius); // maps near the identity look closer than they are
    expect(wrong.r2Difference.high).toBeLessThan(0);
    expect(wrong.cosineDifference.estimate).toBeLessThan(0);
    expect(commutatorNorm(a, b)).toBeCloseTo(wrong.frobenius, 4);
    expect(commutatorNorm(a, powerOfMap(a, 2))).toBeLessThan(1e-12);
  });

  test('law: a step taken k times is the map of k steps, and 12 steps of a circle are none', () => {
    // On 8 dimensions: 4 planes, each turned by a multiple of 30 degrees.
    const turn = new Float64Array(w * w);
    for (let plane = 0; plane < 4; plane++) {
      const angle = ((plane + 1) * Math.PI) / 6;
      const at = 2 * plane * (w + 1);
      [turn[at], turn[at + 1], turn[at + w], turn[at + w + 1]] = [Math.cos(angle), -Math.sin(angle), Math.sin(angle), Math.cos(angle)]; // prettier-ignore
    }
    const step = createMap({ name: 'shift', width: w, matrix: turn });
    const five = powerOfMap(step, 5);
    const [unit, direct] = [fitted(step, 1), fitted(five, 5)];
    const gap = powerGap(unit, 5, direct, pairsFor(five, 'test'), { ...options, train: pairsFor(five, 'train') });
    expect(gap.frobenius).toBeLessThan(1e-5);
    expect(() => powerGap(unit, 4, direct, held, options)).toThrow(/moves the key by 4 semitones, ".*" by 5/);
    const octave = identityGap(powerOfMap(unit, 12), held.clean);
    expect(Math.max(octave.frobenius, octave.prediction)).toBeLessThan(1e-5);
    expect(identityGap(powerOfMap(unit, 6), held.clean).frobenius).toBeGreaterThan(0.5);
    expect(worst(mapOf(step).matrix!, unit.matrix!)).toBeLessThan(1e-5);
  });
});

describe('rank', () => {
  test('effective rank and rank for a share of known spectra', () => {
    expect(effectiveRank([3, 3, 3, 3])).toBeCloseTo(4, 12);
    expect(effectiveRank([5, 0, 0])).toBeCloseTo(1, 12);
    expect(effectiveRank([0, 0])).toBe(0);
    expect(effectiveRank([2, 1, 1])).toBeCloseTo(2 ** 1.5, 12); // entropy 1.5 bit
    expect(rankForShare([3, 2, 1], 0.6)).toBe(1);
    expect(rankForShare([3, 2, 1], 0.9)).toBe(2);
    expect(rankForShare([3, 2, 1], 1)).toBe(3);
  });

  test('law: a spectrum holds the Frobenius norm; about the identity it sees only the change', () => {
    const map = someMap(2, 7);
    const { singularValues } = mapSpectrum(map, 'zero');
    const squares = (x: Float64Array): number => x.reduce((sum, value) => sum + value * value, 0);
    expect(squares(singularValues)).toBeCloseTo(squares(map.matrix!), 10);
    expect([...mapSpectrum(identityMap(4), 'identity').singularValues]).toEqual([0, 0, 0, 0]);
    expect(mapSpectrum(identityMap(4), 'zero').effectiveRank).toBeCloseTo(4, 12);
    // One direction changed: W = 1 + u v'.
    const [u, v] = [normals(createRng(1), 7), normals(createRng(2), 7)];
    const oneMore = createMap({ name: 'one', width: 7, matrix: matrixOf(identityMap(7)).map((value, i) => value + u[Math.floor(i / 7)] * v[i % 7]) }); // prettier-ignore
    expect(mapSpectrum(oneMore, 'identity').effectiveRank).toBeCloseTo(1, 10);
    expect(worst(truncateMap(oneMore, [1], 'identity')[0].map.matrix!, oneMore.matrix!)).toBeLessThan(1e-12);
  });

  test('law: truncation is Eckart and Young: the distance is what was cut off; full rank gives the map back', () => {
    const map = someMap(3, 6, { offset: true });
    for (const about of ['zero', 'identity'] as const) {
      const { singularValues } = mapSpectrum(map, about);
      for (const { rank, map: cut } of truncateMap(map, [0, 2, 5, 6], about)) {
        const distance = cut.matrix!.reduce((sum, value, i) => sum + (value - map.matrix![i]) ** 2, 0);
        expect(distance).toBeCloseTo(
          singularValues.slice(rank).reduce((sum, value) => sum + value * value, 0),
          10,
        );
        expect(cut.offset).toEqual(map.offset);
      }
    }
    expect(() => truncateMap(map, [7], 'zero')).toThrow(/rank 7; expected whole numbers from 0 to 6/);
  });

  test.each(['linear', 'affine'] as const)('law: reduced-rank regression (%s) has the least training error', (kind) => {
    // Columns of very different size, so that the nearest matrix is not the best map.
    const truth = someMap(4, 6, { spread: 1 });
    const scales = [10, 0.1, 3, 0.2, 1, 0.05];
    const scaled = pairsOf(truth, 60, { noise: 0.3 });
    const clean = scaled.clean.map((x, i) => x * scales[i % 6] + 1);
    const train = { ...scaled, clean, augmented: applyMap(truth, clean) };
    const error = (map: AugmentationMap): number => residual(map, train).reduce((sum, x) => sum + x * x, 0);
    const full = fitMap(train, { name: 'full', kind, towards: 'zero', ridge: 0 });
    const ranks = [0, 1, 2, 4, 6];
    const [best, nearest] = [reducedRankMaps(full, train, ranks), truncateMap(full, ranks, 'zero')];
    best.forEach(({ map, rank }, i) => {
      expect(error(map)).toBeLessThanOrEqual(error(nearest[i].map) + 1e-6);
      expect(mapSpectrum(map, 'zero').singularValues.filter((value) => value > 1e-9).length).toBe(rank);
    });
    expect(error(best[1].map)).toBeLessThan(0.9 * error(nearest[1].map));
    expect(worst(best.at(-1)!.map.matrix!, full.matrix!)).toBeLessThan(1e-9);
    // No other map of rank 1 is better: steps in random directions from the best one.
    const rng = createRng(5);
    const [left, right] = [normals(rng, 6), normals(rng, 6)];
    const one = best[1].map.matrix!;
    for (const step of [1e-2, -1e-2, 1e-3, -1e-3]) {
      const moved = timesTransposed(addTo(one, step, left, right), matrixOf(identityMap(6)), 6, 6, 6);
      const cut = truncateMap(createMap({ ...best[1].map, matrix: moved }), [1], 'zero')[0].map;
      expect(error(cut)).toBeGreaterThan(error(best[1].map));
    }
    const curve = rankCurve(
      best,
      { ...train, trackIds: train.trackIds.map((id) => `other ${id}`) },
      { train, bootstrap },
    );
    const r2 = curve.map((point) => point.r2.estimate);
    expect(r2).toEqual([...r2].sort((a, b) => a - b));
    expect(r2.at(-1)).toBeGreaterThan(0.99999);
    expect(curve.map(({ rank, method }) => [rank, method])).toEqual(ranks.map((rank) => [rank, 'reducedRank']));
  });
  const addTo = (a: Float64Array, step: number, left: Float32Array, right: Float32Array): Float64Array =>
    a.map((value, i) => value + step * left[Math.floor(i / 6)] * right[i % 6]);

  test('law: the ridge in reduced rank is w more rows of data, sqrt(lambda) on the diagonal, that map to the target', () => {
    const [w, n, ridge] = [5, 30, 0.4];
    const truth = someMap(6, w, { spread: 1 });
    const train = pairsOf(truth, n, { noise: 0.5 });
    const clean = train.clean.map((x, i) => x * (1 + (i % w)));
    const scaled = { ...train, clean, augmented: applyMap(truth, clean) };
    const root = Math.sqrt((ridge * clean.reduce((sum, x) => sum + x * x, 0)) / w);
    const rows = Float32Array.from(matrixOf(identityMap(w)), (value) => value * root);
    for (const towards of ['zero', 'identity'] as const) {
      const more = {
        ...scaled,
        n: n + w,
        clean: Float32Array.of(...clean, ...rows),
        augmented: Float32Array.of(...scaled.augmented, ...rows.map((x) => (towards === 'zero' ? 0 : x))),
        trackOf: Int32Array.of(...train.trackOf, ...rows.subarray(0, w).map(() => 0)),
      };
      const withRidge = fitMap(scaled, { name: 'ridge', towards, ridge });
      const withRows = fitMap(more, { name: 'rows', towards, ridge: 0 });
      const [a, b] = [reducedRankMaps(withRidge, scaled, [1, 3]), reducedRankMaps(withRows, more, [1, 3])];
      a.forEach(({ map }, i) => expect(worst(map.matrix!, b[i].map.matrix!)).toBeLessThan(1e-5));
    }
  });

  test('reduced rank needs a closed-form fit and its training pairs', () => {
    const train = pairsOf(someMap(1, 3), 12);
    expect(() => reducedRankMaps(someMap(1, 3), train, [1])).toThrow(/expected a map fitted in closed form/);
    const map = fitMap(train, { name: 'a', towards: 'zero', ridge: 0 });
    expect(() => reducedRankMaps(map, pairsOf(someMap(1, 3), 16), [1])).toThrow(/16 pairs; the map was fitted on 12/);
  });
});

describe('map files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'maps-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'map.safetensors');
  const train = pairsOf(someMap(1, 5, { offset: true }), 24, { noise: 0.1 });
  const valid = pairsOf(someMap(1, 5, { offset: true }), 8, { noise: 0.1, prefix: 'valid' });
  const ridge = { candidates: [0, 0.1], valid };
  const linear = fitMap(train, { name: 'shift "+2"', labelShift: 2, towards: 'identity', ridge });
  const affine = fitMap(train, { name: 'tilt', kind: 'affine', towards: 'zero', ridge: 1e-3 });

  test('law: what is read is what was written, for all kinds', () => {
    for (const map of [linear, affine, fitMeanShift(train, 'mean', -3), identityMap(5), powerOfMap(linear, 2)]) {
      saveMap(path, map, { note: 'kept' });
      expect(loadMap(path)).toEqual(map);
      expect(readSafetensors(path).metadata.note).toBe('kept');
    }
  });

  test('a Linear layer in float32 is read', () => {
    saveMap(path, linear);
    const { metadata } = readSafetensors(path);
    const data = Float32Array.from(linear.matrix!);
    writeSafetensors(path, new Map([['weight', { dtype: 'F32', shape: [5, 5], data }]]), metadata);
    expect(loadMap(path).matrix).toEqual(Float64Array.from(data));
  });

  test('a changed file is refused, with the file and what is wrong', () => {
    saveMap(path, affine);
    const { tensors, metadata } = readSafetensors(path);
    const F64 = (shape: number[], value = 1) => ({ dtype: 'F64' as const, shape, data: new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(value) }); // prettier-ignore
    const changed = (
      change: Record<string, string | undefined>,
      other: Record<string, ReturnType<typeof F64> | null> = {},
    ) => {
      // prettier-ignore
      const entries = new Map(tensors);
      for (const [name, tensor] of Object.entries(other)) if (tensor) entries.set(name, tensor); else entries.delete(name); // prettier-ignore
      const texts = Object.entries({ ...metadata, ...change }).filter((pair): pair is [string, string] => pair[1] !== undefined); // prettier-ignore
      writeSafetensors(path, entries, Object.fromEntries(texts));
      return () => loadMap(path);
    };
    expect(changed({}, {})()).toEqual(affine); // the machinery itself changes nothing
    expect(changed({ mapKind: undefined })).toThrow(/map.safetensors: no entry "mapKind"/);
    expect(changed({ mapKind: 'cubic' })).toThrow(/map kind "cubic"; expected one of linear, affine/);
    expect(changed({ mapKind: 'constructor' })).toThrow(/map kind "constructor"/);
    expect(changed({ mapKind: 'linear' })).toThrow(/holds a tensor "bias"; maps of kind linear have none/);
    expect(changed({ mapKind: 'identity' })).toThrow(/holds a tensor "weight"/);
    expect(changed({ mapWidth: 'five' })).toThrow(/"mapWidth" is "five"; expected a whole number/);
    expect(changed({ mapWidth: '6' })).toThrow(/tensor "weight" is \[5, 5\]; expected \[6, 6\]/);
    expect(changed({ mapWidth: '-1' })).toThrow(/expected \[-1, -1\]/);
    expect(changed({ mapLabelShift: '1.5' })).toThrow(/"mapLabelShift" is "1.5"/);
    expect(changed({ mapFit: '{' })).toThrow(/"mapFit" is not JSON/);
    expect(changed({ mapFit: '{"method":"guessed"}' })).toThrow(/"mapFit" is \{"method":"guessed"\}; expected method/);
    expect(changed({ mapFit: metadata.mapFit.replace('[]', '[1]') })).toThrow(/"mapFit" is/);
    expect(changed({ mapFit: '7' })).toThrow(/"mapFit" is 7/);
    expect(changed({}, { bias: null })).toThrow(/no tensor "bias"; maps of kind affine have one/);
    expect(changed({}, { bias: F64([4]) })).toThrow(/tensor "bias" is \[4\]; expected \[5\]/);
    expect(changed({}, { weight: F64([5, 5], NaN) })).toThrow(/value 0 of tensor "weight" is NaN/);
    saveMap(path, affine);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 8));
    expect(() => loadMap(path)).toThrow(/truncated/);
  });
});
