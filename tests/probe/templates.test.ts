import { describe, expect, it } from 'vitest';
import { keyOf, KEYS } from '../../lib/src/keys/index.js';
import { chromagram, estimateTuning } from '../../lib/src/mel/index.js';
import { estimateKeyByTemplate, TEMPLATE_PROFILES } from '../../lib/src/probe/index.js';

/** A cadence I IV V I (major) or i iv V i (minor) in sawtooth-like tones, `cents` off. */
function cadence(keyId: number, cents = 0): Float32Array {
  const { tonic, mode } = KEYS[keyId];
  const minor = mode === 'minor' ? 1 : 0;
  const chords = [
    [0, 4 - minor, 7],
    [5, 9 - minor, 12],
    [7, 11, 14],
    [0, 4 - minor, 7],
  ];
  const samples = new Float32Array(4 * 16000);
  chords.forEach((chord, i) => {
    for (const step of chord) {
      const hz = 440 * 2 ** ((tonic - 9 + step + cents / 100) / 12);
      for (let n = 0; n < 16000; n++)
        for (let h = 1; h <= 5; h++)
          samples[i * 16000 + n] += (0.1 / h ** 1.5) * Math.sin((2 * Math.PI * hz * h * n) / 16000);
    }
  });
  return samples;
}

describe('chromagram', () => {
  it('finds the tuning', () => {
    for (const cents of [-40, -12, 0, 25, 40])
      expect(Math.abs(estimateTuning(cadence(5, cents)) - cents)).toBeLessThan(3);
  });

  it('is the same whatever the tuning and the loudness', () => {
    const plain = chromagram(cadence(10));
    const detuned = chromagram(cadence(10, 35).map((value) => 0.1 * value));
    detuned.forEach((value, i) => expect(Math.abs(value - plain[i])).toBeLessThan(0.1));
    expect(Math.max(...plain)).toBe(1);
  });

  it('is all zeros for silence', () => {
    expect([...chromagram(new Float32Array(16000))]).toEqual(new Array(12).fill(0));
  });
});

describe('key templates', () => {
  it.each(Object.entries(TEMPLATE_PROFILES))('%s recognises itself in all 24 keys', (_, profile) => {
    for (const key of KEYS) {
      const weights = key.mode === 'major' ? profile.major : profile.minor;
      const chroma = Float32Array.from({ length: 12 }, (_unused, pitch) => weights[(pitch - key.tonic + 12) % 12]);
      const { keyId, scores } = estimateKeyByTemplate(chroma, profile);
      expect(keyId).toBe(key.id);
      expect(scores[keyId]).toBeCloseTo(1, 6);
    }
  });

  it('finds plain cadences in all keys, detuned too', () => {
    for (const key of KEYS) {
      const chroma = chromagram(cadence(key.id, key.tonic % 2 ? 38 : -38));
      expect(estimateKeyByTemplate(chroma, TEMPLATE_PROFILES.krumhanslKessler).keyId).toBe(key.id);
    }
  });

  it('moves with the chroma', () => {
    const chroma = Float32Array.from([1, 0.1, 0.5, 0.2, 0.7, 0.6, 0.1, 0.8, 0.2, 0.4, 0.1, 0.5]);
    const moved = Float32Array.from({ length: 12 }, (_, i) => chroma[(i + 7) % 12]);
    const a = KEYS[estimateKeyByTemplate(chroma, TEMPLATE_PROFILES.bgate).keyId];
    const b = KEYS[estimateKeyByTemplate(moved, TEMPLATE_PROFILES.bgate).keyId];
    expect(b).toEqual(keyOf(a.tonic + 5, a.mode));
  });

  it('refuses what is no chroma', () => {
    expect(() => estimateKeyByTemplate([1, 2], TEMPLATE_PROFILES.edma)).toThrow(/2 values, expected 12/);
    expect(() => estimateKeyByTemplate(new Array(12).fill(NaN), TEMPLATE_PROFILES.edma)).toThrow(/NaN/);
  });
});
