import { describe, expect, it } from 'vitest';
import { retrieval } from '../../lib/src/experiments/pretraining/snapshots.js';
import { buildTable } from '../../lib/src/embeddings/index.js';
import { createRng } from '../../lib/src/tensor/index.js';

/** A table of `nTracks` tracks with three clips each: `of(track, clip)` is a clip's embedding. */
function tableOf(nTracks: number, width: number, of: (track: number, clip: number) => Float32Array) {
  const ids = Array.from({ length: nTracks }, (_, track) => `track-${track}`);
  const rows = ids.map((_, track) => Float32Array.from([0, 1, 2].flatMap((clip) => Array.from(of(track, clip)))));
  return buildTable(ids, rows, width);
}

describe('retrieval', () => {
  it('finds every track whose clips are alike, and none where all clips are the same', () => {
    const own = (track: number): Float32Array => Float32Array.from({ length: 8 }, (_, i) => (i === track ? 1 : 0));
    const found = retrieval(tableOf(8, 8, own));
    expect(found.top1).toBe(1);
    expect(found.same).toBeCloseTo(1, 5);
    expect(found.other).toBeCloseTo(-1 / 7, 3); // eight centred unit vectors
    expect(retrieval(tableOf(8, 8, () => new Float32Array(8).fill(1))).top1).toBe(0); // a tie is lost
  });

  it('looks from the first clip to the last, and is no better than chance on noise', () => {
    const rng = createRng('noise');
    const noise = (): Float32Array => Float32Array.from({ length: 16 }, () => rng.normal());
    const first = Array.from({ length: 40 }, noise);
    const middleOnly = retrieval(tableOf(40, 16, (track, clip) => (clip === 1 ? first[track] : noise())));
    expect(middleOnly.top1).toBeLessThan(0.2);
    const firstAndLast = retrieval(tableOf(40, 16, (track, clip) => (clip === 1 ? noise() : first[track])));
    expect(firstAndLast.top1).toBe(1);
  });
});
