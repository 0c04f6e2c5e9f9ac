/** 08: strengths of augmentations read from impulse responses and tones. Sample rate 16 kHz; `h` = an impulse response. */
import { applyAugmentation, type Augmentation, rms, SAMPLE_RATE } from '../../audio/index.js';
import { createRng } from '../../tensor/index.js';
import { mean } from '../../stats/index.js';

const HALF_POWER = 10 * Math.log10(1 / 2); // dB
const LOWEST = 10; // Hz
const HIGHEST = 7990; // Hz

/** Level in dB of an impulse response at one frequency. */
export function levelAt(h: Float32Array, hz: number): number {
  const [stepRe, stepIm] = [Math.cos((2 * Math.PI * hz) / SAMPLE_RATE), -Math.sin((2 * Math.PI * hz) / SAMPLE_RATE)];
  let [turnRe, turnIm, re, im] = [1, 0, 0, 0];
  for (let i = 0; i < h.length; i++) {
    re += h[i] * turnRe;
    im += h[i] * turnIm;
    [turnRe, turnIm] = [turnRe * stepRe - turnIm * stepIm, turnRe * stepIm + turnIm * stepRe];
  }
  return 20 * Math.log10(Math.hypot(re, im));
}

/** Where the level crosses -3 dB between a frequency that passes and one that does not (log scale, bisected). */
function crossing(h: Float32Array, passes: number, stopped: number): number {
  for (let step = 0; step < 30; step++) {
    const middle = Math.sqrt(passes * stopped);
    if (levelAt(h, middle) > HALF_POWER) passes = middle;
    else stopped = middle;
  }
  return Math.sqrt(passes * stopped);
}

/** The -3 dB point of a low-pass or a high-pass in Hz. */
export function cutOff(h: Float32Array): number {
  return levelAt(h, LOWEST) > levelAt(h, HIGHEST) ? crossing(h, LOWEST, HIGHEST) : crossing(h, HIGHEST, LOWEST);
}

/** The -3 dB points on both sides of a stopped frequency in Hz. */
export function bandEdges(h: Float32Array, centreHz: number): [low: number, high: number] {
  return [crossing(h, LOWEST, centreHz), crossing(h, HIGHEST, centreHz)];
}

/** dB an octave, the line through seven octaves. */
export function tiltSlope(h: Float32Array): number {
  const octaves = [62.5, 125, 250, 500, 1000, 2000, 4000];
  return slope(octaves.map(Math.log2), octaves.map((hz) => levelAt(h, hz))); // prettier-ignore
}

/** RT60 in seconds by Schroeder's backward integration: the line through -5 to -35 dB, drawn on to -60 (ISO 3382). */
export function decayTime(h: Float32Array): number {
  const left = new Float64Array(h.length);
  for (let i = h.length - 1, sum = 0; i >= 0; i--) left[i] = sum += h[i] * h[i];
  const times: number[] = [];
  const levels: number[] = [];
  for (let i = 0; i < h.length; i += 16) {
    const level = 10 * Math.log10(left[i] / left[0]);
    if (level > -5 || level < -35) continue;
    times.push(i / SAMPLE_RATE);
    levels.push(level);
  }
  return -60 / slope(times, levels);
}

/** dB in per dB out of a tone at four levels above the threshold of a compressor. */
export async function compressionRatio({ id, strength }: Augmentation): Promise<number> {
  const levels = [-18, -12, -6, 0];
  const tone = Float32Array.from(
    { length: levels.length * SAMPLE_RATE },
    (_, i) => Math.sin((2 * Math.PI * 500 * i) / SAMPLE_RATE) * 10 ** (levels[Math.floor(i / SAMPLE_RATE)] / 20),
  );
  const options = { thresholdDb: -30 - 20 * Math.log10(rms(tone)) }; // in dB over the RMS of the whole
  const out = await applyAugmentation(tone, { id, strength, options }, createRng(0));
  const measured = levels.map((_, k) => 20 * Math.log10(rms(out.subarray((k + 0.6) * SAMPLE_RATE, (k + 1) * SAMPLE_RATE)))); // prettier-ignore
  return 1 / slope(levels, measured);
}

/** Hann window in which a partial's phase is read: 0.25 s keeps tones 55 Hz apart out of each other's way. */
const WINDOW = 4000;
/** Between the two readings: the phase is told apart within 10 Hz either way. */
const ADVANCE = 800;

/** Cents by which the partial near `hz` is off, by the phase that advances between windows: mean of ten. */
export function partialCents(x: Float32Array, hz: number, from: number): number {
  let turn = 0;
  for (let k = 0; k < 10; k++) {
    const [a, b] = phasor(x, hz, from + 2 * ADVANCE * k);
    const [c, d] = phasor(x, hz, from + 2 * ADVANCE * k + ADVANCE);
    turn += Math.atan2(a * d - b * c, a * c + b * d) / 10;
  }
  return 1200 * Math.log2(1 + (turn * SAMPLE_RATE) / (2 * Math.PI * ADVANCE * hz));
}

function phasor(x: Float32Array, hz: number, from: number): [re: number, im: number] {
  let [re, im] = [0, 0];
  for (let i = 0; i < WINDOW; i++) {
    const hann = 1 - Math.cos((2 * Math.PI * (i + 0.5)) / WINDOW);
    const angle = (2 * Math.PI * hz * (from + i)) / SAMPLE_RATE;
    re += hann * x[from + i] * Math.cos(angle);
    im -= hann * x[from + i] * Math.sin(angle);
  }
  return [re, im];
}

/** Slope of the least-squares line. */
function slope(xs: readonly number[], ys: readonly number[]): number {
  const [mx, my] = [mean(xs), mean(ys)];
  const over = xs.reduce((sum, x, i) => sum + (x - mx) * (ys[i] - my), 0);
  return over / xs.reduce((sum, x) => sum + (x - mx) ** 2, 0);
}
