import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { peerPairsTable, peerTable } from '../../lib/src/figures/index.js';
import { scoreKeys, transposeKey } from '../../lib/src/keys/index.js';
import { comparePeers, type ReferenceKey, type SystemAnswers } from '../../lib/src/peers/index.js';
import { scoreIntervals, trackScores } from '../../lib/src/probe/index.js';
import { holm, mcnemar, pairedBootstrap } from '../../lib/src/stats/index.js';
import { createRng } from '../../lib/src/tensor/index.js';

const rng = createRng(3);
const reference: ReferenceKey[] = Array.from({ length: 80 }, (_, i) => ({ id: `t${i}`, keyId: rng.int(24) }));

/** Right with a probability, else a fifth above, a fifth below or a random key. */
function system(name: string, right: number, options: { missing?: number[]; sure?: boolean } = {}): SystemAnswers {
  const own = createRng(name);
  const answers = new Map<string, { keyId: number; confidence: number | null; scores: null }>();
  const problems = new Map<string, string>();
  reference.forEach(({ id, keyId }, i) => {
    const isRight = own.uniform() < right;
    const wrong = own.pick([transposeKey(keyId, 7), transposeKey(keyId, 5), own.int(24)]);
    const confidence = options.sure ? (isRight ? 0.9 : 0.2) : null;
    if (options.missing?.includes(i)) problems.set(id, 'cannot be read');
    else answers.set(id, { keyId: isRight ? keyId : wrong, confidence, scores: null });
  });
  return { name, answers, problems, notes: [] };
}

const [base, good, half] = [
  system('base', 0.4),
  system('good', 0.8, { sure: true }),
  system('half', 0.6, { missing: [0, 1, 2, 50] }),
];
const keyIds = (one: SystemAnswers, ids = reference): number[] => ids.map(({ id }) => one.answers.get(id)!.keyId);

