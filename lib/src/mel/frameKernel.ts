/** The compiled kernel for frames of audio (lib/kernels/mel.ts) in a memory of its own. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fftPlan } from './fft.js';
import type { MelFilterBank } from './filterBank.js';

/** What mel.wasm exports; addresses are bytes into its memory. */
interface KernelExports {
  readonly memory: WasmMemory;
  isWithin(n: number, samples: number, limit: number): number;
  // prettier-ignore
  powerFrames(nFrames: number, half: number, hop: number, samples: number, window: number, turns: number, unpack: number, order: number, z: number, power: number, out: number): void;
  // prettier-ignore
  melFrames(nFrames: number, half: number, hop: number, samples: number, window: number, turns: number, unpack: number, order: number, z: number, power: number, nMels: number, bands: number, weights: number, out: number, stride: number): void;
}

/** What is needed of the WebAssembly interface, whose types TypeScript ships only with those of the browser. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

const PAGE_BYTES = 65536;
/** Float32 numbers of samples and results that a block of frames may fill: what stays in the second-level cache. */
const BLOCK_VALUES = 1 << 18;

let exports: KernelExports | null | undefined;

/** The kernel's functions, loaded once; null where this machine cannot run it (no WebAssembly or no SIMD in it). */
export function frameKernel(): KernelExports | null {
  if (exports !== undefined) return exports;
  try {
    const bytes = readFileSync(fileURLToPath(new URL('../../dist/generated/mel.wasm', import.meta.url)));
    exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports as KernelExports;
  } catch {
    exports = null;
  }
  return exports;
}

let latest: FrameBlocks | undefined;

/**
 * The blocks of a shape: the latest ones while the shape stays, so that tables are laid out once for signals that follow
 * one another.
 * @param window [nFft], the same array for the same shape
 */
export function frameBlocks(
  kernel: KernelExports,
  window: Float64Array,
  hop: number,
  bank: MelFilterBank | null,
): FrameBlocks {
  if (!latest?.isOf(window, hop, bank)) latest = new FrameBlocks(kernel, window, hop, bank);
  return latest;
}

/**
 * Runs the kernel over blocks of frames of one shape: copies a block's samples in, hands out the block's results.
 * All shapes use the same memory, so only the latest made may run: see `frameBlocks`.
 */
class FrameBlocks {
  /** Most frames in a block, even. */
  readonly maxFrames: number;
  private readonly half: number;
  private readonly window: number;
  private readonly turns: number;
  private readonly unpack: number;
  private readonly order: number;
  private readonly z: number;
  private readonly power: number;
  private readonly bands: number;
  private readonly weights: number;
  private readonly samples: number;
  private readonly out: number;
  private readonly nOut: number;

  /**
   * @param weighing [nFft] the window
   * @param bank mel bands to sum up; null gives the power itself
   */
  constructor(
    private readonly kernel: KernelExports,
    private readonly weighing: Float64Array,
    private readonly hop: number,
    private readonly bank: MelFilterBank | null,
  ) {
    const nFft = weighing.length;
    const plan = fftPlan(nFft);
    this.half = plan.half;
    this.nOut = bank ? bank.nMels : plan.half + 1;
    const frames = Math.floor((BLOCK_VALUES - nFft) / (hop + this.nOut));
    this.maxFrames = Math.max(2, Math.min(512, frames - (frames % 2)));

    let end = 0;
    const place = (bytes: number): number => {
      const at = end;
      end += Math.ceil(bytes / 64) * 64;
      return at;
    };
    this.z = place(32 * plan.half);
    this.power = place(16 * (plan.half + 1));
    this.window = place(8 * nFft);
    this.turns = place(8 * plan.turns.length);
    this.unpack = place(8 * plan.unpack.length);
    this.order = place(4 * plan.half);
    this.bands = place(bank ? 8 * bank.nMels : 0);
    this.weights = place(bank ? 8 * bank.weights.length : 0);
    this.samples = place(4 * ((this.maxFrames - 1) * hop + nFft + 3));
    this.out = place(4 * this.maxFrames * this.nOut);
    const { memory } = kernel;
    const missing = end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));

    const { buffer } = memory;
    const doubles = (at: number, n: number): Float64Array => new Float64Array(buffer, at, n);
    doubles(this.window, nFft).set(weighing.map((weight) => 0.5 * weight)); // see RealFft.power
    doubles(this.turns, plan.turns.length).set(plan.turns);
    doubles(this.unpack, plan.unpack.length).set(plan.unpack);
    new Int32Array(buffer, this.order, plan.half).set(plan.order.map((line) => 32 * line));
    if (bank) {
      const bands = new Int32Array(buffer, this.bands, 2 * bank.nMels);
      for (let m = 0; m < bank.nMels; m++) {
        bands[2 * m] = bank.first[m];
        bands[2 * m + 1] = bank.offset[m + 1] - bank.offset[m];
      }
      doubles(this.weights, bank.weights.length).set(bank.weights);
    }
  }

  /** Whether these are the blocks of that window, hop and bank. */
  isOf(window: Float64Array, hop: number, bank: MelFilterBank | null): boolean {
    return this.weighing === window && this.hop === hop && this.bank === bank;
  }

  /** Where the samples of a block of `nFrames` frames go, before `run`. */
  input(nFrames: number): Float32Array {
    return new Float32Array(this.kernel.memory.buffer, this.samples, (nFrames - 1) * this.hop + 2 * this.half);
  }

  /** Whether the magnitudes of all samples in `input` are at most `limit`; NaN is not. */
  isWithin(nFrames: number, limit: number): boolean {
    const n = (nFrames - 1) * this.hop + 2 * this.half;
    // The kernel looks at four samples at a time; behind the last there may be anything.
    new Float32Array(this.kernel.memory.buffer, this.samples + 4 * n, 3).fill(0);
    return this.kernel.isWithin(n, this.samples, limit) === 1;
  }

  /** The results of the block whose samples are in `input`: [nMels, nFrames], or [nFrames, nBins] without a bank. */
  run(nFrames: number): Float32Array {
    const { kernel, half, hop, samples, window, turns, unpack, order, z, power, bank, bands, weights, out } = this;
    // prettier-ignore
    if (bank) kernel.melFrames(nFrames, half, hop, samples, window, turns, unpack, order, z, power, bank.nMels, bands, weights, out, nFrames);
    else kernel.powerFrames(nFrames, half, hop, samples, window, turns, unpack, order, z, power, out);
    return new Float32Array(kernel.memory.buffer, out, nFrames * this.nOut);
  }
}
