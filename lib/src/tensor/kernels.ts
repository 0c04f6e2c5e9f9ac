/**
 * Registers the accelerated kernels and their gradients with TensorFlow.js' wasm backend. Two of the backend's kernels
 * are replaced, so that everything profits: `BatchMatMul`, which multiplies transposed operands ten times slower, and
 * `Identity`, which copies every tensor that the tape saves for a gradient.
 */
import type { Blas } from './blas.js';
import { KERNEL } from './kernel-names.js';
import { tf } from './tf.js';
import { WasmHeap, type HeapBackend } from './wasm-heap.js';

type Info = tf.TensorInfo;
type Named = Record<string, Info>;

/** Under this many multiplications the call into a native library costs more than it saves. */
const BLAS_MIN_WORK = 32_768;

/** Bytes that the GELU kernels need for what is left over after whole vectors. */
const GELU_SCRATCH = 192;

/** Matrix products on the heap, by the BLAS where there is one and the product is worth it. */
class Multiplier {
  constructor(
    private readonly heap: WasmHeap,
    private readonly blas: Blas | null,
  ) {}

  /** C [m, n] = op(A) op(B) (+ C) with addresses into the heap. */
  // prettier-ignore
  gemm(transA: boolean, transB: boolean, m: number, n: number, k: number, a: number, lda: number, b: number, ldb: number, c: number, ldc: number, accumulate = false): void {
    const { heap, blas } = this;
    if (blas && m * n * k >= BLAS_MIN_WORK) {
      const size = (rows: number, ld: number, cols: number): number => (rows - 1) * ld + cols;
      const viewA = heap.view(a, transA ? size(k, lda, m) : size(m, lda, k));
      const viewB = heap.view(b, transB ? size(n, ldb, k) : size(k, ldb, n));
      blas.sgemm(transA, transB, m, n, k, viewA, lda, viewB, ldb, accumulate ? 1 : 0, heap.view(c, size(m, ldc, n)), ldc);
      return;
    }
    const scratch = heap.scratch(heap.kernels.gemmScratchBytes(n));
    heap.kernels.gemm(transA ? 1 : 0, transB ? 1 : 0, m, n, k, a, lda, b, ldb, c, ldc, accumulate ? 1 : 0, scratch);
  }
}

/** The live set-up; a second `registerKernels` replaces it, so that tests can switch the BLAS off and on. */
let heap: WasmHeap;
let multiplier: Multiplier;
let registered = false;
/** The backend's own kernels that ours replace. */
let originals: readonly tf.KernelConfig[] = [];

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function batchMatMul(inputs: Named, attrs: { transposeA: boolean; transposeB: boolean }): Info {
  const { a, b } = inputs;
  const { transposeA, transposeB } = attrs;
  const [rowsA, colsA] = a.shape.slice(-2);
  const [rowsB, colsB] = b.shape.slice(-2);
  const [m, k] = transposeA ? [colsA, rowsA] : [rowsA, colsA];
  const [kB, n] = transposeB ? [colsB, rowsB] : [rowsB, colsB];
  const batchShapeA = a.shape.slice(0, -2);
  const batchShapeB = b.shape.slice(0, -2);
  const [batchA, batchB] = [size(batchShapeA), size(batchShapeB)];
  if (k !== kB || (batchA !== batchB && batchA !== 1 && batchB !== 1)) {
    throw new RangeError(
      `matMul: shapes [${a.shape}] and [${b.shape}] do not multiply (transposeA ${transposeA}, transposeB ${transposeB})`,
    );
  }
  const batch = Math.max(batchA, batchB);
  const out = heap.output([...(batchA >= batchB ? batchShapeA : batchShapeB), m, n]);
  for (let i = 0; i < batch; i++) {
    const atA = heap.at(a) + (batchA > 1 ? 4 * i * m * k : 0);
    const atB = heap.at(b) + (batchB > 1 ? 4 * i * k * n : 0);
    multiplier.gemm(transposeA, transposeB, m, n, k, atA, colsA, atB, colsB, heap.at(out) + 4 * i * m * n, n);
  }
  return out;
}

function linear({ x, weight, bias }: Named): Info {
  const [rows, k] = x.shape;
  const n = weight.shape[0];
  const out = heap.output([rows, n]);
  if (bias) heap.kernels.fillRows(rows, n, heap.at(bias), heap.at(out));
  multiplier.gemm(false, true, rows, n, k, heap.at(x), k, heap.at(weight), k, heap.at(out), n, bias !== undefined);
  return out;
}

