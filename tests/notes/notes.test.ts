/** Notes: the statistics against their definition, the law of transposition, windows, and a transcriber's tokens. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ACTIVITY_CHANNELS, embeddedCorpus, pitchClassActivity, transposeRecipe } from '../../lib/src/corpus/index.js';
import { Encoder, encoderConfig } from '../../lib/src/encoder/index.js';
import { transposeKey } from '../../lib/src/keys/index.js';
import {
  binActivity,
  ClipJoiner,
  hearingHop,
  hearingStarts,
  hopTokens,
  logitsOverPitches,
  noteStatistics,
  noteTable,
  noteWindows,
  STATISTICS,
  STATISTICS_WIDTH,
  statisticsMeans,
  TOKEN_SECONDS,
  transcribe,
  transcribeClips,
  Transcriber,
  transposeStatistics,
  windowStatistics,
} from '../../lib/src/notes/index.js';
import { float32 } from '../../lib/src/store/index.js';
import { createRng, initBackend, tf } from '../../lib/src/tensor/index.js';
import { largestDifference } from '../golden.js';
import { randomMel, randomNoteProbe, randomTranscriber } from './models.js';

beforeAll(() => initBackend({ blasThreads: 1 }));

const activity = (nRows: number, seed = 0): Float32Array => {
  const rng = createRng(seed);
  return Float32Array.from({ length: nRows * ACTIVITY_CHANNELS }, () => rng.uniform() ** 3);
};

/** The same rows with every pitch class `up` semitones higher. */
function moved(rows: Float32Array, up: number): Float32Array {
  const out = new Float32Array(rows.length);
  rows.forEach((value, i) => {
    const pitchClass = i % 12;
    out[i - pitchClass + ((pitchClass + up) % 12)] = value;
  });
  return out;
}

describe('noteStatistics', () => {
  it('are roots of means and of mean products, as defined', () => {
    const nBins = 19;
    const bins = activity(nBins);
    const at = (t: number, channel: number): number => bins[t * ACTIVITY_CHANNELS + channel];
    const expected: number[] = [];
    for (const { channel, from, to } of statisticsMeans(nBins))
      for (let p = 0; p < 12; p++) {
        let sum = 0;
        for (let t = from; t < to; t++) sum += at(t, channel + p);
        expected.push(Math.sqrt(sum / (to - from)));
      }
    for (const [a, b, lag] of STATISTICS.products)
      for (let p = 0; p < 12; p++)
        for (let q = 0; q < 12; q++) {
          let sum = 0;
          for (let t = 0; t + lag < nBins; t++) sum += at(t, a + p) * at(t + lag, b + q);
          expected.push(Math.sqrt(sum / (nBins - lag)));
        }
    const found = noteStatistics(bins);
    expect(found.length).toBe(STATISTICS_WIDTH);
    expect(largestDifference(found, expected)).toBeLessThan(1e-5);
  });

  it('of any stretch are finite, and of transposed music they are the transposed ones, exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: -24, max: 24 }), fc.nat(), (nBins, by, seed) => {
        const bins = activity(nBins, seed);
        const found = noteStatistics(bins);
        expect(found.every((value) => value >= 0 && Number.isFinite(value))).toBe(true);
        const up = ((by % 12) + 12) % 12;
        expect(noteStatistics(moved(bins, up))).toEqual(transposeStatistics(found, by));
      }),
      { numRuns: 60 },
    );
  });

  it('refuses no bins', () => {
    expect(() => noteStatistics(new Float32Array(0))).toThrow(/0 bins; expected at least one/);
  });
});

describe('binActivity', () => {
  it('is the mean of four rows; an incomplete bin counts only where there is no other', () => {
    const rows = activity(11);
    const bins = binActivity(rows);
    expect(bins.length).toBe(2 * ACTIVITY_CHANNELS);
    const mean = [4, 5, 6, 7].reduce((sum, t) => sum + rows[t * ACTIVITY_CHANNELS + 30], 0) / 4;
    expect(bins[ACTIVITY_CHANNELS + 30]).toBeCloseTo(mean, 6);
    expect(binActivity(rows.slice(0, ACTIVITY_CHANNELS))).toEqual(rows.slice(0, ACTIVITY_CHANNELS));
  });
});

