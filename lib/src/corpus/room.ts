/** What happens between instruments and microphone: a room's reverberation, noise, level. */
import { mixNoise, pinkNoise } from '../audio/index.js';
import type { Rng } from '../tensor/index.js';

/** Comb and allpass delays of Schroeder's reverberator (1962), seconds; mutually prime at 16 kHz. */
const COMBS = [0.0297, 0.0371, 0.0411, 0.0437];
const ALLPASSES = [0.005, 0.0017];

/** A delay line of Schroeder's reverberator, read and written at one place that goes round. */
interface Line {
  readonly data: Float32Array;
  readonly feedback: number;
  at: number;
  /** Of the one-pole low-pass in a comb's loop: high notes die first, as in a room. */
  damped: number;
}

const lineOf = (delaySeconds: number, sampleRate: number, seconds: number): Line => ({
  data: new Float32Array(Math.round(delaySeconds * sampleRate)),
  feedback: Math.pow(10, (-3 * delaySeconds) / seconds),
  at: 0,
  damped: 0,
});

/** What leaves a comb's line, before `sample` enters it. */
function comb(line: Line, sample: number): number {
  const { data, at } = line;
  const out = data[at];
  line.damped = 0.7 * out + 0.3 * line.damped;
  data[at] = sample + line.feedback * line.damped;
  line.at = at + 1 === data.length ? 0 : at + 1;
  return out;
}

function allpass(line: Line, sample: number): number {
  const { data, at } = line;
  const out = data[at] - 0.7 * sample;
  data[at] = sample + 0.7 * out;
  line.at = at + 1 === data.length ? 0 : at + 1;
  return Math.fround(out);
}

/** Adds a room in place: `wet` of the amplitude falls by 60 dB in `seconds`. */
export function reverberate(samples: Float32Array, sampleRate: number, seconds: number, wet: number): void {
  if (wet === 0) return;
  const lines = (delays: readonly number[]): Line[] => delays.map((delay) => lineOf(delay, sampleRate, seconds));
  const [a, b, c, d] = lines(COMBS);
  const [first, second] = lines(ALLPASSES);
  // One pass, so that the lines' latencies overlap; sums are rounded to float32 one by one, as in an array.
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i];
    let tail = Math.fround(0.25 * comb(a, sample));
    tail = Math.fround(tail + 0.25 * comb(b, sample));
    tail = Math.fround(tail + 0.25 * comb(c, sample));
    tail = Math.fround(tail + 0.25 * comb(d, sample));
    tail = allpass(second, allpass(first, tail));
    samples[i] = (1 - wet) * sample + wet * tail;
  }
}

/** Adds pink noise in place, `snrDb` below the music's RMS. */
export function addNoise(samples: Float32Array, snrDb: number, rng: Rng): void {
  mixNoise(samples, pinkNoise(samples.length, rng), snrDb);
}

/** Scales in place to a peak of `peakDb` dBFS (at most 0, so nothing clips). */
export function setPeak(samples: Float32Array, peakDb: number): void {
  let peak = 0;
  for (let i = 0; i < samples.length; i++) {
    const magnitude = Math.abs(samples[i]);
    if (magnitude > peak) peak = magnitude;
  }
  if (peak === 0) return;
  const gain = Math.pow(10, peakDb / 20) / peak;
  for (let i = 0; i < samples.length; i++) samples[i] *= gain;
}
