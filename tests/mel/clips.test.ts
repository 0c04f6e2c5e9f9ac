import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CLIP_FRAMES,
  CLIP_SAMPLES,
  clipStarts,
  cutClips,
  frameCount,
  type MelSpectrogram,
} from '../../lib/src/mel/index.js';

/** A spectrogram whose value says where it is: 1000 * band + frame + 1. */
function numbered(nMels: number, nFrames: number): MelSpectrogram {
  const data = Float32Array.from(
    { length: nMels * nFrames },
    (_, i) => 1000 * Math.floor(i / nFrames) + (i % nFrames) + 1,
  );
  return { nMels, nFrames, data };
}

describe('clips', () => {
  it('a clip of 100,000 samples is 196 frames, 192 with patches of 16 frames', () => {
    expect(frameCount(CLIP_SAMPLES)).toBe(CLIP_FRAMES.vertical);
    expect(CLIP_FRAMES.square).toBe(Math.floor(CLIP_FRAMES.vertical / 16) * 16);
    expect(CLIP_FRAMES.hybrid).toBe(CLIP_FRAMES.square);
  });

  it('contiguous, remainder dropped', () => {
    expect(clipStarts(938, 196, 196)).toEqual([0, 196, 392, 588]);
    expect(clipStarts(196, 196, 196)).toEqual([0]);
    expect(clipStarts(391, 196, 196)).toEqual([0]);
    expect(clipStarts(10, 4, 2)).toEqual([0, 2, 4, 6]);
  });

  it('every start fits, the next would not, and each frame of a clip is the frame of the track', () => {
    const length = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(length, length, length, (nFrames, clipFrames, hop) => {
        const starts = clipStarts(nFrames, clipFrames, hop);
        if (nFrames >= clipFrames) {
          const last = starts[starts.length - 1];
          expect(last + clipFrames <= nFrames && last + hop + clipFrames > nFrames).toBe(true);
        }
        const clips = cutClips(numbered(3, nFrames), clipFrames, { hop });
        expect(clips.length).toBe(starts.length);
        clips.forEach((clip, i) => {
          expect(clip.nFrames).toBe(clipFrames);
          for (let m = 0; m < 3; m++)
            for (let t = 0; t < clipFrames; t++) {
              const at = starts[i] + t;
              if (clip.data[m * clipFrames + t] !== (at < nFrames ? 1000 * m + at + 1 : 0))
                throw new Error(`clip ${i}, ${m}, ${t}`);
            }
        });
      }),
    );
  });

  it('a shorter track is padded with zero frames at the end', () => {
    const [clip, ...more] = cutClips(numbered(2, 3), 5);
    expect(more).toEqual([]);
    expect(Array.from(clip.data)).toEqual([1, 2, 3, 0, 0, 1001, 1002, 1003, 0, 0]);
  });

  it('no frames, or a hop of 0, is refused', () => {
    expect(() => clipStarts(0, 196, 196)).toThrow(/nFrames is 0/);
    expect(() => clipStarts(196, 196, 0)).toThrow(/hop is 0/);
    expect(() => clipStarts(196, 1.5, 1)).toThrow(/clipFrames is 1.5/);
  });
});
