import { describe, expect, it } from 'vitest';
import { applyAugmentation, AUGMENTATION_IDS, AUGMENTATIONS } from '../../lib/src/audio/index.js';
import { abstain } from '../../lib/src/experiments/robustness/abstention.js';
import { agreementOf, averageCopies, copiesOf, moveLogits } from '../../lib/src/experiments/robustness/equivariance.js';
import {
  areaWeights,
  chanceScore,
  halfLost,
  reachOf,
  sidesOf,
  strengthAt,
  strengthAxis,
} from '../../lib/src/experiments/robustness/robustnessCurves.js';
import { cutOff, decayTime, partialCents, tiltSlope } from '../../lib/src/experiments/robustness/robustnessSounds.js';
import { largest } from '../../lib/src/experiments/robustness/robustnessSystems.js';
import { scoreKeys } from '../../lib/src/keys/index.js';
import { drawResamples, riskCoverage, scoreAtCoverage } from '../../lib/src/stats/index.js';
import { createRng } from '../../lib/src/tensor/index.js';

const RATE = 16000;
const ruler = { allowDescendingFifths: false };

describe('strength axes', () => {
  it.each(AUGMENTATION_IDS.map((id) => [id]))('%s: rising positions, each strength found again', (id) => {
    const axis = strengthAxis(id, AUGMENTATIONS[id].defaultStrengths);
    axis.positions.forEach((position, j) => {
      expect(strengthAt(axis, position)).toBeCloseTo(axis.strengths[j], 9);
      if (j > 0) expect(position).toBeGreaterThan(axis.positions[j - 1]);
      expect(position).not.toBe(axis.clean.position);
    });
    const { neutral } = AUGMENTATIONS[id];
    if (axis.clean.isNeutral) expect(strengthAt(axis, axis.clean.position)).toBeCloseTo(neutral!, 9);
    else expect(axis.clean.position).toBeLessThan(axis.positions[0]);
    const weights = areaWeights(axis);
    expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect(weights[0] > 0).toBe(axis.clean.isNeutral);
    expect(sidesOf(axis).flatMap(({ places }) => places)).toHaveLength(axis.positions.length);
  });

  it('the area of a straight line is its middle, whatever the spacing', () => {
    const axis = strengthAxis('tilt', [-6, -3, -1.5, 1.5, 3, 6]);
    const line = [0, ...axis.positions].map((x) => 2 + x / 6);
    expect(areaWeights(axis).reduce((sum, weight, i) => sum + weight * line[i], 0)).toBeCloseTo(2, 12);
  });
});

describe('half of the score above chance', () => {
  const noise = strengthAxis('whiteNoise', [40, 30, 20, 10, 0]);
  const places = sidesOf(noise)[0].places;

  it('is found between two strengths', () => {
    const distance = halfLost(noise, places, [0.9, 0.9, 0.7, 0.3, 0.1], 0.9, 0.1); // half = 0.5, between 20 and 10 dB
    expect(reachOf(noise, 'right', distance)).toBeCloseTo(15, 9);
  });

  it('says when it lies before or beyond what was tested, and when there is nothing to lose', () => {
    expect(reachOf(noise, 'right', halfLost(noise, places, [0.2, 0, 0, 0, 0], 0.9, 0.1))).toBe('before');
    expect(reachOf(noise, 'right', halfLost(noise, places, [0.9, 0.9, 0.9, 0.9, 0.6], 0.9, 0.1))).toBe('beyond');
    expect(halfLost(noise, places, [0, 0, 0, 0, 0], 0.1, 0.1)).toBeNaN();
    const tuning = strengthAxis('tuning', [-50, 50]);
    const distance = halfLost(tuning, [0], [0.1, 0.9], 0.9, 0.1);
    expect(reachOf(tuning, 'left', distance)).toBeCloseTo(-25, 9);
  });

  it('chance is what blind answers score', () => {
    const all = Array.from({ length: 24 * 24 }, (_, i) => i);
    const { weighted } = scoreKeys(
      all.map((i) => Math.floor(i / 24)),
      all.map((i) => i % 24),
    );
    expect(chanceScore(ruler)).toBeCloseTo(weighted, 12);
    expect(chanceScore(ruler)).toBeCloseTo(2 / 24, 12);
  });
});

