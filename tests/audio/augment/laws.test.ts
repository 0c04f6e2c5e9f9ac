import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Augmentation,
  applyAugmentation,
  AUGMENTATION_IDS,
  augmentationInfo,
  type AugmentationId,
  labelShift,
} from '../../../lib/src/audio/index.js';
import { createRng } from '../../../lib/src/tensor/index.js';
import { parallelMap } from '../../../lib/src/workers/index.js';
import { tune } from './signals.js';

const rng = createRng(7);
const short = tune(9000);

/** Any strength of an augmentation, ends of the range included. */
const strengths = (id: AugmentationId): fc.Arbitrary<number> => {
  const { only, range } = augmentationInfo(id);
  return only
    ? fc.constantFrom(...only)
    : fc.oneof(fc.constantFrom(...range), fc.double({ min: range[0], max: range[1], noNaN: true }));
};

describe('the registry', () => {
  it.each(AUGMENTATION_IDS)('%s: strengths and defaults lie in their ranges', (id) => {
    const { range, only, defaultStrengths, neutral, options, labelShiftPerUnit } = augmentationInfo(id);
    for (const strength of [...defaultStrengths, ...(only ?? []), ...(neutral === null ? [] : [neutral])]) {
      expect(strength).toBeGreaterThanOrEqual(range[0]);
      expect(strength).toBeLessThanOrEqual(range[1]);
    }
    if (only) expect(only).toEqual(expect.arrayContaining([...defaultStrengths]));
    expect(defaultStrengths).not.toContain(neutral);
    expect(new Set(defaultStrengths).size).toBe(defaultStrengths.length);
    for (const option of Object.values(options)) {
      expect(option.default).toBeGreaterThanOrEqual(option.range[0]);
      expect(option.default).toBeLessThanOrEqual(option.range[1]);
    }
    expect(labelShiftPerUnit === 1).toBe(id === 'pitchShift');
  });

  it('only a pitch shift moves the label, by its semitones', () => {
    for (const id of AUGMENTATION_IDS)
      for (const strength of augmentationInfo(id).defaultStrengths)
        expect(labelShift({ id, strength })).toBe(id === 'pitchShift' ? strength : 0);
  });
});

describe('every augmentation', () => {
  it.each(AUGMENTATION_IDS)('%s: the neutral strength is the identity, bit for bit, in a new array', async (id) => {
    const { neutral } = augmentationInfo(id);
    if (neutral === null) return expect(['whiteNoise', 'pinkNoise', 'mp3', 'opus']).toContain(id);
    const out = await applyAugmentation(short, { id, strength: neutral }, rng);
    expect(out).toEqual(short);
    expect(out).not.toBe(short);
  });

  it.each(AUGMENTATION_IDS)('%s: other strengths change the audio, and the input stays as it was', async (id) => {
    const before = short.slice();
    for (const strength of augmentationInfo(id).defaultStrengths.slice(0, 2))
      expect(await applyAugmentation(short, { id, strength }, rng)).not.toEqual(short);
    expect(short).toEqual(before);
  });

  it.each(AUGMENTATION_IDS)('%s: the same seed gives the same bits, another one others if it draws any', async (id) => {
    const strength = augmentationInfo(id).defaultStrengths[0];
    const [a, b, c] = [
      await applyAugmentation(short, { id, strength }, createRng(1)),
      await applyAugmentation(short, { id, strength }, createRng(1)),
      await applyAugmentation(short, { id, strength }, createRng(2)),
    ];
    expect(a).toEqual(b);
    if (augmentationInfo(id).random) expect(a).not.toEqual(c);
    else expect(a).toEqual(c);
  });

  it('gives the same bits on other threads', async () => {
    const specs = AUGMENTATION_IDS.map((id) => ({ id, strength: augmentationInfo(id).defaultStrengths[0] }));
    const tasks = new URL('./tasks.js', import.meta.url);
    const there = await parallelMap<Augmentation, Float32Array>(tasks, 'augment', specs, { threads: 2, init: short });
    for (const [k, spec] of specs.entries())
      expect(there[k], spec.id).toEqual(await applyAugmentation(short, spec, createRng('thread')));
  });

  it('leaves the generator where it was', async () => {
    const generator = createRng(3);
    const before = generator.state();
    await applyAugmentation(short, { id: 'whiteNoise', strength: 10 }, generator);
    expect(generator.state()).toEqual(before);
  });

  it.each(AUGMENTATION_IDS)('%s: silence stays silence', async (id) => {
    for (const length of [0, 1, 5000])
      for (const strength of augmentationInfo(id).defaultStrengths.slice(-2)) {
        const out = await applyAugmentation(new Float32Array(length), { id, strength }, rng);
        expect(out.every((value) => value === 0)).toBe(true);
      }
  });

  it.each(AUGMENTATION_IDS)('%s: any length, strength and level: finite, the length as documented', async (id) => {
    const lengths = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 6000 }));
    await fc.assert(
      fc.asyncProperty(
        lengths,
        strengths(id),
        fc.integer({ min: -20, max: 3 }),
        fc.nat(),
        async (n, strength, exponent, seed) => {
          const draw = createRng(seed);
          const x = Float32Array.from({ length: n }, () => 10 ** exponent * draw.normal());
          const out = await applyAugmentation(x, { id, strength }, draw);
          expect(out).toHaveLength(augmentationInfo(id).keepsLength ? n : Math.round(strength * n));
          expect(out.every(Number.isFinite)).toBe(true);
          expect(await applyAugmentation(x, { id, strength }, draw)).toEqual(out);
        },
      ),
      { numRuns: 15, seed: 1 },
    );
  });
});

describe('bad input is refused with a sentence', () => {
  it.each(AUGMENTATION_IDS)('%s: strengths out of range, none, or not offered', async (id) => {
    const { range, only } = augmentationInfo(id);
    const bad = [range[0] - 0.01, range[1] + 0.01, NaN, Infinity, '3' as unknown as number];
    if (only) bad.push((only[0] + only[1]) / 2);
    for (const strength of bad)
      await expect(applyAugmentation(short, { id, strength }, rng)).rejects.toThrow(
        new RegExp(`augmentation ${id}, strength: .*${String(strength)}.* was found, .* was expected`),
      );
  });

  it('unknown ids and options, options out of range', async () => {
    const apply = (id: string, options?: Record<string, number>) =>
      applyAugmentation(short, { id: id as AugmentationId, strength: 1000, options }, rng);
    await expect(apply('toString')).rejects.toThrow(/id: 'toString' was found, one of gain, .* was expected/);
    await expect(apply('lowPass', { slope: 3 })).rejects.toThrow(/lowPass, option slope: .*order was expected/);
    await expect(apply('lowPass', { order: 2.5 })).rejects.toThrow(
      /option order: 2.5 was found, a whole number from 1/,
    );
    await expect(apply('lowPass', { order: 99 })).rejects.toThrow(/option order: 99/);
    await expect(apply('bandStop', { centreHz: 7000 })).rejects.toThrow(/option centreHz: 7000/);
    await expect(
      applyAugmentation(short, { id: 'bandStop', strength: 6000, options: { centreHz: 4000 } }, rng),
    ).rejects.toThrow(/strength: a band 6000 Hz wide about 4000 Hz reaches up to 8000 Hz, less than 8000 Hz/);
  });

  it('samples that are no audio', async () => {
    for (const value of [NaN, Infinity, 1e9])
      await expect(applyAugmentation(Float32Array.of(0, value), { id: 'gain', strength: 0 }, rng)).rejects.toThrow(
        /augmentation gain, samples: sample 1 is .* was expected/,
      );
  });
});
