import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  numTokens,
  PATCH_SIZE,
  patchify,
  tokenGrid,
  unpatchify,
  wholePatchFrames,
  type Patching,
} from '../../lib/src/views/index.js';

const patchings: Patching[] = ['vertical', 'square'];

/** The reference's rearrange, word by word: "b (h p1) (w p2) -> b (h w) (p1 p2)". */
function naivePatchify(clips: Float32Array, nClips: number, nMels: number, nFrames: number, p1: number, p2: number) {
  const out: number[] = [];
  for (let b = 0; b < nClips; b++)
    for (let h = 0; h < nMels / p1; h++)
      for (let w = 0; w < nFrames / p2; w++)
        for (let i = 0; i < p1; i++)
          for (let j = 0; j < p2; j++) out.push(clips[(b * nMels + h * p1 + i) * nFrames + w * p2 + j]);
  return Float32Array.from(out);
}

const ramp = (length: number) => Float32Array.from({ length }, (_, i) => i);

describe('patches', () => {
  it('has as many tokens as the paper', () => {
    expect(numTokens('vertical', 128, 196)).toBe(98);
    expect(numTokens('vertical', 128, 98)).toBe(49);
    expect(numTokens('vertical', 128, 192)).toBe(96);
    expect(numTokens('square', 128, 192)).toBe(96);
    expect(numTokens('square', 128, 96)).toBe(48);
    expect(numTokens([4, 8], 16, 16)).toBe(8);
    expect(tokenGrid('square', 128, 192)).toEqual([8, 12]);
    expect(PATCH_SIZE).toEqual({ vertical: [128, 2], square: [16, 16] });
  });

  it('finds the clip lengths of the reference (get_n_frames)', () => {
    expect([196, 98].map((n) => wholePatchFrames('vertical', n))).toEqual([196, 98]);
    expect([196, 98].map((n) => wholePatchFrames('square', n))).toEqual([192, 96]);
    expect([196, 98].map((n) => wholePatchFrames('hybrid', n))).toEqual([192, 96]);
    expect(wholePatchFrames('vertical', 197)).toBe(196);
  });

  it.each(patchings)('cuts as the reference words it (%s)', (patching) => {
    const [p1, p2] = PATCH_SIZE[patching];
    const clips = ramp(2 * 128 * 32);
    expect(patchify(clips, 2, 32, patching)).toEqual(naivePatchify(clips, 2, 128, 32, p1, p2));
  });

  it('comes back whole for any patch size', () => {
    const sizes = fc.tuple(...Array.from({ length: 5 }, () => fc.integer({ min: 1, max: 4 })));
    fc.assert(
      fc.property(sizes, ([nClips, rows, columns, p1, p2]) => {
        const [nMels, nFrames] = [rows * p1, columns * p2];
        const clips = ramp(nClips * nMels * nFrames);
        const patches = patchify(clips, nClips, nFrames, [p1, p2]);
        expect(patches).toEqual(naivePatchify(clips, nClips, nMels, nFrames, p1, p2));
        expect(unpatchify(patches, nClips, nFrames, [p1, p2], { nMels })).toEqual(clips);
      }),
    );
  });

  it.each(patchings)('gathers kept tokens as if all were cut and some picked (%s)', (patching) => {
    const clips = ramp(2 * 128 * 32);
    const all = patchify(clips, 2, 32, patching);
    const nTokens = numTokens(patching, 128, 32);
    const kept = Int32Array.of(3, 0, 5, 15, 5, 1);
    const some = patchify(clips, 2, 32, patching, kept);
    expect(some.length).toBe(6 * 256);
    kept.forEach((token, i) => {
      const row = Math.floor(i / 3) * nTokens + token;
      expect(some.subarray(i * 256, (i + 1) * 256)).toEqual(all.subarray(row * 256, (row + 1) * 256));
    });
  });

  it('puts kept patches back and fills the rest', () => {
    const clips = ramp(128 * 8).map((x) => x + 1);
    const kept = Int32Array.of(2);
    const back = unpatchify(patchify(clips, 1, 8, 'vertical', kept), 1, 8, 'vertical', { kept, fill: -1 });
    back.forEach((value, i) => expect(value).toBe(i % 8 === 4 || i % 8 === 5 ? clips[i] : -1));
  });

  it('refuses what does not fit, and says what would', () => {
    expect(() => numTokens('square', 128, 196)).toThrow(/128 bands x 196 frames.*16 bands x 16 frames/);
    expect(() => numTokens('vertical', 128, 0)).toThrow(/0 frames/);
    expect(() => patchify(new Float32Array(10), 1, 4, 'vertical')).toThrow(/10 values/);
    expect(() => patchify(new Float32Array(0), 1, 4, 'vertical')).toThrow(/0 values/);
    const clips = new Float32Array(2 * 128 * 8);
    expect(() => patchify(clips, 2, 8, 'vertical', Int32Array.of(0, 1, 2))).toThrow(/3 token ids .* 2 clips/);
    expect(() => patchify(clips, 2, 8, 'vertical', Int32Array.of(0, 4))).toThrow(/token id 4 .* 0 to 3/);
    expect(() => patchify(clips, 2, 8, 'vertical', Int32Array.of(0, -1))).toThrow(/token id -1/);
    expect(() => unpatchify(new Float32Array(5), 1, 8, 'vertical')).toThrow(/5 values/);
  });
});
