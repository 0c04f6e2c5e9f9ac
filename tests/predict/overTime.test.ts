import { describe, expect, it } from 'vitest';
import { NUM_KEYS, transposeKey } from '../../lib/src/keys/index.js';
import { keyCourse, type KeyPrediction } from '../../lib/src/predict/index.js';

/** A prediction whose clip i favours the i-th key by `margin`. */
function prediction(
  keys: readonly number[],
  options: { margin?: number; hop?: number } = {},
): KeyPrediction {
  const seconds = 6;
  const { margin = 4, hop = seconds } = options;
  const clips = keys.map((key, i) => {
    const logits = new Float32Array(NUM_KEYS);
    logits[key] = margin;
    return { startSeconds: i * hop, seconds, logits };
  });
  const durationSeconds = (keys.length - 1) * hop + seconds + 2;
  return { file: 'x', keyId: 0, secondKeyId: 1, confidence: 1, probabilities: new Float64Array(24), durationSeconds, clips, moments: clips };
} // prettier-ignore

const times = (keys: readonly number[], n: number): number[] => keys.flatMap((key) => new Array<number>(n).fill(key));

describe('keyCourse', () => {
  it('one key: one stretch from start to end', () => {
    const { sections } = keyCourse(prediction(times([5], 10)), 1);
    expect(sections).toHaveLength(1);
    expect(sections[0]).toMatchObject({ startSeconds: 0, endSeconds: 62, keyId: 5 });
    expect(sections[0].confidence).toBeGreaterThan(0.9);
  });

  it('a modulation is found where it is; a single stray clip is none', () => {
    const keys = times([0, 14], 10);
    keys[4] = 7;
    const { sections } = keyCourse(prediction(keys), 1);
    expect(sections.map(({ keyId, startSeconds, endSeconds }) => [keyId, startSeconds, endSeconds])).toEqual([
      [0, 0, 60],
      [14, 60, 122],
    ]);
  });

  it('stretches leave no gap, and transposing the clips transposes them', () => {
    const keys = times([0, 14, 9, 0], 8);
    const { sections } = keyCourse(prediction(keys), 1.5);
    sections.slice(1).forEach(({ startSeconds }, i) => expect(startSeconds).toBe(sections[i].endSeconds));
    const moved = keyCourse(prediction(keys.map((key) => transposeKey(key, 5))), 1.5).sections;
    expect(moved.map(({ keyId }) => keyId)).toEqual(sections.map(({ keyId }) => transposeKey(keyId, 5)));
  });

  it('overlapping clips do not count the same music more than once', () => {
    // A doubtful third key for 12 s: six clips that overlap say no more than two that do not.
    const apart = prediction([...times([0], 10), ...times([5], 2), ...times([0], 10)], { margin: 1.5 });
    const over = prediction([...times([0], 30), ...times([5], 6), ...times([0], 30)], { margin: 1.5, hop: 2 });
    for (const one of [apart, over]) expect(keyCourse(one, 1).sections.map(({ keyId }) => keyId)).toEqual([0]);
    // The change lies in the middle of what both clips hear.
    const { sections } = keyCourse(prediction([...times([0], 30), ...times([14], 30)], { hop: 2 }), 1);
    expect(sections.map(({ startSeconds }) => startSeconds)).toEqual([0, 62]);
  });

  it('a higher temperature makes it less sure', () => {
    const keys = times([3], 4);
    const [cold, hot] = [1, 8].map((temperature) => keyCourse(prediction(keys), temperature).sections[0].confidence);
    expect(hot).toBeLessThan(cold);
  });

  it('one clip', () => {
    const { sections, posteriors } = keyCourse(prediction([9]), 1);
    expect(sections.map(({ keyId, endSeconds }) => [keyId, endSeconds])).toEqual([[9, 8]]);
    expect(posteriors.length).toBe(NUM_KEYS);
  });
});
