import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRng } from '../../lib/src/tensor/index.js';
import { gatherPatches, patchify, randomMasking } from '../../lib/src/views/index.js';

describe('gatherPatches', () => {
  it('equals cutting the clips, padding them, and patchifying them', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('vertical' as const, 'square' as const),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 0, max: 60 }),
        fc.constantFrom(0, 0.5, 0.9),
        (patching, nFrames, start, maskRatio) => {
          const clipFrames = 32;
          const rng = createRng(nFrames);
          const mels = [0, 1].map(() => ({
            nMels: 128,
            nFrames,
            data: Float32Array.from({ length: 128 * nFrames }, () => rng.uniform()),
          }));
          const clips = new Float32Array(2 * 128 * clipFrames);
          mels.forEach(({ data }, c) => {
            for (let band = 0; band < 128; band++) {
              for (let f = 0; f < clipFrames && start + f < nFrames; f++) {
                clips[(c * 128 + band) * clipFrames + f] = data[band * nFrames + start + f];
              }
            }
          });
          const nTokens = 16;
          const kept = maskRatio === 0 ? undefined : randomMasking(2, nTokens, maskRatio, createRng(nFrames));
          const views = mels.map((mel) => ({ mel, start }));
          expect(gatherPatches(views, clipFrames, patching, kept)).toEqual(
            patchify(clips, 2, clipFrames, patching, kept),
          );
        },
      ),
      { numRuns: 40 },
    );
  });
});