describe('windows', () => {
  const plan = { length: 98, hop: 49 };

  it('a recording too short for two is one; a longer one is cut every hop, its remainder dropped', () => {
    expect(noteWindows(3, plan)).toEqual([{ start: 0, length: 3 }]);
    expect(noteWindows(146, plan)).toEqual([{ start: 0, length: 146 }]);
    expect(noteWindows(147, plan).map(({ start }) => start)).toEqual([0, 49]);
    expect(noteWindows(244, plan).at(-1)).toEqual({ start: 98, length: 98 });
  });

  it('have a row of statistics each', () => {
    const bins = activity(160);
    const rows = windowStatistics(bins, noteWindows(160, plan));
    expect(rows.length).toBe(2 * STATISTICS_WIDTH);
    const second = bins.subarray(49 * ACTIVITY_CHANNELS, 147 * ACTIVITY_CHANNELS);
    expect(rows.subarray(STATISTICS_WIDTH)).toEqual(noteStatistics(second));
  });
});

describe('logitsOverPitches', () => {
  it('answers transposed music with the transposed keys', () => {
    const probe = randomNoteProbe();
    const rows = windowStatistics(activity(98, 3), [
      { start: 0, length: 40 },
      { start: 20, length: 78 },
    ]);
    const before = tf.memory().numTensors;
    const logits = logitsOverPitches(probe, rows);
    expect(tf.memory().numTensors).toBe(before);
    expect(logits.length).toBe(48);
    for (const up of [1, 7]) {
      const higher = new Float32Array(rows.length);
      for (const row of [0, 1]) {
        const own = rows.subarray(row * STATISTICS_WIDTH, (row + 1) * STATISTICS_WIDTH);
        higher.set(transposeStatistics(own, up), row * STATISTICS_WIDTH);
      }
      const expected = new Float32Array(48);
      logits.forEach((value, i) => (expected[i - (i % 24) + transposeKey(i % 24, up)] = value));
      expect(largestDifference(logitsOverPitches(probe, higher), expected)).toBeLessThan(1e-6);
    }
    expect(Math.max(...logits) - Math.min(...logits)).toBeGreaterThan(0.01);
  });
});

describe('clips that overlap by half', () => {
  it('begin in the middle of the one before, and end with the first that reaches the end', () => {
    expect(hearingStarts(500, 196)).toEqual([0, 98, 196, 294, 392]);
    expect([1, 196, 197, 294, 295].map((nFrames) => hearingStarts(nFrames, 196).length)).toEqual([1, 1, 2, 2, 3]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 200 }), (nFrames, clipTokens) => {
        const clipFrames = 2 * clipTokens;
        const starts = hearingStarts(nFrames, clipFrames);
        expect(starts.at(-1)! + clipFrames).toBeGreaterThanOrEqual(nFrames);
        if (starts.length > 1) expect(starts.at(-2)! + clipFrames).toBeLessThan(nFrames);
        starts.forEach((start, i) => expect(start).toBe(i * hearingHop(clipFrames)));
      }),
    );
  });

  it('joined are what all of them say where they agree, however many come at once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(),
        (clipTokens, nClips, seed) => {
          const hop = hopTokens(clipTokens);
          const nTokens = (nClips - 1) * hop + clipTokens;
          const truth = activity(nTokens, seed);
          const cut = (clip: number): Float32Array => truth.slice(clip * hop * ACTIVITY_CHANNELS, (clip * hop + clipTokens) * ACTIVITY_CHANNELS); // prettier-ignore
          const [one, all] = [new ClipJoiner(clipTokens), new ClipJoiner(clipTokens)];
          const clips = Array.from({ length: nClips }, (_, clip) => cut(clip));
          clips.forEach((clip) => one.add(clip));
          all.add(Float32Array.from(clips.flatMap((clip) => [...clip])));
          expect(largestDifference(one.end(nTokens), truth)).toBeLessThan(1e-6);
          expect(all.end(nTokens)).toEqual(one.end(nTokens));
          expect(one.end(1)).toEqual(one.end(nTokens).slice(0, ACTIVITY_CHANNELS));
        },
      ),
    );
  });

  it('where they do not, the one in whose middle a token lies counts more', () => {
    const joiner = new ClipJoiner(4);
    joiner.add(new Float32Array(4 * ACTIVITY_CHANNELS).fill(1));
    joiner.add(new Float32Array(4 * ACTIVITY_CHANNELS).fill(0));
    const first = [...joiner.end(6)].filter((_, i) => i % ACTIVITY_CHANNELS === 0);
    expect(first).toEqual([1, 1, 0.75, 0.25, 0, 0]);
  });
});

