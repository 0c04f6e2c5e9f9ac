/**
 * Time stretch and pitch shift by Signalsmith Stretch, a phase vocoder in WebAssembly.
 *
 * Package: signalsmith-stretch 1.3.2, the release of the algorithm's author, MIT, 0.2 MB, one file with the WebAssembly
 * inside, no dependencies, no install script, no types. It is written for the audio worklet of a browser; here its script
 * runs in a context of its own that has a worklet's two names (`AudioWorkletProcessor`, `registerProcessor`), and the
 * WebAssembly is called directly.
 *
 * Measured on a chord of nine sinusoids (signal over all else; largest error of a partial):
 * - stretch by .5 to 2: 34 to 51 dB, 0.12 cents; onsets within 1 ms; blocks of 120 ms every 30 ms (its own default) 28 dB
 *   at the worst;
 * - pitch shift by stretch, then resampling, as here: -6 to 6 semitones 33 to 52 dB, 0.13 cents; -50 to 50 cents 44 to
 *   49 dB, 0.04 cents;
 * - its own transposition: 1 to 3 dB, 9 to 20 cents, hence not used;
 * - @soundtouchjs/core 2.1.1 (MPL-2.0, overlap-add in the time domain): 2 to 4 dB, up to 20 cents.
 * Rubber Band is GPL, so no choice for an MIT project.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { runInNewContext } from 'node:vm';
import { resample } from '../resample.js';

/** The part of the WebAssembly module that is used; lengths in samples. */
interface Stretcher {
  readonly HEAP8: Int8Array;
  _configure(channels: number, block: number, interval: number, splitComputation: number): void;
  _reset(): void;
  _setTransposeSemitones(semitones: number, tonalityLimit: number): void;
  _inputLatency(): number;
  _outputLatency(): number;
  /** Makes room for `length` samples of input, then of output; returns where (bytes). */
  _setBuffers(channels: number, length: number): number;
  _process(nIn: number, nOut: number): void;
}

interface Processor {
  readonly wasmModule: Stretcher;
}
type ProcessorClass = new (options: { numberOfOutputs: number; outputChannelCount: number[] }) => Processor;

/** 128 ms and 32 ms at 16 kHz. */
const BLOCK = 2048;
const INTERVAL = 512;
/** Samples in and out of one call, so that long tracks need no more memory. */
const CHUNK = 1 << 19;
/**
 * Ratios nearer to 1 than this are reached in two steps over `DETOUR`: the stretcher reads its input in intervals of
 * whole samples, and where they differ by less than two from those of its output (ratios within .004 of 1) the pitch is
 * off by up to all that was asked for.
 */
const NEAR_ONE = 0.0055;
const DETOUR = 1.03;

let loading: Promise<Stretcher> | undefined;

function load(): Promise<Stretcher> {
  loading ??= new Promise((resolve) => {
    let create: ProcessorClass | undefined;
    let ready = (): void => undefined;
    const silent = { log: ready, warn: ready, error: ready };
    const path = createRequire(import.meta.url).resolve('signalsmith-stretch');
    const worklet = {
      sampleRate: 16000, // for its own default block lengths, which are not used
      currentTime: 0,
      atob,
      console: silent,
      performance: { now: () => 0 },
      // Its generator is drawn on for stretches above 2 only, which are not offered; a fixed seed all the same.
      crypto: { getRandomValues: (bytes: Uint8Array) => bytes.fill(1) },
      AudioWorkletProcessor: class {
        readonly port = { onmessage: null, postMessage: () => ready() };
      },
      registerProcessor: (_name: string, processor: ProcessorClass) => {
        create = processor;
      },
    };
    runInNewContext(readFileSync(path, 'utf8'), worklet, { filename: path });
    if (!create) throw new Error('signalsmith-stretch registered no processor; install version 1.3.2.');
    const processor = new create({ numberOfOutputs: 1, outputChannelCount: [1] });
    ready = () => resolve(processor.wasmModule);
  });
  return loading;
}

/**
 * Changes the length to round(ratio * length), the pitch stays. Onsets move to `ratio` times their time, within 1 ms.
 * @param ratio 0.5 to 2: output length over input length
 */
export async function stretch(samples: Float32Array, ratio: number): Promise<Float32Array> {
  const stretcher = await load();
  const nOut = Math.round(samples.length * ratio);
  if (ratio === 1) return samples.slice();
  if (Math.abs(ratio - 1) >= NEAR_ONE) return stretchOnce(stretcher, samples, ratio, nOut);
  const there = stretchOnce(stretcher, samples, DETOUR, Math.round(samples.length * DETOUR));
  return stretchOnce(stretcher, there, ratio / DETOUR, nOut);
}

function stretchOnce(stretcher: Stretcher, samples: Float32Array, ratio: number, nOut: number): Float32Array {
  stretcher._configure(1, BLOCK, INTERVAL, 0);
  stretcher._reset();
  stretcher._setTransposeSemitones(0, 0.5);
  // What goes in at time t comes out at (t + input latency) * ratio + output latency.
  const delay = stretcher._outputLatency() + Math.round(stretcher._inputLatency() * ratio);
  const total = nOut + delay;
  const out = new Float32Array(total);
  const step = Math.floor(CHUNK / Math.max(1, 1 / ratio));
  const room = CHUNK + 1;
  const at = stretcher._setBuffers(1, room);
  for (let done = 0, read = 0; done < total;) {
    const end = Math.min(total, done + step);
    const readEnd = Math.round(end / ratio);
    const input = new Float32Array(stretcher.HEAP8.buffer, at, readEnd - read).fill(0);
    input.set(samples.subarray(read, readEnd));
    stretcher._process(readEnd - read, end - done);
    // Looked up again: the call may have moved the memory.
    out.set(new Float32Array(stretcher.HEAP8.buffer, at + 4 * room, end - done), done);
    done = end;
    read = readEnd;
  }
  return out.slice(delay);
}

/** Largest denominator of a resampling ratio: an error of 0.03 cents at most. */
const DENOMINATOR = 1000;

/** The fraction p / q nearest to `ratio`, q at most 1000. */
function nearestFraction(ratio: number): [p: number, q: number] {
  let best: [number, number] = [1, 1];
  for (let q = 1; q <= DENOMINATOR; q++) {
    const p = Math.round(q * ratio);
    if (Math.abs(p / q - ratio) < Math.abs(best[0] / best[1] - ratio)) best = [p, q];
  }
  return best;
}

/**
 * Shifts the pitch, length and tempo stay: stretched by 2^(cents / 1200), then resampled to the old length. What would
 * lie above half the sample rate is gone; shifted down, the top of the band is empty. From .94 of the band on the
 * resampler rolls off (-0.7 dB at 7.2 kHz).
 */
export async function shiftPitch(samples: Float32Array, cents: number): Promise<Float32Array> {
  const [p, q] = nearestFraction(2 ** (cents / 1200));
  return resample(await stretch(samples, p / q), p, q, 'kaiser').slice(0, samples.length);
}
