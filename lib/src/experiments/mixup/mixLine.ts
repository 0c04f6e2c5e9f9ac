/** 05: what lies between two keys: trained probes on the line from a clip to one whose key is a tritone away. */
import type { EmbeddingTable } from '../../embeddings/index.js';
import { KEYS, NUM_KEYS, transposeKey } from '../../keys/index.js';
import { loadProbe, type Probe } from '../../probe/index.js';
import { mean, softmax } from '../../stats/index.js';
import type { TestSplit } from '../measurements.js';
import { loadTable } from '../features/embeddingTables.js';
import { encodersNamed, mixUpProbePath, mixUpSettings } from './mixUp.js';
import type { MixLineMeasurement } from './mixUpMeasurements.js';
import { keysOf, measured, rounded, type Run } from '../run/run.js';

const SPLIT: TestSplit = 'test';
const STEPS = 20;
/** The line is looked at for the probe without MixUp and for the paper's. */
const WAYS = ['none', 'beta-2-5'];

/** Every test track with the next one whose key is a tritone away in the same mode; the first clip of each. */
export function mixLine(run: Run): Promise<MixLineMeasurement> {
  return measured(run, 'mix-line', { SPLIT, STEPS, WAYS }, (base) => {
    const table = loadTable(run, encodersNamed(run, 'vertical-pretrained')[0], SPLIT);
    const keys = keysOf(run, SPLIT);
    const pairs = tritonePairs(keys);
    const lambda = Array.from({ length: STEPS + 1 }, (_, i) => i / STEPS);
    const looked = mixUpSettings(run.preset)
      .filter(
        ({ encoder, size, way }) => encoder === 'vertical-pretrained' && size === 'whole' && WAYS.includes(way.id),
      )
      .map((setting) => ({ setting, probe: loadProbe(mixUpProbePath(run, setting)) }));
    const lines = looked.map(({ setting, probe }) => ({
      setting,
      logits: lambda.map((share) => lineLogits(probe, table, pairs, share)),
    }));
    return {
      ...base,
      split: SPLIT,
      nPairs: pairs.length,
      lambda,
      curves: lines.map(({ setting, logits }) => ({
        method: setting.method,
        way: setting.way.label,
        ...sharesAlong(logits, pairs, keys),
        bend: rounded(bendOf(logits, lambda)),
      })),
      winners: lines.map(({ setting, logits }) => ({
        method: setting.method,
        way: setting.way.label,
        byFifths: winnersByFifths(logits[STEPS / 2], pairs, keys),
      })),
    };
  });
}

/** Places of tracks: each with the next track (around the end) whose key is a tritone away. */
export function tritonePairs(keys: ArrayLike<number>): [number, number][] {
  const n = keys.length;
  return Array.from({ length: n }, (_, first) => first).flatMap((first): [number, number][] => {
    const wanted = transposeKey(keys[first], 6);
    for (let step = 1; step < n; step++) {
      const other = (first + step) % n;
      if (keys[other] === wanted) return [[first, other]];
    }
    return [];
  });
}

/** Logits [pairs, 24] of share * first + (1 - share) * other. */
function lineLogits(
  probe: Probe,
  { embeddings, width, trackOf }: EmbeddingTable,
  pairs: readonly (readonly [number, number])[],
  share: number,
): Float32Array {
  const clipOf = (track: number): number => trackOf.indexOf(track);
  const mixed = new Float32Array(pairs.length * width);
  pairs.forEach(([first, other], pair) => {
    const [a, b] = [clipOf(first) * width, clipOf(other) * width];
    for (let i = 0; i < width; i++)
      mixed[pair * width + i] = share * embeddings[a + i] + (1 - share) * embeddings[b + i];
  });
  const trackIds = pairs.map((_, pair) => `pair ${pair}`);
  return probe.clipLogits({ embeddings: mixed, nClips: pairs.length, width, trackOf: Int32Array.from(pairs, (_, i) => i), trackIds }); // prettier-ignore
}

type Shares = Pick<MixLineMeasurement['curves'][number], 'first' | 'other' | 'rest' | 'entropy'>;

function sharesAlong(
  logits: readonly Float32Array[],
  pairs: readonly (readonly [number, number])[],
  keys: Int32Array,
): Shares {
  const along = logits.map((rows) => pairs.map((_, pair) => softmax(rows.subarray(pair * NUM_KEYS, (pair + 1) * NUM_KEYS)))); // prettier-ignore
  const meanOf = (of: (shares: Float64Array, pair: number) => number): number[] =>
    along.map((rows) => rounded(mean(rows.map(of))));
  const first = (shares: Float64Array, pair: number): number => shares[keys[pairs[pair][0]]];
  const other = (shares: Float64Array, pair: number): number => shares[keys[pairs[pair][1]]];
  return {
    first: meanOf(first),
    other: meanOf(other),
    rest: meanOf((shares, pair) => Math.max(0, 1 - first(shares, pair) - other(shares, pair))),
    entropy: meanOf((shares) => -shares.reduce((sum, p) => (p > 0 ? sum + p * Math.log2(p) : sum), 0)),
  };
}

/** How far the logits of mixed embeddings are from mixed logits, over the largest logit; 0 for a linear probe. */
function bendOf(logits: readonly Float32Array[], lambda: readonly number[]): number {
  const [other, first] = [logits[0], logits[logits.length - 1]];
  let largest = 0;
  let bend = 0;
  logits.forEach((rows, step) =>
    rows.forEach((value, i) => {
      largest = Math.max(largest, Math.abs(value));
      bend = Math.max(bend, Math.abs(value - lambda[step] * first[i] - (1 - lambda[step]) * other[i]));
    }),
  );
  return bend / largest;
}

/** Counts of the winning key's tonic by fifths above the first key's tonic (0 = first, 6 = other). */
function winnersByFifths(
  rows: Float32Array,
  pairs: readonly (readonly [number, number])[],
  keys: Int32Array,
): number[] {
  const counts = new Array<number>(12).fill(0);
  pairs.forEach(([first], pair) => {
    let winner = 0;
    for (let k = 1; k < NUM_KEYS; k++) if (rows[pair * NUM_KEYS + k] > rows[pair * NUM_KEYS + winner]) winner = k;
    const semitones = (KEYS[winner].tonic - KEYS[keys[first]].tonic + 12) % 12;
    counts[(semitones * 7) % 12]++; // a fifth is 7 semitones, and 7 * 7 = 1 (mod 12)
  });
  return counts;
}
