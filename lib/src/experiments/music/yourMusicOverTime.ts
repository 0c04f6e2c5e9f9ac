/** 10: what the clips of one recording say: one answer for the whole, and the key over time. K = 24 keys. */
import { NUM_KEYS } from '../../keys/index.js';
import { type ClipKeys, keyCourse } from '../../predict/index.js';
import { softmaxRows } from '../../probe/index.js';
import { rounded } from '../run/run.js';
import type { KeySegment, MusicOverTime } from './yourMusicMeasurements.js';

/** Clips of one recording as they were heard, in a form that JSON can keep. */
export interface HeardClips {
  readonly seconds: number;
  /** Length of a clip and distance from clip to clip, seconds. */
  readonly clipSeconds: number;
  readonly hopSeconds: number;
  /** [K] logits of the whole recording, not calibrated. */
  readonly whole: readonly number[];
  /** [C][K] logits of the clips. */
  readonly logits: readonly (readonly number[])[];
}

/** Most columns of the key over time: more are no longer seen. */
const MAX_COLUMNS = 1200;

/** The key of the whole recording as `keymyna predict` says it: by its logits, divided by the temperature. */
export function wholeAnswer(
  { whole }: HeardClips,
  temperature: number,
): { keyId: number; secondKeyId: number; probabilities: number[] } {
  const probabilities = Array.from(softmaxRows(whole.map((value) => value / temperature)));
  const order = whole.map((_, k) => k).sort((a, b) => whole[b] - whole[a] || a - b);
  return { keyId: order[0], secondKeyId: order[1], probabilities };
}

/**
 * The key over time (`keyCourse`). A clip's own answer counts by the temperature of whole tracks: an approximation.
 * @param keySeconds how long a key lasts on average
 */
export function overTime(heard: HeardClips, temperature: number, keySeconds: number): MusicOverTime {
  const { logits, seconds, clipSeconds, hopSeconds } = heard;
  const moments = logits.map((row, i): ClipKeys => {
    const startSeconds = i * hopSeconds;
    return { startSeconds, seconds: Math.min(clipSeconds, seconds - startSeconds), logits: Float32Array.from(row) };
  });
  const { sections, posteriors } = keyCourse({ moments, durationSeconds: seconds }, temperature, keySeconds);
  const edges = edgesOf(heard);
  const block = Math.ceil(logits.length / MAX_COLUMNS);
  const nColumns = Math.ceil(logits.length / block);
  const column = (key: number, i: number): number => {
    const end = Math.min(logits.length, (i + 1) * block);
    let sum = 0;
    for (let clip = i * block; clip < end; clip++) sum += posteriors[clip * NUM_KEYS + key];
    return rounded(sum / (end - i * block), 3);
  };
  const starts = Array.from({ length: nColumns }, (_, i) => edges[i * block]);
  return {
    clipSeconds: rounded(clipSeconds),
    hopSeconds: rounded(hopSeconds),
    keySeconds,
    edges: [...starts, seconds].map((time) => rounded(time, 6)),
    posteriors: Array.from({ length: NUM_KEYS }, (_, k) => Array.from({ length: nColumns }, (_, i) => column(k, i))),
    segments: sections.map(({ startSeconds, endSeconds, keyId }) => segment(startSeconds, endSeconds, keyId)),
    alone: joined(logits.map(argMax), edges),
  };
}

/** Borders [C + 1] half-way between the middles of clips; the first and the last reach to the ends of the recording. */
function edgesOf({ logits, seconds, clipSeconds, hopSeconds }: HeardClips): number[] {
  const inner = Array.from({ length: logits.length - 1 }, (_, c) => clipSeconds / 2 + (c + 0.5) * hopSeconds);
  return [0, ...inner, seconds];
}

const segment = (start: number, end: number, keyId: number): KeySegment => ({
  start: rounded(start, 6),
  end: rounded(end, 6),
  keyId,
});

/** Neighbours of one key as one segment. */
function joined(keys: readonly number[], edges: readonly number[]): KeySegment[] {
  const firsts = keys.flatMap((key, clip) => (clip === 0 || key !== keys[clip - 1] ? [clip] : []));
  return firsts.map((first, i) => segment(edges[first], edges[firsts[i + 1] ?? keys.length], keys[first]));
}

function argMax(values: readonly number[]): number {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k] > values[best]) best = k;
  return best;
}
