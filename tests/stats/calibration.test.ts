import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bootstrapInterval,
  brierScores,
  calibratedErrors,
  classwiseCalibrationError,
  confidences,
  expectedCalibrationError,
  fitTemperature,
  type LogitAnswers,
  mean,
  negativeLogLikelihoods,
  probabilities,
  quantileOfSorted,
  reliabilityBins,
  riskCoverage,
  scoreAtCoverage,
  softmax,
  TEMPERATURE_RANGE,
} from '../../lib/src/stats/index.js';

/** The room imports nothing, so its tests bring their own generator (mulberry32). */
function uniformOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Answers that are honest at `temperature`: labels are drawn from softmax(logits / temperature). */
function simulated(n: number, temperature: number, seed: number, nClasses = 24): LogitAnswers {
  const uniform = uniformOf(seed);
  const logits = Float64Array.from({ length: n * nClasses }, () => 6 * (uniform() - 0.5));
  const labels = Int32Array.from({ length: n }, (_, i) => {
    const shares = softmax(logits.subarray(i * nClasses, (i + 1) * nClasses), temperature);
    let left = uniform();
    const drawn = shares.findIndex((share) => (left -= share) < 0);
    return drawn < 0 ? nClasses - 1 : drawn;
  });
  return { logits, labels, nClasses };
}

const binnings = ['equalWidth', 'equalMass'] as const;
const outcome = fc.record({ confidence: fc.double({ min: 0, max: 1, noNaN: true }), correct: fc.constantFrom(0, 1) });

describe('softmax and margins', () => {
  test('the hand-computed example', () => {
    // Logits log 6, log 3, log 1: shares .6, .3, .1.
    const answers = { logits: [6, 3, 1].map(Math.log), labels: [1], nClasses: 3 };
    const shares = softmax(answers.logits);
    [0.6, 0.3, 0.1].forEach((share, k) => expect(shares[k]).toBeCloseTo(share, 14));
    // At temperature 1/2 the shares are squared: 36 : 9 : 1.
    expect(softmax(answers.logits, 0.5)[0]).toBeCloseTo(36 / 46, 14);
    const { confidence, predicted, correct, margin, logitMargin } = confidences(answers);
    expect([predicted[0], correct[0]]).toEqual([0, 0]);
    expect(confidence[0]).toBeCloseTo(0.6, 14);
    expect(margin[0]).toBeCloseTo(0.3, 14);
    expect(logitMargin[0]).toBeCloseTo(Math.log(2), 14);
    expect(confidences(answers, 2).logitMargin[0]).toBeCloseTo(Math.log(2) / 2, 14);
    expect(negativeLogLikelihoods(answers)[0]).toBeCloseTo(-Math.log(0.3), 14);
    expect(brierScores(answers)[0]).toBeCloseTo(0.36 + 0.49 + 0.01, 14);
  });

  test('law: shares add up to 1 and do not move with the logits, however large these are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 2, maxLength: 24 }),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        (logits, temperature) => {
          const shares = softmax(logits, temperature);
          expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
          const moved = softmax(
            logits.map((logit) => logit + 1000),
            temperature,
          );
          shares.forEach((share, k) => expect(moved[k]).toBeCloseTo(share, 9)); // 1000 costs three digits
        },
      ),
    );
    expect([...softmax([1e4, 0])]).toEqual([1, 0]);
    expect(negativeLogLikelihoods({ logits: [1e4, 0], labels: [1], nClasses: 2 })[0]).toBe(1e4);
  });
});