describe('comparison', () => {
  const result = comparePeers(reference, [base, good, half], { seed: 5, resamples: 500 });

  it('scores each system as keys/ and probe/ do, on the tracks that it answered', () => {
    expect(result.rows.map(({ name, n, unanswered }) => [name, n, unanswered])).toEqual([
      ['base', 80, 0],
      ['good', 80, 0],
      ['half', 76, 4],
    ]);
    expect(result.nCommon).toBe(76);
    const ids = reference.map(({ keyId }) => keyId);
    const score = scoreKeys(ids, keyIds(good));
    const intervals = scoreIntervals(ids, keyIds(good), { seed: 5, resamples: 500 });
    expect(result.rows[1]).toMatchObject({ ...intervals, shares: score.shares, weightedOfAll: score.weighted });
    expect(result.rows[2].weightedOfAll).toBeCloseTo((result.rows[2].weighted.estimate * 76) / 80, 12);
    expect(result.rows[0].weightedSurestHalf).toBeNull();
    expect(result.rows[1].weightedSurestHalf).toBe(1); // its sure answers are right, and more than half
  });

  it('compares with the first on the tracks that both answered, corrected over the systems', () => {
    expect(result.baseline).toBe('base');
    expect(result.pairs.map(({ name, n }) => [name, n])).toEqual([
      ['good', 80],
      ['half', 76],
    ]);
    const raw = [good, half].map((one) => {
      const both = reference.filter(({ id }) => one.answers.has(id));
      const ids = both.map(({ keyId }) => keyId);
      const [a, b] = [keyIds(one, both), keyIds(base, both)];
      const uniform = createRng(5);
      const paired = pairedBootstrap(trackScores(ids, a, true), trackScores(ids, b, true), {
        uniform: () => uniform.uniform(),
        resamples: 500,
      });
      return { paired, test: mcnemar(a.map((key, i) => key === ids[i]), b.map((key, i) => key === ids[i])) }; // prettier-ignore
    });
    const pHolm = holm(raw.map(({ paired }) => paired.pValue));
    const pExact = holm(raw.map(({ test }) => test.pValue));
    result.pairs.forEach((pair, i) => {
      const { difference, low, high, pValue } = raw[i].paired;
      expect(pair.weightedBothFifths).toEqual({ estimate: difference, low, high, p: pValue, pHolm: pHolm[i] });
      const { b, c, pValue: p } = raw[i].test;
      expect(pair.exact).toEqual({ onlySystem: b, onlyBaseline: c, p, pHolm: pExact[i] });
    });
    expect(result.pairs[0].weighted.estimate).toBeGreaterThan(0);
    expect(result.pairs[0].weighted.pHolm).toBeLessThan(0.05);
  });

  it('turns its signs when system and baseline change places', () => {
    const turned = comparePeers(reference, [base, good], { baseline: 'good', seed: 5, resamples: 500 });
    const [{ weighted, exact }] = turned.pairs;
    const [straight] = comparePeers(reference, [base, good], { seed: 5, resamples: 500 }).pairs;
    expect(weighted.estimate).toBeCloseTo(-straight.weighted.estimate, 12);
    expect(weighted.low).toBeCloseTo(-straight.weighted.high, 12);
    expect([exact.onlySystem, exact.onlyBaseline]).toEqual([straight.exact.onlyBaseline, straight.exact.onlySystem]);
  });

  it('with common, every row stands on the same tracks', () => {
    const { rows, nTracks } = comparePeers(reference, [base, good, half], { common: true, resamples: 10 });
    expect(rows.map(({ n, unanswered }) => [n, unanswered])).toEqual([
      [76, 0],
      [76, 0],
      [76, 0],
    ]);
    expect(nTracks).toBe(80);
  });

  it('does not depend on transposing everything', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 11 }), (semitones) => {
        const moved = reference.map(({ id, keyId }) => ({ id, keyId: transposeKey(keyId, semitones) }));
        const systems = [base, good, half].map((one) => ({
          ...one,
          answers: new Map([...one.answers].map(([id, answer]) => [id, { ...answer, keyId: transposeKey(answer.keyId, semitones) }])), // prettier-ignore
        }));
        expect(comparePeers(moved, systems, { seed: 5, resamples: 20 })).toEqual(
          comparePeers(reference, [base, good, half], { seed: 5, resamples: 20 }),
        );
      }),
      { numRuns: 5 },
    );
  });

  it('reports systems without answers, and compares with the first that has some', () => {
    const silent = { name: 'silent', answers: new Map(), problems: new Map([['t0', 'no sound']]), notes: [] };
    const failed = [{ name: 'broken', reason: 'is not installed' }];
    const with_ = comparePeers(reference, [silent, base, good], { resamples: 10 }, failed);
    expect(with_.failed).toEqual([failed[0], { name: 'silent', reason: 'no sound' }]);
    expect([with_.baseline, with_.rows.length, with_.pairs.length]).toEqual(['base', 2, 1]);
    // A baseline that failed leaves no pairs, and nothing takes its place in silence.
    const without = comparePeers(reference, [base], { baseline: 'broken', resamples: 10 }, failed);
    expect([without.baseline, without.pairs, without.rows.length]).toEqual([null, [], 1]);
    const none = comparePeers(reference, [silent], {}, failed);
    expect([none.rows, none.pairs]).toEqual([[], []]);
  });

  it('refuses no tracks, names that come twice, an unknown baseline', () => {
    expect(() => comparePeers([], [base])).toThrow(/no track has a reference key/);
    expect(() => comparePeers(reference, [base, base])).toThrow(/two systems are called "base"/);
    expect(() => comparePeers(reference, [base], { baseline: 'x' })).toThrow(/found "x", expected one of base/);
  });
});

describe('tables', () => {
  it('have a row a system and a row a pair, and say what n is', () => {
    const result = comparePeers(reference, [base, good, half], { resamples: 50 });
    const scores = peerTable(result);
    expect(scores.rows.map((row) => row.length)).toEqual([12, 12, 12]);
    expect(scores.rows[2].slice(0, 3)).toEqual(['half', 76, 4]);
    expect(scores.caption).toMatch(/each row stands on its own n; 76 tracks were answered by all/);
    expect(peerTable(comparePeers(reference, [base], { resamples: 5 })).caption).not.toMatch(/its own n/);
    const pairs = peerPairsTable(result);
    expect(pairs.rows.map((row) => row.length)).toEqual([9, 9]);
    expect(pairs.caption).toMatch(/minus base on the tracks that both answered/);
  });
});
