/**
 * Registers the accelerated kernels and their gradients with TensorFlow.js' wasm backend. Two of the backend's kernels
 * are replaced, so that everything profits: `BatchMatMul`, which multiplies transposed operands ten times slower, and
 * `Identity`, which copies every tensor that the tape saves for a gradient.
 */
import type { Blas } from './blas.js';
import { registerGradients, runKernel } from './gradients.js';
import { KERNEL } from './kernel-names.js';
import { Multiplier } from './multiplier.js';
import { tf } from './tf.js';
import { WasmHeap, type HeapBackend } from './wasm-heap.js';

type Info = tf.TensorInfo;
type Named = Record<string, Info>;

/** Bytes that the GELU kernels need for what is left over after whole vectors. */
const GELU_SCRATCH = 192;

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

/** x weight' (+ bias) (+ residual): what is added goes into the output first, and the product on top of it. */
function linear({ x, weight, bias, residual }: Named): Info {
  const [rows, k] = x.shape;
  const n = weight.shape[0];
  const out = heap.output([rows, n]);
  const to = heap.at(out);
  if (residual && bias) heap.kernels.addToRows(rows, n, heap.at(residual), heap.at(bias), to);
  else if (residual) heap.view(to, rows * n).set(heap.view(heap.at(residual), rows * n));
  else if (bias) heap.kernels.fillRows(rows, n, heap.at(bias), to);
  const accumulate = bias !== undefined || residual !== undefined;
  multiplier.gemm(false, true, rows, n, k, heap.at(x), k, heap.at(weight), k, to, n, accumulate);
  return out;
}

function columnSums({ x }: Named): Info {
  const [rows, cols] = x.shape;
  const out = heap.output([cols]);
  heap.kernels.columnSums(rows, cols, heap.at(x), heap.at(out));
  return out;
}

function groupMeans({ x }: Named, { groups }: { groups: number }): Info {
  const [rows, cols] = x.shape;
  const out = heap.output([groups, cols]);
  heap.kernels.groupMeans(groups, rows / groups, cols, heap.at(x), heap.at(out));
  return out;
}

function groupMeansGrad({ dy }: Named, { rows }: { rows: number }): Info {
  const [groups, cols] = dy.shape;
  const dx = heap.output([rows, cols]);
  heap.kernels.groupMeansGrad(groups, rows / groups, cols, heap.at(dy), heap.at(dx));
  return dx;
}

function layerNorm({ x, gain, bias }: Named, { epsilon }: { epsilon: number }): Info[] {
  const [rows, cols] = x.shape;
  const y = heap.output([rows, cols]);
  const stats = heap.output([rows, 2]);
  heap.kernels.layerNorm(rows, cols, epsilon, heap.at(x), heap.at(gain), heap.at(bias), heap.at(y), heap.at(stats));
  return [y, stats];
}

