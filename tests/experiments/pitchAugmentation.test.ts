import { describe, expect, it } from 'vitest';
import { chainShift, presetOf, type Run } from '../../lib/src/experiments/index.js';
import { configsFor, trainingShifts } from '../../lib/src/experiments/grid/pitchAugmentation.js';

const runOf = (name: string) => ({ preset: presetOf(name) }) as unknown as Run;

describe('transposed training audio', () => {
  it.each(['laptop', 'study', 'paper'])('%s hears every clip in all twelve keys, −6 to +5 semitones', (name) => {
    const shifts = trainingShifts(runOf(name)).map(chainShift);
    expect(shifts).toEqual([-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5]);
    expect(new Set([0, ...shifts].map((shift) => (shift + 12) % 12)).size).toBe(12);
  });

  it('makes about as many steps on few clips as on the whole split, of every configuration alike', () => {
    const [a, b] = configsFor([{ epochs: 60 }, { epochs: 40, batchSize: 32 }], 1920, 480);
    const steps = ({ epochs, batchSize = 64 }: typeof a, clips: number) => epochs! * Math.ceil(clips / batchSize);
    expect(Math.abs(steps(a, 480) - 60 * 30)).toBeLessThanOrEqual(4);
    expect(Math.abs(steps(b, 480) - 40 * 60)).toBeLessThanOrEqual(8);
  });
});