function columnSums({ x }: Named): Info {
  const [rows, cols] = x.shape;
  const out = heap.output([cols]);
  heap.kernels.columnSums(rows, cols, heap.at(x), heap.at(out));
  return out;
}

function layerNorm({ x, gain, bias }: Named, { epsilon }: { epsilon: number }): Info[] {
  const [rows, cols] = x.shape;
  const y = heap.output([rows, cols]);
  const stats = heap.output([rows, 2]);
  heap.kernels.layerNorm(rows, cols, epsilon, heap.at(x), heap.at(gain), heap.at(bias), heap.at(y), heap.at(stats));
  return [y, stats];
}

function layerNormGrad({ x, gain, stats, dy }: Named): Info[] {
  const [rows, cols] = x.shape;
  const dx = heap.output([rows, cols]);
  const dGain = heap.output([cols]);
  const dBias = heap.output([cols]);
  // prettier-ignore
  heap.kernels.layerNormGrad(rows, cols, heap.at(x), heap.at(gain), heap.at(stats), heap.at(dy), heap.at(dx), heap.at(dGain), heap.at(dBias));
  return [dx, dGain, dBias];
}

function gelu({ x }: Named): Info {
  const y = heap.output(x.shape);
  const scratch = heap.scratch(GELU_SCRATCH);
  heap.kernels.gelu(size(x.shape), heap.at(x), heap.at(y), scratch);
  return y;
}

function geluGrad({ x, dy }: Named): Info {
  const dx = heap.output(x.shape);
  const scratch = heap.scratch(GELU_SCRATCH);
  heap.kernels.geluGrad(size(x.shape), heap.at(x), heap.at(dy), heap.at(dx), scratch);
  return dx;
}

interface AttentionSizes {
  readonly nClips: number;
  readonly nTokens: number;
  readonly numHeads: number;
}

function attention({ qkv }: Named, { nClips, nTokens, numHeads }: AttentionSizes): Info[] {
  const inner = qkv.shape[1] / 3;
  const headDim = inner / numHeads;
  const out = heap.output([nClips * nTokens, inner]);
  const probs = heap.output([nClips, numHeads, nTokens, nTokens]);
  const scratch = heap.scratch(heap.kernels.gemmScratchBytes(Math.max(nTokens, headDim)));
  // prettier-ignore
  heap.kernels.attention(nClips, nTokens, numHeads, headDim, heap.at(qkv), heap.at(probs), heap.at(out), scratch);
  return [out, probs];
}

function attentionGrad({ qkv, probs, dy }: Named, { nClips, nTokens, numHeads }: AttentionSizes): Info {
  const headDim = qkv.shape[1] / 3 / numHeads;
  const dqkv = heap.output(qkv.shape);
  const packing = heap.kernels.gemmScratchBytes(Math.max(nTokens, headDim));
  const scratch = heap.scratch(packing + 4 * nTokens * nTokens);
  // prettier-ignore
  heap.kernels.attentionGrad(nClips, nTokens, numHeads, headDim, heap.at(qkv), heap.at(probs), heap.at(dy), heap.at(dqkv), scratch + packing, scratch);
  return dqkv;
}

/** Writes into the parameter and its moments in place; `ownData` comes first where others may hold the data. */
function adam({ param, grad, m, v }: Named, attrs: Record<string, number>): Info[] {
  const { learningRate, beta1, beta2, epsilon, correction1, correction2, weightDecay, decoupled, gradScale } = attrs;
  // prettier-ignore
  heap.kernels.adam(size(param.shape), heap.at(param), heap.at(grad), heap.at(m), heap.at(v), learningRate, beta1, beta2, epsilon, correction1, correction2, weightDecay, decoupled, gradScale);
  return [];
}

/** A further handle on the same data, where the backend's own kernel copies: nothing writes into a tensor but Adam. */
function identity({ x }: Named): Info {
  return heap.shared(x);
}

function copy({ x }: Named): Info {
  const out = heap.output(x.shape);
  const length = size(x.shape);
  heap.view(heap.at(out), length).set(heap.view(heap.at(x), length));
  return out;
}

/** Gives a variable data of its own if other tensors hold it too, so that it may be written in place. */
export function ownData(variable: tf.Variable): void {
  if (heap.isShared(variable)) tf.tidy(() => variable.assign(runKernel(KERNEL.copy, { x: variable })[0]));
}