describe('transposition', () => {
  const rng = createRng(3);
  const logits = Float32Array.from({ length: 5 * 24 }, () => rng.normal());

  it('logits moved up and back are the same; an octave changes nothing', () => {
    expect(moveLogits(moveLogits(logits, 5), -5)).toEqual(logits);
    expect(moveLogits(logits, 12)).toEqual(logits);
    expect(largest(moveLogits(logits, 2))).toEqual(largest(logits).map((keyId) => (keyId + 4) % 24));
  });

  it('a detector that moves along agrees everywhere, one that stays agrees nowhere', () => {
    const along = agreementOf([logits], [moveLogits(logits, 3)], 3);
    expect([...along.moves]).toEqual([1, 1, 1, 1, 1]);
    expect([...along.stays]).toEqual([0, 0, 0, 0, 0]);
    for (const correlation of along.correlation) expect(correlation).toBeCloseTo(1, 6);
    const deaf = agreementOf([logits], [logits], 3);
    expect([...deaf.moves]).toEqual([0, 0, 0, 0, 0]);
    expect([...deaf.stays]).toEqual([1, 1, 1, 1, 1]);
  });

  it('averaging copies of a perfect detector changes no answer; twelve pitch classes once each', () => {
    const shifts = copiesOf([-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6]);
    expect(shifts).toEqual([0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, -6]);
    const copies = shifts.map((shift) => moveLogits(logits, shift));
    for (const by of ['logits', 'probabilities'] as const)
      expect(largest(averageCopies(copies, shifts, by))).toEqual(largest(logits));
  });
});

describe('abstention', () => {
  const rng = createRng(4);
  const sureness = Float64Array.from({ length: 40 }, () => rng.uniform());
  const scores = sureness.map((sure) => (rng.uniform() < sure ? 1 : 0));
  const drawn = drawResamples(40, { uniform: () => rng.uniform(), resamples: 200 });

  it('agrees with risk against coverage at every share', () => {
    const curve = riskCoverage(sureness, scores);
    const { intervals } = abstain([sureness], [scores], drawn);
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1].forEach((share, c) => {
      expect(intervals[c].estimate).toBeCloseTo(scoreAtCoverage(curve, share), 3);
      expect(intervals[c].low).toBeLessThanOrEqual(intervals[c].high);
    });
  });

  it('of all tracks a resample has the mean of what was drawn', () => {
    const { replicates } = abstain([sureness, sureness], [scores, scores], drawn);
    const first = Array.from(drawn.draws.subarray(0, 40), (track) => scores[track]);
    expect(replicates[9][0]).toBeCloseTo(first.reduce((a, b) => a + b) / 40, 12);
  });
});

describe('strengths read from sound', () => {
  const impulse = new Float32Array(RATE);
  impulse[0] = 1;

  it.each([['lowPass'], ['highPass']] as const)('%s: the -3 dB point', async (id) => {
    for (const strength of [125, 1000, 4000])
      expect(cutOff(await applyAugmentation(impulse, { id, strength }, createRng(0))) / strength).toBeCloseTo(1, 2);
  });

  it('tilt, reverberation and cents', async () => {
    expect(tiltSlope(await applyAugmentation(impulse, { id: 'tilt', strength: 3 }, createRng(0)))).toBeCloseTo(3, 1);
    const decaying = Float32Array.from({ length: 2 * RATE }, (_, i) => 10 ** ((-3 * i) / (0.8 * RATE)));
    expect(decayTime(decaying)).toBeCloseTo(0.8, 3);
    const tone = Float32Array.from({ length: 3 * RATE }, (_, i) => Math.sin((2 * Math.PI * 442 * i) / RATE));
    expect(partialCents(tone, 440, RATE)).toBeCloseTo(1200 * Math.log2(442 / 440), 2);
  });
});
