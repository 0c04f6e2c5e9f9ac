import { describe, expect, it } from 'vitest';
import { evaluateMap, keyPermutation, shiftStatistics, shiftSums, trackStatistics, trackSums } from '../../lib/src/maps/index.js'; // prettier-ignore
import { pairsOf, resampled, someMap } from './fixture.js';

const train = pairsOf(someMap(1, 6), 40, { prefix: 'train', noise: 0.1 });
const test = pairsOf(someMap(1, 6), 24, { prefix: 'test', noise: 0.1 });
const all = Array.from({ length: 6 }, (_, track) => track);

describe('sums per track', () => {
  it('give the measures of the whole test set', () => {
    const statistics = trackStatistics(trackSums(someMap(2, 6), test, { train }));
    const whole = evaluateMap(someMap(2, 6), test, { train, bootstrap: resampled() });
    for (const measure of ['r2', 'explainedChange', 'cosine', 'centredCosine', 'relativeError'] as const)
      expect(statistics[measure](all)).toBeCloseTo(whole[measure].estimate, 12);
    expect(statistics.top1(all)).toBe(whole.retrieval!.top1.estimate);
    expect(statistics.meanReciprocalRank(all)).toBeCloseTo(whole.retrieval!.meanReciprocalRank.estimate, 12);
  });

  it('of a track say what the track alone would', () => {
    const statistics = trackStatistics(trackSums(someMap(2, 6), test, { train, similarity: null }));
    const alone = { ...test, n: 4, clean: test.clean.slice(0, 24), augmented: test.augmented.slice(0, 24), trackOf: test.trackOf.slice(0, 4) }; // prettier-ignore
    const whole = evaluateMap(someMap(2, 6), alone, { train, bootstrap: resampled(), similarity: null });
    expect(statistics.explainedChange([0])).toBeCloseTo(whole.explainedChange.estimate, 12);
  });
});

describe('sums of shifted logits', () => {
  const nClips = 5;
  const before = Float64Array.from({ length: nClips * 24 }, (_, i) => Math.sin(i * i));
  for (let clip = 0; clip < nClips; clip++) {
    const own = before.subarray(24 * clip, 24 * (clip + 1));
    const mean = own.reduce((sum, value) => sum + value, 0) / 24;
    own.forEach((value, i) => (own[i] = value - mean));
  }
  const table = { nClips, trackOf: Int32Array.of(0, 0, 1, 1, 1) };
  const moved = (semitones: number): Float64Array => {
    const goesTo = keyPermutation(semitones);
    const out = new Float64Array(before.length);
    before.forEach((value, i) => (out[24 * Math.floor(i / 24) + goesTo[i % 24]] = value));
    return out;
  };

  it('find a permuted answer permuted, whatever the shift', () => {
    for (const semitones of [-5, 1, 7, 12]) {
      const { keyAgreement, logitCorrelation, logitError } = shiftStatistics(shiftSums(before, moved(semitones), semitones, table)); // prettier-ignore
      expect([keyAgreement([0, 1]), logitError([0, 1])]).toEqual([1, 0]);
      expect(logitCorrelation([0, 1])).toBeCloseTo(1, 12);
    }
  });

  it('see another shift, and refuse logits of other clips', () => {
    expect(shiftStatistics(shiftSums(before, moved(2), 1, table)).logitError([0, 1])).toBeGreaterThan(0.5);
    expect(() => shiftSums(before, before.slice(24), 1, table)).toThrow('expected 5 x 24 twice');
  });
});