describe('a transcriber', () => {
  const encoder = (): Encoder => Encoder.init(encoderConfig('vertical', 'tiny'), createRng(1));

  it('writes down a recording clip by clip, rows beyond its end cut, without a tensor left', async () => {
    const own = encoder();
    const before = tf.memory().numTensors;
    const transcriber = randomTranscriber(own.outWidth);
    const mel = randomMel(500);
    const all = transcribe(own, transcriber, mel);
    expect(all.length).toBe(250 * ACTIVITY_CHANNELS);
    expect(all.every((p) => p >= 0 && p <= 1)).toBe(true);
    // Five clips, 49 tokens apart; the fourth and the fifth (padded, from token 196 on) share tokens 196 to 244.
    const [fourth, fifth] = [294, 392].map((start) => transcribeClips(own, transcriber, [{ mel, start }]));
    const expected = all.slice(196 * ACTIVITY_CHANNELS).map((_, i) => {
      const token = Math.floor(i / ACTIVITY_CHANNELS);
      if (token >= 49) return fifth[i];
      const share = (token + 0.5) / 49;
      return (1 - share) * fourth[i + 49 * ACTIVITY_CHANNELS] + share * fifth[i];
    });
    expect(largestDifference(all.subarray(196 * ACTIVITY_CHANNELS), expected)).toBeLessThan(1e-5);
    expect(transcribe(own, transcriber, randomMel(1)).length).toBe(ACTIVITY_CHANNELS);
    const table = await noteTable(own, transcriber, [{ id: 'a', mel }, { id: 'b', mel: randomMel(1300) }]); // prettier-ignore
    expect([table.width, [...table.trackOf]]).toEqual([STATISTICS_WIDTH, [0, 1, 1]]);
    await expect(noteTable(own, transcriber, [])).rejects.toThrow(/no tracks/);
    expect(tf.memory().numTensors).toBe(before);
    own.dispose();
  });

  it('comes back from its tensors; a file without one has none; damaged ones are refused', () => {
    const transcriber = randomTranscriber(8);
    const again = Transcriber.fromTensors(transcriber.toTensors(), 'x')!;
    expect(again.toTensors()).toEqual(transcriber.toTensors());
    expect(Transcriber.fromTensors(new Map(), 'x')).toBeNull();
    const broken = (changes: Record<string, number[]>) => {
      const tensors = new Map(transcriber.toTensors());
      for (const [name, shape] of Object.entries(changes)) {
        if (shape.length === 0) tensors.delete(name);
        else tensors.set(name, float32(shape, new Float32Array(shape.reduce((a, b) => a * b))));
      }
      return () => Transcriber.fromTensors(tensors, 'h.safetensors');
    };
    expect(broken({ 'transcriber.bias': [] })).toThrow(/h\.safetensors: .*weight is \[36, 8\] and its bias missing/);
    expect(broken({ 'transcriber.weight': [35, 8] })).toThrow(/weight is \[35, 8\]/);
    expect(broken({ 'transcriber.bias': [36, 1] })).toThrow(/bias \[36, 1\]|bias is \[36, 1\]/);
  });
});

describe('pitchClassActivity', () => {
  const { tracks } = embeddedCorpus({ sizes: { train: 24, valid: 0, test: 0, testTimbre: 0 }, seed: 4 });
  const recipes = tracks.flatMap(({ source }) => (source.kind === 'composed' ? [source.recipe] : []));

  it('has one lowest pitch class where something sounds, and it sounds; nothing before the first note', () => {
    for (const recipe of recipes.slice(0, 8)) {
      const { data, nBins } = pitchClassActivity(recipe, TOKEN_SECONDS);
      expect(nBins).toBe(Math.ceil(recipe.durationSeconds / TOKEN_SECONDS));
      let begun = false;
      for (let bin = 0; bin < nBins; bin++) {
        const [sounds, lowest, begins] = [0, 12, 24].map((from) => [...data.subarray(bin * 36 + from, bin * 36 + from + 12)]); // prettier-ignore
        begun ||= begins.some((value) => value > 0);
        if (!begun) expect(Math.max(...sounds)).toBe(0);
        expect(lowest.filter((value) => value > 0).length).toBeLessThanOrEqual(1);
        lowest.forEach((value, p) => expect(value).toBeLessThanOrEqual(sounds[p]));
        begins.forEach((value, p) => expect(value === 0 || sounds[p] > 0 || value === 255).toBe(true));
      }
      expect(begun).toBe(true);
    }
  });

  it('moves with the piece: as much of each pitch class in all, twelve places on', () => {
    const total = (recipe: (typeof recipes)[number]): number[] => {
      const { data } = pitchClassActivity(recipe, TOKEN_SECONDS);
      return Array.from({ length: 12 }, (_, p) => data.reduce((sum, v, i) => (i % 36 === p ? sum + v : sum), 0) / 255);
    };
    for (const recipe of recipes.slice(0, 4)) {
      const [here, there] = [total(recipe), total(transposeRecipe(recipe, 5))];
      // Voices keep to their registers, so a chord may be voiced otherwise; its pitch classes stay.
      const sum = here.reduce((a, b) => a + b);
      here.forEach((value, p) => expect(Math.abs(value - there[(p + 5) % 12])).toBeLessThan(0.06 * sum));
    }
  });
});
