/** Power of every frame of a signal, summed into mel bands or not: by the kernel, and its plain twin. */
import { InputError } from '../errors.js';
import { RealFft } from './fft.js';
import { MEL, type MelFilterBank } from './filterBank.js';
import { frameBlocks, frameKernel } from './frameKernel.js';

/** How a signal is cut into frames: frame t is centred on sample t * hopLength, of nFft samples, reflected at the ends. */
export interface Framing {
  /** Samples a frame, a power of two; at most 2 (nSamples - 1). */
  readonly nFft: number;
  /** Samples from frame to frame. */
  readonly hopLength: number;
}

/** Which frames to compute, where `samples` is a part of a longer signal. */
export interface FrameSpan {
  /** Place in `samples` of the first frame's centre. */
  readonly centre: number;
  readonly nFrames: number;
  /** Samples of the signal before `samples`, for messages. */
  readonly before: number;
}

/** Frames of a signal: 1 + floor(nSamples / hopLength); frame t is centred on sample t * hopLength. */
export function frameCount(nSamples: number, hopLength: number = MEL.hopLength): number {
  return 1 + Math.floor(nSamples / hopLength);
}

/** The periodic Hann window of n samples: .5 - .5 cos(2 pi i / n). */
export function hannWindow(n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n));
}

const windows = new Map<number, Float64Array>();

/** `hannWindow`, worked out once a size; not to be changed. */
function windowOf(n: number): Float64Array {
  let window = windows.get(n);
  if (!window) windows.set(n, (window = hannWindow(n)));
  return window;
}

/** Largest magnitude whose power surely stays finite in float32. Audio is -1..1; integers as floats pass as well. */
const MAX_MAGNITUDE = 1e12;

/**
 * Power of all frames, Hann window, computed in float64, rounded to float32.
 *
 * @param where what to name in errors
 * @param samples at least nFft / 2 + 1
 * @param bank mel bands to sum up; null gives the power itself
 * @param span default: all frames of `samples`
 * @returns [nMels, nFrames] with a bank, [nFrames, nFft / 2 + 1] without
 * @throws InputError for NaN or infinities
 */
export function analyseFrames(
  where: string,
  samples: Float32Array,
  framing: Framing,
  bank: MelFilterBank | null,
  span: FrameSpan = wholeSpan(samples, framing),
): Float32Array {
  const known = framesByKernel(where, samples, framing, bank, span);
  if (known) return known;
  assertMagnitudes(where, samples, span.before);
  return framesPlain(samples, framing, bank, span);
}

const wholeSpan = (samples: Float32Array, { hopLength }: Framing): FrameSpan => ({
  centre: 0,
  nFrames: frameCount(samples.length, hopLength),
  before: 0,
});

function assertMagnitudes(where: string, samples: Float32Array, before: number): void {
  for (let i = 0; i < samples.length; i++) {
    if (!(Math.abs(samples[i]) <= MAX_MAGNITUDE))
      throw new InputError(
        where,
        `sample ${before + i} is ${samples[i]}, numbers between -${MAX_MAGNITUDE} and ${MAX_MAGNITUDE} were expected.`,
      );
  }
}

/** As `analyseFrames`, by the compiled kernel: the same bits as `framesPlain`; null where it cannot run. */
export function framesByKernel(
  where: string,
  samples: Float32Array,
  framing: Framing,
  bank: MelFilterBank | null,
  { centre, nFrames, before }: FrameSpan = wholeSpan(samples, framing),
): Float32Array | null {
  const kernel = frameKernel();
  if (!kernel) return null;
  const { nFft, hopLength } = framing;
  const blocks = frameBlocks(kernel, windowOf(nFft), hopLength, bank);
  const nOut = bank ? bank.nMels : nFft / 2 + 1;
  const data = new Float32Array(nFrames * nOut);
  if (hopLength > nFft / 2) assertMagnitudes(where, samples, before); // some samples are in no frame
  for (let first = 0; first < nFrames; first += blocks.maxFrames) {
    const n = Math.min(blocks.maxFrames, nFrames - first);
    copyReflected(samples, centre + first * hopLength - nFft / 2, blocks.input(n));
    if (!blocks.isWithin(n, MAX_MAGNITUDE)) assertMagnitudes(where, samples, before);
    const block = blocks.run(n);
    if (bank) for (let m = 0; m < nOut; m++) data.set(block.subarray(m * n, (m + 1) * n), m * nFrames + first);
    else data.set(block, first * nOut);
  }
  return data;
}

/** As `analyseFrames`, in TypeScript, frame by frame. */
export function framesPlain(
  samples: Float32Array,
  framing: Framing,
  bank: MelFilterBank | null,
  { centre, nFrames }: FrameSpan = wholeSpan(samples, framing),
): Float32Array {
  const { nFft, hopLength } = framing;
  const fft = new RealFft(nFft);
  const window = windowOf(nFft);
  const cut = new Float32Array(nFft);
  const frame = new Float64Array(nFft);
  const power = new Float64Array(fft.nBins);
  const data = new Float32Array(nFrames * (bank ? bank.nMels : fft.nBins));
  for (let t = 0; t < nFrames; t++) {
    copyReflected(samples, centre + t * hopLength - nFft / 2, cut);
    for (let i = 0; i < nFft; i++) frame[i] = cut[i] * window[i];
    fft.power(frame, power);
    if (!bank) {
      data.set(power, t * fft.nBins);
      continue;
    }
    const { nMels, first, offset, weights } = bank;
    for (let m = 0; m < nMels; m++) {
      const begin = offset[m];
      const n = offset[m + 1] - begin;
      const bin = first[m];
      let sum = 0;
      for (let i = 0; i < n; i++) sum += weights[begin + i] * power[bin + i];
      data[m * nFrames + t] = sum;
    }
  }
  return data;
}

/** Copies samples from `begin` on; before and behind the signal it is mirrored, the edge sample not repeated. */
function copyReflected(samples: Float32Array, begin: number, out: Float32Array): void {
  const n = samples.length;
  const before = Math.max(0, -begin);
  const inside = Math.min(out.length, n - begin);
  for (let i = 0; i < before; i++) out[i] = samples[-(begin + i)];
  out.set(samples.subarray(begin + before, begin + inside), before);
  for (let i = inside; i < out.length; i++) out[i] = samples[2 * (n - 1) - (begin + i)];
}