/** Sum of the squares of a float32 tensor, added up in float64. */
export function sumOfSquares(x: tf.Tensor): number {
  return heap.kernels.sumOfSquares(x.size, heap.at(x));
}

const runKernel = (name: string, inputs: Record<string, tf.Tensor>, attrs: object = {}): tf.Tensor[] => {
  const out: unknown = tf.engine().runKernel(name, inputs, attrs as tf.NamedAttrMap);
  return Array.isArray(out) ? (out as tf.Tensor[]) : [out as tf.Tensor];
};

function registerGradients(): void {
  const gradient = (config: tf.GradConfig): void => tf.registerGradient(config);
  gradient({
    kernelName: KERNEL.linear,
    inputsToSave: ['x', 'weight'],
    gradFunc: (dy, saved) => {
      const d = dy as tf.Tensor2D;
      const [x, weight] = saved as tf.Tensor2D[];
      return {
        x: () => tf.matMul(d, weight),
        weight: () => tf.matMul(d, x, true, false),
        bias: () => runKernel(KERNEL.columnSums, { x: d })[0],
      };
    },
  });
  gradient({
    kernelName: KERNEL.layerNorm,
    inputsToSave: ['x', 'gain'],
    outputsToSave: [false, true],
    gradFunc: (dy, saved) => {
      const [x, gain, stats] = saved;
      const d = (dy as unknown as tf.Tensor[])[0];
      // Run here and not inside the functions below: each of those is tidied by itself.
      const [dx, dGain, dBias] = runKernel(KERNEL.layerNormGrad, { x, gain, stats, dy: d });
      return { x: () => dx, gain: () => dGain, bias: () => dBias };
    },
  });
  gradient({
    kernelName: KERNEL.gelu,
    inputsToSave: ['x'],
    gradFunc: (dy, [x]) => ({ x: () => runKernel(KERNEL.geluGrad, { x, dy: dy as tf.Tensor })[0] }),
  });
  gradient({
    kernelName: KERNEL.attention,
    inputsToSave: ['qkv'],
    outputsToSave: [false, true],
    gradFunc: (dy, saved, attrs) => {
      const [qkv, probs] = saved;
      const d = (dy as unknown as tf.Tensor[])[0];
      return { qkv: () => runKernel(KERNEL.attentionGrad, { qkv, probs, dy: d }, attrs)[0] };
    },
  });
}

/** What stands in for kernels of the backend. */
const REPLACEMENTS = { BatchMatMul: batchMatMul, Identity: identity } as const;

/** Registers everything with the running wasm backend; a repeated call only changes the BLAS. */
export function registerKernels(blas: Blas | null): void {
  if (!registered) heap = WasmHeap.load(tf.backend() as unknown as HeapBackend);
  multiplier = new Multiplier(heap, blas);
  if (registered) {
    replaceKernels();
    return;
  }
  const register = (kernelName: string, kernelFunc: (inputs: Named, attrs: never) => Info | Info[]): void =>
    tf.registerKernel({
      kernelName,
      backendName: 'wasm',
      kernelFunc: ({ inputs, attrs }) => kernelFunc(inputs as Named, attrs as never),
    });
  register(KERNEL.linear, linear);
  register(KERNEL.columnSums, columnSums);
  register(KERNEL.layerNorm, layerNorm);
  register(KERNEL.layerNormGrad, layerNormGrad);
  register(KERNEL.gelu, gelu);
  register(KERNEL.geluGrad, geluGrad);
  register(KERNEL.attention, attention);
  register(KERNEL.attentionGrad, attentionGrad);
  register(KERNEL.adam, adam);
  register(KERNEL.copy, copy);
  registerGradients();
  originals = Object.keys(REPLACEMENTS).map((name) => tf.getKernel(name, 'wasm'));
  replaceKernels();
  registered = true;
}

function replaceKernels(): void {
  for (const original of originals) {
    const own = REPLACEMENTS[original.kernelName as keyof typeof REPLACEMENTS];
    tf.unregisterKernel(original.kernelName, 'wasm');
    tf.registerKernel({
      ...original,
      kernelFunc: (params) =>
        params.inputs.x?.dtype === 'string'
          ? original.kernelFunc(params)
          : own(params.inputs as Named, params.attrs as never),
    });
  }
}

/** Gives the wasm backend its own kernels back. */
export function restorePlainKernels(): void {
  for (const original of originals) {
    tf.unregisterKernel(original.kernelName, 'wasm');
    tf.registerKernel(original);
  }
}
