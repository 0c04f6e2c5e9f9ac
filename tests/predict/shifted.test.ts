import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { applyAugmentation } from '../../lib/src/audio/index.js';
import { NUM_KEYS, transposeKey } from '../../lib/src/keys/index.js';
import { loadKeyModel, meanOverShifts, predictSamples, shifted, TWELVE_SHIFTS } from '../../lib/src/predict/index.js';
import { createRng, initBackend } from '../../lib/src/tensor/index.js';
import { sweep } from '../audio/encodedFiles.js';
import { tinyModel } from './models.js';

const dir = mkdtempSync(join(tmpdir(), 'keymyna-shifted-'));
afterAll(() => rmSync(dir, { recursive: true }));
const pitchShift = (x: Float32Array, strength: number): Promise<Float32Array> =>
  applyAugmentation(x, { id: 'pitchShift', strength }, createRng(0));

async function joined(pieces: AsyncIterable<Float32Array>): Promise<Float32Array> {
  const all: number[] = [];
  for await (const piece of pieces) for (const sample of piece) all.push(sample);
  return Float32Array.from(all);
}

function* cut(samples: Float32Array, length: number): Generator<Float32Array> {
  for (let at = 0; at < samples.length; at += length) yield samples.subarray(at, at + length);
}

describe('shifted', () => {
  it('up to a minute: the bits of applyAugmentation; 0 semitones: the samples', async () => {
    const samples = sweep(5, 16000, 1)[0];
    expect(await joined(shifted(cut(samples, 7000), 0))).toEqual(samples);
    expect(await joined(shifted(cut(samples, 7000), -4))).toEqual(await pitchShift(samples, -4));
  });

  it('a longer one has the same length and leaves no seam', async () => {
    const hz = 220;
    const samples = Float32Array.from({ length: 130 * 16000 + 77 }, (_, i) => Math.sin((2 * Math.PI * hz * i) / 16000));
    const found = await joined(shifted(cut(samples, 50_000), 3));
    expect(found.length).toBe(samples.length);
    // Energy by tenths of a second, away from the ends: a hole or a peak would show.
    for (let at = 16000; at + 16000 < found.length; at += 1600) {
      const energy = found.subarray(at, at + 1600).reduce((sum, x) => sum + x * x, 0) / 1600;
      expect(Math.abs(energy - 0.5), `${at / 16000} s`).toBeLessThan(0.25);
    }
  });
});

describe('averageShifts', () => {
  it('twelve pitch classes, each once', () => {
    expect([...TWELVE_SHIFTS].map((shift) => (shift + 12) % 12).sort((a, b) => a - b)).toEqual([...Array(12).keys()]);
  });

  it('logits that move with the music average to themselves', () => {
    const own = Float32Array.from({ length: 2 * NUM_KEYS }, (_, i) => Math.fround(Math.sin(i)));
    const moved = TWELVE_SHIFTS.map((shift) => {
      const logits = new Float32Array(own.length);
      own.forEach((x, at) => (logits[at - (at % NUM_KEYS) + transposeKey(at % NUM_KEYS, shift)] = x));
      return logits;
    });
    meanOverShifts(moved, TWELVE_SHIFTS).forEach((x, at) => expect(x).toBeCloseTo(own[at], 6));
  });

  it('is the mean of twelve predictions, moved back', async () => {
    await initBackend();
    const model = loadKeyModel(tinyModel(dir));
    const samples = sweep(7, 16000, 1)[0];
    const each: Float32Array[] = [];
    for (const shift of TWELVE_SHIFTS) {
      const { clips } = await predictSamples(model, shift === 0 ? samples : await pitchShift(samples, shift));
      each.push(clips[0].logits);
    }
    const found = await predictSamples(model, samples, { averageShifts: true });
    expect([...found.clips[0].logits]).toEqual([...meanOverShifts(each, TWELVE_SHIFTS)]);
    expect(found.durationSeconds).toBe(7);
    model.dispose();
  });
});
