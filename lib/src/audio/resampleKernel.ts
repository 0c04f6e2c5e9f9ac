/** The compiled polyphase filter (lib/kernels/resample.ts) in a memory of its own. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One short filter a phase; output sample p of a period is sum_k weights[p, k] x[origin of the period + first[p] + k]. */
export interface Polyphase {
  /** Input samples a period. */
  readonly step: number;
  /** Output samples a period. */
  readonly nPhases: number;
  readonly taps: number;
  /** [nPhases], not falling; negative where a filter looks back before its period */
  readonly first: Int32Array;
  /** [nPhases, taps] */
  readonly weights: Float64Array;
}

interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  // prettier-ignore
  filter(stretch: number, step: number, nPhases: number, taps: number, first: number, weights: number, samples: number, wide: number, reach: number, out: number): void;
}

// WebAssembly's types come with those of the browser only.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

const PAGE_BYTES = 65536;
/** Stretches that the kernel filters at once. */
const LANES = 8;
/** Input samples of a stretch (64 bytes each while it is filtered) are about as many, to stay in the first-level cache. */
const STRETCH_SAMPLES = 512;
/** Bytes of tables and scratch above which the plain loop does it: rates that hardly share a divisor. */
const MAX_BYTES = 1 << 24;

let exports: KernelExports | null | undefined;

/** The kernel's functions, loaded once; null where this machine cannot run it (no WebAssembly or no SIMD in it). */
function resampleKernel(): KernelExports | null {
  if (exports !== undefined) return exports;
  try {
    const bytes = readFileSync(fileURLToPath(new URL('../../dist/generated/resample.wasm', import.meta.url)));
    exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports as KernelExports;
  } catch {
    exports = null;
  }
  return exports;
}

/** A signal that is read where it is needed; pieces may overlap. */
export interface SampleSource {
  /** Samples. */
  readonly length: number;
  /** Fills `into` with the samples from `first` on; never beyond the end. */
  read(first: number, into: Float32Array): void;
}

/**
 * Fills `out` with the filtered signal by the kernel, silence outside the signal: the bits of the plain loop.
 * @param start input sample that the first period starts at
 * @returns false, with nothing done, where the kernel cannot run or the tables are too large for it
 */
export function filterByKernel(signal: SampleSource, filters: Polyphase, out: Float32Array, start = 0): boolean {
  const { step, nPhases, taps, first, weights } = filters;
  const kernel = resampleKernel();
  const stretch = Math.max(1, Math.round(STRETCH_SAMPLES / step));
  const back = Math.max(0, -first[0]); // samples before a block that its filters reach
  const reach = Math.max(0, first[nPhases - 1] + back + taps - step);
  const inPerBlock = LANES * stretch * step;
  const outPerBlock = LANES * stretch * nPhases;

  let end = 0;
  const place = (bytes: number): number => {
    const at = end;
    end += Math.ceil(bytes / 64) * 64;
    return at;
  };
  const wideAt = place(64 * (stretch * step + reach + 3));
  const weightsAt = place(8 * weights.length);
  const firstAt = place(4 * nPhases);
  const samplesAt = place(4 * (inPerBlock + reach + 3));
  const outAt = place(4 * outPerBlock);
  if (!kernel || end > MAX_BYTES) return false;
  const { memory } = kernel;
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));

  const { buffer } = memory;
  new Float64Array(buffer, weightsAt, weights.length).set(weights);
  new Int32Array(buffer, firstAt, nPhases).set(first.map((sample) => sample + back));
  const blockIn = new Float32Array(buffer, samplesAt, inPerBlock + reach + 3);
  const blockOut = new Float32Array(buffer, outAt, outPerBlock);
  for (let done = 0, begin = start - back; done < out.length; done += outPerBlock, begin += inPerBlock) {
    const from = Math.max(0, begin);
    const until = Math.min(signal.length, begin + blockIn.length);
    if (until - from < blockIn.length) blockIn.fill(0);
    if (until > from) signal.read(from, blockIn.subarray(from - begin, until - begin));
    kernel.filter(stretch, step, nPhases, taps, firstAt, weightsAt, samplesAt, wideAt, reach, outAt);
    const left = out.length - done;
    out.set(left < outPerBlock ? blockOut.subarray(0, left) : blockOut, done);
  }
  return true;
}
