/** Keys over the time of composed pieces: they fill the piece, and the label is the key of most of it. */
import { describe, expect, it } from 'vitest';
import { embeddedCorpus, keyShares, keySpans } from '../../lib/src/corpus/index.js';

const { tracks } = embeddedCorpus({ sizes: { train: 96, valid: 0, test: 48, testTimbre: 48 }, seed: 5 });

describe('keySpans', () => {
  it('fills every piece without a gap, and the label is the key that lasts longest', () => {
    let moving = 0;
    for (const track of tracks) {
      const spans = keySpans(track);
      let end = 0;
      for (const span of spans) {
        expect(span.startSeconds).toBeCloseTo(end, 9);
        end = span.startSeconds + span.seconds;
      }
      expect(end).toBeCloseTo(track.durationSeconds, 9);
      const { shares, keyed } = keyShares(spans, 0, track.durationSeconds);
      expect(shares.indexOf(Math.max(...shares))).toBe(track.keyId);
      expect(keyed).toBeGreaterThan(0.5);
      expect(keyed).toBeLessThanOrEqual(1 + 1e-9);
      if (track.labels.modulatesTo) moving++;
      expect(new Set(spans.flatMap(({ keyId }) => keyId ?? [])).size).toBe(track.labels.modulatesTo ? 2 : 1);
    }
    expect(moving).toBeGreaterThan(10);
  });

  it('is one span for a recording', () => {
    const source = { kind: 'file', path: 'a.mp3' } as const;
    const recording = { ...tracks[0], source, keyId: 5, durationSeconds: 90 };
    expect(keySpans(recording)).toEqual([{ startSeconds: 0, seconds: 90, keyId: 5 }]);
    expect(keySpans({ ...recording, keyId: null })[0].keyId).toBeNull();
  });
});

describe('keyShares', () => {
  const spans = [
    { startSeconds: 0, seconds: 4, keyId: null },
    { startSeconds: 4, seconds: 4, keyId: 2 },
    { startSeconds: 8, seconds: 12, keyId: 9 },
  ];

  it('divides the time in which a key is heard', () => {
    const { shares, keyed } = keyShares(spans, 2, 8);
    expect(keyed).toBeCloseTo(0.75, 12);
    expect([shares[2], shares[9]]).toEqual([4 / 6, 2 / 6]);
  });

  it('is all 0 where no key is heard, and counts what lies beyond the end as silence', () => {
    expect(Array.from(keyShares(spans, 0, 3).shares).every((share) => share === 0)).toBe(true);
    expect(keyShares(spans, 18, 4)).toMatchObject({ keyed: 0.5 });
  });
});