function layerNormGrad({ x, gain, stats, dy, around }: Named): Info[] {
  const [rows, cols] = x.shape;
  const dx = heap.output([rows, cols]);
  const dGain = heap.output([cols]);
  const dBias = heap.output([cols]);
  // prettier-ignore
  heap.kernels.layerNormGrad(rows, cols, heap.at(x), heap.at(gain), heap.at(stats), heap.at(dy), around ? heap.at(around) : 0, heap.at(dx), heap.at(dGain), heap.at(dBias));
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

/** [activation, gradient of the pre-activation x, its sums over rows]; the gradient is written over `dy`. */
function geluAndGrad({ x, dy }: Named): Info[] {
  const [rows, cols] = x.shape;
  const y = heap.output(x.shape);
  const dBias = heap.output([cols]);
  const scratch = heap.scratch(GELU_SCRATCH);
  const at = heap.at(dy);
  heap.kernels.geluAndGrad(rows, cols, heap.at(x), at, heap.at(y), at, heap.at(dBias), scratch);
  return [y, heap.shared(dy), dBias];
}

interface AttentionSizes {
  readonly nClips: number;
  readonly nTokens: number;
  readonly numHeads: number;
}

/** From this many numbers in q k' of one head on, the products of attention are left to the BLAS too. */
const BLAS_MIN_SCORES = 1024;

function attention({ qkv }: Named, { nClips, nTokens, numHeads }: AttentionSizes): Info[] {
  const inner = qkv.shape[1] / 3;
  const headDim = inner / numHeads;
  const out = heap.output([nClips * nTokens, inner]);
  const probs = heap.output([nClips, numHeads, nTokens, nTokens]);
  const [n, d, ld, area] = [nTokens, headDim, 3 * inner, nTokens * nTokens];
  if (!multiplier.hasBlas || area < BLAS_MIN_SCORES) {
    const scratch = heap.scratch(heap.kernels.gemmScratchBytes(Math.max(n, d)));
    heap.kernels.attention(nClips, n, numHeads, d, heap.at(qkv), heap.at(probs), heap.at(out), scratch);
    return [out, probs];
  }
  forEachHead(nClips, numHeads, (clip, head, index) => {
    const q = heap.at(qkv) + 4 * (clip * n * ld + head * d);
    const [k, v] = [q + 4 * inner, q + 8 * inner];
    const p = heap.at(probs) + 4 * index * area;
    multiplier.gemm(false, true, n, n, d, q, ld, k, ld, p, n);
    heap.kernels.softmaxRows(n, n, 1 / Math.sqrt(d), p);
    multiplier.gemm(false, false, n, d, n, p, n, v, ld, heap.at(out) + 4 * (clip * n * inner + head * d), inner);
  });
  return [out, probs];
}

function attentionGrad({ qkv, probs, dy }: Named, { nClips, nTokens, numHeads }: AttentionSizes): Info {
  const inner = qkv.shape[1] / 3;
  const headDim = inner / numHeads;
  const dqkv = heap.output(qkv.shape);
  const [n, d, ld, area] = [nTokens, headDim, 3 * inner, nTokens * nTokens];
  if (!multiplier.hasBlas || area < BLAS_MIN_SCORES) {
    const packing = heap.kernels.gemmScratchBytes(Math.max(n, d));
    const scratch = heap.scratch(packing + 4 * area);
    // prettier-ignore
    heap.kernels.attentionGrad(nClips, n, numHeads, d, heap.at(qkv), heap.at(probs), heap.at(dy), heap.at(dqkv), scratch + packing, scratch);
    return dqkv;
  }
  const scores = heap.output([n, n]);
  const ds = heap.at(scores);
  forEachHead(nClips, numHeads, (clip, head, index) => {
    const offset = 4 * (clip * n * ld + head * d);
    const [q, dq] = [heap.at(qkv) + offset, heap.at(dqkv) + offset];
    const [k, v, dk, dv] = [q + 4 * inner, q + 8 * inner, dq + 4 * inner, dq + 8 * inner];
    const p = heap.at(probs) + 4 * index * area;
    const dOut = heap.at(dy) + 4 * (clip * n * inner + head * d);
    multiplier.gemm(true, false, n, d, n, p, n, dOut, inner, dv, ld); // dV = P' dO
    multiplier.gemm(false, true, n, n, d, dOut, inner, v, ld, ds, n); // dP = dO V'
    heap.kernels.softmaxGradRows(n, n, 1 / Math.sqrt(d), p, ds);
    multiplier.gemm(false, false, n, d, n, ds, n, k, ld, dq, ld); // dQ = dS K
    multiplier.gemm(true, false, n, d, n, ds, n, q, ld, dk, ld); // dK = dS' Q
  });
  heap.release(scores);
  return dqkv;
}

/** Every head of every clip, with its place among all of them. */
function forEachHead(nClips: number, numHeads: number, run: (clip: number, head: number, index: number) => void): void {
  for (let index = 0; index < nClips * numHeads; index++) run(Math.floor(index / numHeads), index % numHeads, index);
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
  register(KERNEL.geluAndGrad, geluAndGrad);
  register(KERNEL.attention, attention);
  register(KERNEL.attentionGrad, attentionGrad);
  register(KERNEL.groupMeans, groupMeans);
  register(KERNEL.groupMeansGrad, groupMeansGrad);
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
