import { describe, expect, it } from 'vitest';
import { CIRCLE_OF_FIFTHS, KEYS, scoreKeys } from '../../lib/src/keys/index.js';
import { comparedPairs, type Estimates } from '../../lib/src/experiments/probing/comparison.js';
import { fifthsBetween } from '../../lib/src/experiments/index.js';
import { BOTH_FIFTHS, FIFTH_ABOVE, trackHits, trackMeans } from '../../lib/src/experiments/probing/scores.js';

const reference = [0, 7, 14, 23];
const estimates = [
  [0, 7, 0, 22],
  [14, 7, 14, 23],
];

describe('scores of several seeds', () => {
  it('the mean over tracks of the mean over seeds is the mean of the seeds’ scores', () => {
    const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;
    const scores = estimates.map((ofSeed) => scoreKeys(reference, ofSeed));
    expect(mean(trackMeans(reference, estimates, FIFTH_ABOVE))).toBeCloseTo(
      (scores[0].weighted + scores[1].weighted) / 2,
      12,
    );
    expect(mean(trackMeans(reference, estimates, BOTH_FIFTHS))).toBeCloseTo(
      (scores[0].weightedBothFifths + scores[1].weightedBothFifths) / 2,
      12,
    );
    expect(mean(trackHits(reference, estimates))).toBeCloseTo((scores[0].accuracy + scores[1].accuracy) / 2, 12);
  });
});

describe('fifths between tonics', () => {
  it('+1 is a fifth above, -1 a fifth below, and a tritone is 6', () => {
    expect(fifthsBetween(0, 7)).toBe(1);
    expect(fifthsBetween(0, 5)).toBe(-1);
    expect(fifthsBetween(11, 6)).toBe(1);
    expect(fifthsBetween(3, 9)).toBe(6);
  });

  it('walks the circle of fifths one by one', () => {
    const majors = CIRCLE_OF_FIFTHS.map((keyId) => KEYS[keyId]).filter((key) => key.mode === 'major');
    majors.forEach((key, i) => expect(fifthsBetween(key.tonic, majors[(i + 1) % 12].tonic)).toBe(1));
  });
});

describe('compared pairs', () => {
  const system = (id: string, family: Estimates['family'], method: Estimates['method'] = 'linear'): Estimates => ({
    id,
    label: id,
    family,
    method,
    seedsOf: 'probe',
    bySplit: { test: [[0]], testTimbre: [[0]] },
  });
  const all = [
    system('mel-mean-linear', 'spectrum'),
    system('vertical-random-linear', 'random'),
    system('square-random-linear', 'random'),
    system('vertical-pretrained-linear', 'pretrained'),
    system('vertical-pretrained-layer-linear', 'pretrained'),
    system('vertical-pretrained-mlp', 'pretrained', 'mlp'),
    system('square-pretrained-linear', 'pretrained'),
    system('vertical-anywhere-linear', 'pretrained'),
    system('vertical-real-linear', 'pretrained'),
  ];

  it('hold the paper’s claims, and each variant against random and against the base', () => {
    const pairs = comparedPairs(all).map(([a, b]) => `${a.id} > ${b.id}`);
    expect(pairs).toContain('vertical-pretrained-linear > vertical-random-linear');
    expect(pairs).toContain('vertical-pretrained-linear > square-pretrained-linear');
    expect(pairs.filter((pair) => pair.startsWith('vertical-anywhere'))).toEqual([
      'vertical-anywhere-linear > vertical-random-linear',
      'vertical-anywhere-linear > vertical-pretrained-linear',
    ]);
    expect(pairs.filter((pair) => pair.startsWith('vertical-real'))).toHaveLength(2);
    expect(new Set(pairs).size).toBe(pairs.length);
  });
});
