import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import {
  clipStarts,
  cutClip,
  cutClips,
  MEL,
  type MelClip,
  type MelConfig,
  type MelSpectrogram,
  melSpectrogram,
  streamClips,
  streamMel,
} from '../../lib/src/mel/index.js';
import { createRng } from '../../lib/src/tensor/index.js';

function noise(n: number, seed = 1): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length: n }, () => rng.uniform() - 0.5);
}

/** Cuts a signal at the lengths given; the last piece takes the rest. */
function* cut(samples: Float32Array, lengths: readonly number[]): Generator<Float32Array> {
  let at = 0;
  for (const n of lengths) yield samples.subarray(at, (at += n));
  yield samples.subarray(at);
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** Spectrograms side by side. */
function sideBySide(pieces: readonly MelSpectrogram[]): MelSpectrogram {
  const nFrames = pieces.reduce((sum, piece) => sum + piece.nFrames, 0);
  const { nMels } = pieces[0];
  const data = new Float32Array(nMels * nFrames);
  let at = 0;
  for (const piece of pieces) {
    for (let m = 0; m < nMels; m++)
      data.set(piece.data.subarray(m * piece.nFrames, (m + 1) * piece.nFrames), m * nFrames + at);
    at += piece.nFrames;
  }
  return { nMels, nFrames, data };
}

function expectSame(found: MelSpectrogram, expected: MelSpectrogram): void {
  expect([found.nMels, found.nFrames]).toEqual([expected.nMels, expected.nFrames]);
  expect(Buffer.compare(Buffer.from(found.data.buffer), Buffer.from(expected.data.buffer))).toBe(0);
}

const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3000 })), { maxLength: 8 });

describe('streamMel', () => {
  it('side by side is melSpectrogram of the whole, bit by bit, whatever the pieces', async () => {
    const n = fc.oneof(fc.integer({ min: 1025, max: 3200 }), fc.integer({ min: 1025, max: 40_000 }));
    await fc.assert(
      fc.asyncProperty(n, lengths, fc.constantFrom('power' as const, 'log1p' as const), async (length, cuts, scale) => {
        const samples = noise(length, length);
        const pieces = await all(streamMel(cut(samples, cuts), { scale }));
        expectSame(sideBySide(pieces), melSpectrogram(samples, { scale }));
      }),
      { numRuns: 60 },
    );
  });

  it('at lengths where the first and the last frames meet', async () => {
    for (const length of [1025, 1026, 1535, 1536, 1537, 2047, 2048, 2049, 2559, 2560]) {
      const samples = noise(length);
      for (const cuts of [[], [1024], [1025], [1, 1024], [length - 1], new Array<number>(length).fill(1)])
        expectSame(sideBySide(await all(streamMel(cut(samples, cuts)))), melSpectrogram(samples));
    }
  });

  it('with other frames', async () => {
    const configs: Partial<MelConfig>[] = [{ nFft: 512, hopLength: 160 }, { nFft: 256, hopLength: 200 }, { nFft: 1024, hopLength: 1 }]; // prettier-ignore
    for (const change of configs) {
      const config = { ...MEL, nMels: 16, ...change };
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 520, max: 4000 }), lengths, async (length, cuts) => {
          const samples = noise(length);
          expectSame(sideBySide(await all(streamMel(cut(samples, cuts), { config }))), melSpectrogram(samples, { config }));
        }),
        { numRuns: 10 },
      ); // prettier-ignore
    }
  });

  it('one long piece is one of many: a minute at once', async () => {
    const samples = noise(60 * 16000);
    const pieces = await all(streamMel([samples]));
    expect(pieces.length).toBeGreaterThan(5);
    expectSame(sideBySide(pieces), melSpectrogram(samples));
  });

  it('too few samples, NaN and infinities: the sentence of melSpectrogram, with the sample counted from the start', async () => {
    for (const n of [0, 1, 1024])
      await expect(all(streamMel(cut(noise(n), [10])))).rejects.toThrow(new RegExp(`the audio has ${n} samples, at least 1025`)); // prettier-ignore
    const samples = noise(20_000);
    samples[15_000] = NaN;
    await expect(all(streamMel(cut(samples, [9000, 5000])))).rejects.toThrow(/sample 15000 is NaN/);
    samples[15_000] = 1e20;
    await expect(all(streamMel([samples]))).rejects.toThrow(InputError);
  });
});

describe('streamClips', () => {
  /** A value says where it is: 1000 * band + frame + 1. */
  const numbered = (nFrames: number): MelSpectrogram => ({
    nMels: 3,
    nFrames,
    data: Float32Array.from({ length: 3 * nFrames }, (_, i) => 1000 * Math.floor(i / nFrames) + (i % nFrames) + 1),
  });

  function* framesOf(mel: MelSpectrogram, cuts: readonly number[]): Generator<MelSpectrogram> {
    let at = 0;
    for (const n of [...cuts, mel.nFrames]) {
      const until = Math.min(mel.nFrames, at + n);
      if (until === at) continue;
      const data = [0, 1, 2].flatMap((m) => [...mel.data.subarray(m * mel.nFrames + at, m * mel.nFrames + until)]);
      yield { nMels: 3, nFrames: until - at, data: Float32Array.from(data) };
      at = until;
    }
  }

  it('are the clips of cutClips, whatever the pieces', async () => {
    const size = fc.integer({ min: 1, max: 60 });
    const cuts = fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), size, size, cuts, async (nFrames, clipFrames, hop, some) => {
        const mel = numbered(nFrames);
        const found: MelClip[] = await all(streamClips(framesOf(mel, some), clipFrames, hop));
        expect(found.map(({ start }) => start)).toEqual(clipStarts(nFrames, clipFrames, hop));
        expect(found.map((clip) => clip.mel)).toEqual(cutClips(mel, clipFrames, { hop }));
      }),
      { numRuns: 200 },
    );
  });

  it('with the end kept go on until one reaches it, which is padded; where nothing is left over there is none', async () => {
    const starts = async (nFrames: number, hop = 4) => (await all(streamClips([numbered(nFrames)], 4, hop, true))).map(({ start }: MelClip) => start); // prettier-ignore
    expect([await starts(9), await starts(8), await starts(3)]).toEqual([[0, 4, 8], [0, 4], [0]]);
    expect([await starts(9, 2), await starts(8, 2), await starts(3, 2)]).toEqual([[0, 2, 4, 6], [0, 2, 4], [0]]);
    const last = (await all(streamClips([numbered(9)], 4, 2, true))).at(-1)!;
    expect(last.mel).toEqual(cutClip(numbered(9), 6, 4));
  });

  it('refuses lengths that are none', async () => {
    await expect(all(streamClips([numbered(5)], 0))).rejects.toThrow(/clipFrames is 0/);
    await expect(all(streamClips([numbered(5)], 2, 1.5))).rejects.toThrow(/hop is 1.5/);
  });
});
