/** The compiled kernels of t-SNE (lib/kernels/tsne.ts) and the memory that each map has of its own. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What tsne.wasm exports. Arguments in order as in lib/kernels/tsne.ts; every address is a byte offset. */
export interface TsneKernels {
  // prettier-ignore
  sortPoints(n: number, y: number, keys: number, order: number, spare: number, counts: number, xs: number, ys: number): void;
  buildTree(n: number, keys: number, xs: number, ys: number, nodes: number): number;
  // prettier-ignore
  repelByTree(nodes: number, stop: number, xs: number, ys: number, order: number, theta: number, lists: number, listRoom: number, force: number, sums: number, scratch: number): void;
  // prettier-ignore
  repelExactly(m: number, txs: number, tys: number, n: number, xs: number, ys: number, ones: number, force: number, sums: number, scratch: number): void;
  // prettier-ignore
  repelEachByTree(m: number, txs: number, tys: number, nodes: number, stop: number, xs: number, ys: number, theta: number, lists: number, listRoom: number, force: number, sums: number): void;
  distances(count: number, d: number, query: number, points: number, ids: number, out: number): void;
  sum(n: number, x: number): number;
  // prettier-ignore
  nearest(rows: number, n: number, products: number, norms: number, skip: number, keep: number, values: number, indices: number, out: number): void;
  // prettier-ignore
  attract(m: number, targets: number, y: number, rows: number, cols: number, p: number, force: number): void;
  // prettier-ignore
  step(length: number, y: number, velocity: number, gains: number, attraction: number, repulsion: number, exaggeration: number, z: number, learningRate: number, momentum: number, minGain: number): number;
}

/** What is needed of the WebAssembly interface, whose types TypeScript ships only with those of the browser. */
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

let compiled: object | null = null;

/** A module: its bytes are read and compiled once. */
function kernelModule(): object {
  compiled ??= new WebAssembly.Module(
    readFileSync(fileURLToPath(new URL('../../dist/generated/tsne.wasm', import.meta.url))),
  );
  return compiled;
}

/** Named buffers in one fixed memory, and the kernels over it; freed with the object. */
export class Workspace<Name extends string> {
  readonly kernels: TsneKernels;
  /** Byte address of each buffer. */
  readonly at: Readonly<Record<Name, number>>;
  private readonly buffer: ArrayBuffer;

  /** @param numbers how many 4-byte numbers each buffer holds */
  constructor(numbers: Readonly<Record<Name, number>>) {
    let top = 64;
    const at = {} as Record<Name, number>;
    for (const name of Object.keys(numbers) as Name[]) {
      at[name] = top;
      top += (4 * numbers[name] + 15) & ~15;
    }
    const memory = new WebAssembly.Memory({ initial: Math.ceil(top / 65536) });
    const instance = new WebAssembly.Instance(kernelModule(), {
      env: {
        memory,
        abort: () => {
          throw new Error('a t-SNE kernel aborted');
        },
      },
    });
    this.kernels = instance.exports as unknown as TsneKernels;
    this.at = at;
    this.buffer = memory.buffer;
  }

  floats(name: Name, length: number): Float32Array {
    return new Float32Array(this.buffer, this.at[name], length);
  }

  /** @param length float64 numbers, each of them two of the buffer's */
  doubles(name: Name, length: number): Float64Array {
    return new Float64Array(this.buffer, this.at[name], length);
  }

  integers(name: Name, length: number): Int32Array {
    return new Int32Array(this.buffer, this.at[name], length);
  }
}
