import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  KEY_TRANSITIONS, KEYS, keysOverTime, parseKey, relation, transitionMatrix, transitionsFor, transposeKey,
  UNIFORM_TRANSITIONS, type KeyTransitions,
} from '../../lib/src/keys/index.js'; // prettier-ignore

const scores = (nClips: number) =>
  fc.array(fc.double({ min: -6, max: 6, noNaN: true }), { minLength: nClips * 24, maxLength: nClips * 24 });
const weight = fc.double({ min: 0.01, max: 1, noNaN: true });
const anyTransitions: fc.Arbitrary<KeyTransitions> = fc.record({
  self: weight,
  fifth: weight,
  relative: weight,
  parallel: weight,
  other: weight,
});
const idOf = (name: string): number => parseKey(name)!.id;
/** Clips that name one key each, by this much. */
const clipsOf = (names: readonly string[], margin: number): number[] =>
  names.flatMap((name) => KEYS.map(({ id }) => (id === idOf(name) ? margin : 0)));

describe('transitions', () => {
  it('are probabilities by relation, and the same in every key', () => {
    fc.assert(
      fc.property(anyTransitions, fc.nat(23), fc.nat(23), fc.integer({ min: -11, max: 11 }), (kinds, from, to, up) => {
        const matrix = transitionMatrix(kinds);
        const row = matrix.subarray(from * 24, from * 24 + 24);
        expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
        const moved = matrix[transposeKey(from, up) * 24 + transposeKey(to, up)];
        expect(moved).toBe(matrix[from * 24 + to]);
        expect(matrix[to * 24 + from]).toBe(matrix[from * 24 + to]); // every relation is mutual, fifths taken together
      }),
    );
    const matrix = transitionMatrix();
    const from = idOf('C major');
    const to = (name: string): number => matrix[from * 24 + idOf(name)];
    expect(['C major', 'G major', 'F major', 'A minor', 'C minor'].map(to)).toEqual([0.95, 0.01, 0.01, 0.015, 0.005]);
    expect(to('D major')).toBeCloseTo(0.01 / 19, 15);
    expect(new Set(transitionMatrix(UNIFORM_TRANSITIONS))).toEqual(new Set([1 / 24]));
  });

  it('for a mean length keep the kinds of change', () => {
    const four = transitionsFor(4);
    expect(four.self).toBe(0.75);
    expect(Object.values(four).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect(four.fifth / four.relative).toBeCloseTo(KEY_TRANSITIONS.fifth / KEY_TRANSITIONS.relative, 12);
    expect(transitionsFor(1).self).toBe(0);
    expect(() => transitionsFor(0.5)).toThrow(/at least 1/);
    expect(() => transitionMatrix({ ...KEY_TRANSITIONS, fifth: -1 })).toThrow(/fifth is -1/);
    expect(() => transitionMatrix({ self: 0, fifth: 0, relative: 0, parallel: 0, other: 0 })).toThrow(/all are 0/);
  });
});

describe('keys over time', () => {
  it('with uniform transitions each clip stands for itself', () => {
    fc.assert(
      fc.property(scores(5), (logScores) => {
        const { posteriors, path } = keysOverTime(logScores, UNIFORM_TRANSITIONS);
        for (let clip = 0; clip < 5; clip++) {
          const row = logScores.slice(clip * 24, clip * 24 + 24);
          expect(row[path[clip]]).toBeCloseTo(Math.max(...row), 12);
          const sum = row.reduce((total, x) => total + Math.exp(x), 0);
          row.forEach((x, key) => expect(posteriors[clip * 24 + key]).toBeCloseTo(Math.exp(x) / sum, 10));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('equals the sum and the best over all 24^3 sequences', () => {
    fc.assert(
      fc.property(scores(3), anyTransitions, (logScores, kinds) => {
        const matrix = transitionMatrix(kinds);
        const posteriors = new Float64Array(72);
        let [total, most, best] = [0, 0, [0, 0, 0]];
        for (let a = 0; a < 24; a++)
          for (let b = 0; b < 24; b++)
            for (let c = 0; c < 24; c++) {
              const fit = Math.exp(logScores[a] + logScores[24 + b] + logScores[48 + c]);
              const p = (fit * matrix[a * 24 + b] * matrix[b * 24 + c]) / 24;
              total += p;
              if (p > most) [most, best] = [p, [a, b, c]];
              posteriors[a] += p;
              posteriors[24 + b] += p;
              posteriors[48 + c] += p;
            }
        const found = keysOverTime(logScores, kinds);
        expect(found.logLikelihood).toBeCloseTo(Math.log(total), 9);
        posteriors.forEach((p, i) => expect(found.posteriors[i]).toBeCloseTo(p / total, 10));
        const probabilityOf = ([a, b, c]: ArrayLike<number> & Iterable<number>): number =>
          Math.exp(logScores[a] + logScores[24 + b] + logScores[48 + c]) * matrix[a * 24 + b] * matrix[b * 24 + c] / 24; // prettier-ignore
        expect(probabilityOf(found.path) / probabilityOf(best)).toBeCloseTo(1, 9);
      }),
      { numRuns: 12 },
    );
  });

  it('by hand: two clips, two keys of which one is twice as likely', () => {
    // Only C major and A minor explain anything. self 3/4, relative 1/4; clip 0: 2 to 1 for C, clip 1: 1 to 2.
    const row = (c: number, a: number): number[] => KEYS.map(({ label }) => label === 'C major' ? Math.log(c) : label === 'A minor' ? Math.log(a) : -Infinity); // prettier-ignore
    const kinds = { self: 3, relative: 1, fifth: 0, parallel: 0, other: 0 };
    const { posteriors, logLikelihood } = keysOverTime([...row(2, 1), ...row(1, 2)], kinds);
    // CC 2*3*1 = 6, CA 2*1*2 = 4, AC 1*1*1 = 1, AA 1*3*2 = 6; all over 4 * 24.
    expect(posteriors[idOf('C major')]).toBeCloseTo(10 / 17, 12);
    expect(posteriors[24 + idOf('C major')]).toBeCloseTo(7 / 17, 12);
    expect(logLikelihood).toBeCloseTo(Math.log(17 / 96), 12);
  });

  it('smooths a lone clip away, keeps a lasting change and marks where it begins', () => {
    const names = [...Array<string>(6).fill('C major'), 'F# minor', ...Array<string>(5).fill('C major'), ...Array<string>(8).fill('G major')]; // prettier-ignore
    const { path, modulations, posteriors } = keysOverTime(clipsOf(names, 3));
    expect(path[6]).toBe(idOf('C major'));
    expect(modulations).toEqual([{ clip: 12, fromKey: idOf('C major'), toKey: idOf('G major') }]);
    expect(posteriors[6 * 24 + idOf('C major')]).toBeGreaterThan(0.9);
    expect(keysOverTime(clipsOf(names, 3), UNIFORM_TRANSITIONS).modulations).toHaveLength(3);
    // The same evidence is believed sooner of a close key than of a far one.
    const change = (to: string): number => keysOverTime(clipsOf([...Array<string>(4).fill('C major'), to], 5)).posteriors[4 * 24 + idOf(to)]; // prettier-ignore
    expect(change('A minor')).toBeGreaterThan(change('G major'));
    expect(change('G major')).toBeGreaterThan(change('D major'));
  });

  it('a stronger self-transition never changes more often; transposed music gives transposed keys', () => {
    fc.assert(
      fc.property(scores(8), fc.integer({ min: 1, max: 11 }), (logScores, up) => {
        const changes = [2, 8, 64, 1e6].map((clips) => keysOverTime(logScores, transitionsFor(clips)).modulations.length); // prettier-ignore
        expect(changes).toEqual([...changes].sort((a, b) => b - a));
        const moved = new Array<number>(logScores.length);
        logScores.forEach((x, i) => (moved[Math.floor(i / 24) * 24 + transposeKey(i % 24, up)] = x));
        const [here, there] = [keysOverTime(logScores), keysOverTime(moved)];
        here.posteriors.forEach((p, i) =>
          expect(there.posteriors[Math.floor(i / 24) * 24 + transposeKey(i % 24, up)]).toBeCloseTo(p, 9),
        );
        expect(there.logLikelihood).toBeCloseTo(here.logLikelihood, 9);
      }),
      { numRuns: 30 },
    );
  });

  it('a constant per clip changes nothing but the likelihood; long and sharp music does not underflow', () => {
    const names = Array.from({ length: 3000 }, (_, i) => KEYS[Math.floor(i / 500) * 2].label);
    const sharp = clipsOf(names, 800);
    const { posteriors, modulations, logLikelihood } = keysOverTime(sharp);
    expect(modulations.map(({ clip }) => clip)).toEqual([500, 1000, 1500, 2000, 2500]);
    expect(Number.isFinite(logLikelihood)).toBe(true);
    expect(posteriors.every((p) => p >= 0 && p <= 1 + 1e-12)).toBe(true);
    const shifted = keysOverTime(sharp.map((x, i) => x - Math.floor(i / 24)));
    expect(shifted.posteriors.every((p, i) => Math.abs(p - posteriors[i]) < 1e-9)).toBe(true);
  });

  it('refuses what it cannot read', () => {
    expect(() => keysOverTime([])).toThrow(/0 scores/);
    expect(() => keysOverTime(new Float32Array(25))).toThrow(/25 scores/);
    expect(() => keysOverTime(new Float32Array(48).fill(NaN, 30, 31))).toThrow(/clip 1: the score of key 6 is NaN/);
    expect(() => keysOverTime(new Float64Array(24).fill(-Infinity))).toThrow(/no sequence of keys explains/);
    expect(relation(0, 0)).toBe('same');
  });
});