describe('expected calibration error', () => {
  // Six answers; right ones at .95, .85, .55.
  const confidence = [0.95, 0.85, 0.75, 0.55, 0.45, 0.35];
  const correct = [1, 1, 0, 1, 0, 0];

  test('golden: two bins of six answers, by hand', () => {
    // (0, .5]: .45, .35, none right, gap .4, share 1/3. (.5, 1]: mean .775, 3 of 4 right, gap .025, share 2/3.
    const width = reliabilityBins(confidence, correct, { binning: 'equalWidth', bins: 2 });
    expect(width.map(({ count, low, high, accuracy }) => [count, low, high, accuracy])).toEqual([
      [2, 0.35, 0.45, 0],
      [4, 0.55, 0.95, 0.75],
    ]);
    expect(width[1].confidence).toBeCloseTo(0.775, 14);
    const byWidth = { binning: 'equalWidth', bins: 2 } as const;
    expect(expectedCalibrationError(confidence, correct, byWidth)).toBeCloseTo(0.4 / 3 + 0.025 * (2 / 3), 14);
    // Halves: .35 .45 .55 with one right, gap .45 - 1/3; .75 .85 .95 with two right, gap .85 - 2/3.
    const byMass = { binning: 'equalMass', bins: 2 } as const;
    const gaps = (0.45 - 1 / 3 + (0.85 - 2 / 3)) / 2;
    expect(expectedCalibrationError(confidence, correct, byMass)).toBeCloseTo(gaps, 14);
    // One answer turned around is seen.
    expect(expectedCalibrationError(confidence, [0, 1, 0, 1, 0, 0], byMass)).not.toBeCloseTo(gaps, 3);
  });

  test('golden: a confidence on an edge belongs to the bin below it, 0 to the first', () => {
    const bins = reliabilityBins([0, 0.5, 0.6, 1], [0, 1, 1, 1], { binning: 'equalWidth', bins: 2 });
    expect(bins.map(({ count }) => count)).toEqual([2, 2]);
  });

  test.each(binnings)('law: in 0..1, and not moved by the order of the answers (%s)', (binning) => {
    fc.assert(
      fc.property(
        // Few distinct values, so that there are ties.
        fc.array(
          fc.oneof(
            outcome,
            fc.record({ confidence: fc.constantFrom(0, 0.25, 0.5, 1), correct: fc.constantFrom(0, 1) }),
          ),
          { minLength: 1, maxLength: 60 },
        ),
        fc.integer({ min: 1, max: 20 }),
        fc.infiniteStream(fc.nat()),
        (rows, bins, keys) => {
          const error = (of: typeof rows): number =>
            expectedCalibrationError(
              of.map((row) => row.confidence),
              of.map((row) => row.correct),
              { binning, bins },
            );
          const shuffled = rows
            .map((row) => ({ row, key: keys.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .map(({ row }) => row);
          const value = error(rows);
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
          expect(error(shuffled)).toBeCloseTo(value, 12); // sums in another order
          const grouped = reliabilityBins(
            rows.map((row) => row.confidence),
            rows.map((row) => row.correct),
            { binning, bins },
          );
          expect(grouped.reduce((sum, bin) => sum + bin.count, 0)).toBe(rows.length);
          expect(grouped.length).toBeLessThanOrEqual(bins);
        },
      ),
    );
  });

  test.each(binnings)('law: honest answers have a small error, boastful ones the one put in (%s)', (binning) => {
    const answers = simulated(20_000, 1, 1);
    const { confidence: honest, correct: right } = confidences(answers);
    // 15 bins of 20,000: about 15 * sqrt(2 p (1 - p) / (pi * 20000 / 15)) / 15 = .01.
    expect(expectedCalibrationError(honest, right, { binning })).toBeLessThan(0.015);
    const boastful = honest.map((value) => Math.min(1, value + 0.2));
    expect(expectedCalibrationError(boastful, right, { binning })).toBeCloseTo(0.2, 1);
    expect(classwiseCalibrationError(answers, { binning })).toBeLessThan(0.01);
  });

  test('law: the error of honest answers lies where the simulation says', () => {
    const uniform = uniformOf(5);
    let within = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { confidence: honest, correct: right } = confidences(simulated(150, 1, 100 + seed));
      const errors = calibratedErrors(honest, { binning: 'equalMass', uniform, repeats: 100 });
      if (expectedCalibrationError(honest, right, { binning: 'equalMass' }) <= quantileOfSorted(errors, 0.95)) within++;
    }
    // .95 * 60 = 57, standard deviation 1.7.
    expect(within).toBeGreaterThan(51);
    expect(within).toBeLessThan(61);
  });

  test('an interval over tracks: bootstrap of the places of the answers', () => {
    const { confidence: honest, correct: right } = confidences(simulated(300, 2, 3));
    const places = Float64Array.from(honest, (_, i) => i);
    const { estimate, low, high } = bootstrapInterval(places, {
      uniform: uniformOf(1),
      resamples: 200,
      statistic: (sample) =>
        expectedCalibrationError(
          sample.map((i) => honest[i]),
          sample.map((i) => right[i]),
          { binning: 'equalMass' },
        ),
    });
    expect(low).toBeLessThan(estimate);
    expect(estimate).toBeLessThan(high);
  });
});

describe('fitTemperature', () => {
  test.each([0.5, 1, 2.5])('recovers the temperature %f that the labels were drawn with', (temperature) => {
    const answers = simulated(8000, temperature, 11);
    const fitted = fitTemperature(answers);
    expect(Math.abs(fitted / temperature - 1)).toBeLessThan(0.05);
    // Nothing near is better.
    const loss = (t: number): number => mean(negativeLogLikelihoods(answers, t));
    expect(loss(fitted)).toBeLessThanOrEqual(loss(fitted * 1.01));
    expect(loss(fitted)).toBeLessThanOrEqual(loss(fitted * 0.99));
  });

  test('mends known overconfidence without moving an answer', () => {
    const honest = simulated(6000, 1, 12);
    const loud = { ...honest, logits: Float64Array.from(honest.logits, (logit) => 3 * logit) };
    const temperature = fitTemperature(loud);
    expect(Math.abs(temperature / 3 - 1)).toBeLessThan(0.05);
    const [before, after] = [confidences(loud), confidences(loud, temperature)];
    const error = ({ confidence, correct }: typeof before): number =>
      expectedCalibrationError(confidence, correct, { binning: 'equalMass' });
    expect(error(before)).toBeGreaterThan(0.2);
    expect(error(after)).toBeLessThan(0.03);
    expect(after.predicted).toEqual(before.predicted);
  });

  test('ends at the range where there is no minimum', () => {
    expect(fitTemperature({ logits: [1, 0], labels: [0], nClasses: 2 })).toBe(TEMPERATURE_RANGE[0]);
    expect(fitTemperature({ logits: [1, 0], labels: [1], nClasses: 2 })).toBe(TEMPERATURE_RANGE[1]);
  });

  test('law: proper scores are least, in the mean, for the true temperature', () => {
    const answers = simulated(20_000, 1, 13);
    for (const score of [brierScores, negativeLogLikelihoods])
      for (const wrong of [0.5, 2]) expect(mean(score(answers))).toBeLessThan(mean(score(answers, wrong)));
  });
});

describe('riskCoverage', () => {
  test('the hand-computed example', () => {
    // By confidence: right, wrong, right, wrong.
    const curve = riskCoverage([0.2, 0.9, 0.4, 0.6], [0, 1, 1, 0]);
    expect([...curve.coverage]).toEqual([0.25, 0.5, 0.75, 1]);
    expect([...curve.score]).toEqual([1, 1 / 2, 2 / 3, 1 / 2]);
    expect([...curve.threshold]).toEqual([0.9, 0.6, 0.4, 0.2]);
    expect(curve.area).toBeCloseTo((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4, 14);
    expect(curve.bestArea).toBeCloseTo((0 + 0 + 1 / 3 + 1 / 2) / 4, 14);
    expect(scoreAtCoverage(curve, 0.5)).toBe(1 / 2);
    expect(scoreAtCoverage(curve, 0.51)).toBe(2 / 3);
    expect(scoreAtCoverage(curve, 1)).toBe(1 / 2);
  });

  test('law: full coverage is the mean; the area lies above the best; equals do not depend on their order', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ confidence: fc.constantFrom(0.1, 0.2, 0.3, 0.4), score: fc.constantFrom(0, 0.2, 0.3, 0.5, 1) }),
          { minLength: 1, maxLength: 40 },
        ),
        (rows) => {
          const of = (list: typeof rows) =>
            riskCoverage(
              list.map((row) => row.confidence),
              list.map((row) => row.score),
            );
          const curve = of(rows);
          expect(curve.score.at(-1)!).toBeCloseTo(mean(rows.map((row) => row.score)), 12);
          expect(curve.area).toBeGreaterThanOrEqual(curve.bestArea - 1e-12);
          expect(of([...rows].reverse())).toEqual(curve);
        },
      ),
    );
  });

  test('a confidence that says nothing is flat at the mean', () => {
    expect([...riskCoverage([0.5, 0.5, 0.5], [1, 0, 0.5]).score]).toEqual([0.5, 0.5, 0.5]);
  });
});

test('bad input is refused with what was found', () => {
  expect(() => softmax([1, 2], 0)).toThrow('temperature 0; expected a finite number above 0');
  expect(() => probabilities({ logits: [1, 2, 3], labels: [0, 1], nClasses: 2 })).toThrow(
    '3 logits for 2 labels; expected [2, 2]',
  );
  expect(() => confidences({ logits: [1, NaN], labels: [0], nClasses: 2 })).toThrow('logit 1 is NaN');
  expect(() => brierScores({ logits: [1, 2], labels: [2], nClasses: 2 })).toThrow('label 0 is 2');
  expect(() => expectedCalibrationError([0.5], [0.5], { binning: 'equalMass' })).toThrow('outcome 0 is 0.5');
  expect(() => expectedCalibrationError([1.5], [1], { binning: 'equalMass' })).toThrow('expected a probability');
  expect(() => reliabilityBins([0.5], [1], { binning: 'equalMass', bins: 0 })).toThrow('bins 0');
  expect(() => riskCoverage([1], [2])).toThrow('score 0 is 2');
  expect(() => scoreAtCoverage(riskCoverage([1], [1]), 0)).toThrow('coverage 0');
});
