/**
 * The encoder and a probe's head as ONNX operations. Letters: B clips, T tokens of a clip, R = B * T rows, H heads.
 * The batch is free, the number of frames is the clip's: positions are constants. Weights stand under the reference's
 * names and in its shapes; `Gemm` with `transB` reads them as they are.
 */
import { LOG_GAINS, sincos2d, type EncoderConfig } from '../encoder/index.js';
import { headLayers, type Probe } from '../probe/index.js';
import type { StoredTensor } from '../store/index.js';
import { PATCH_SIZE, PATCHINGS, tokenGrid, type Patching } from '../views/index.js';
import type { OnnxGraph } from './onnxModel.js';

/** PyTorch's default for LayerNorm. */
const EPSILON = 1e-5;

type Weights = ReadonlyMap<string, StoredTensor>;

/**
 * @param mel name of the input [B, 128, clipFrames], power
 * @param output name that the embedding [B, outWidth] gets
 */
export function addEncoder(
  graph: OnnxGraph,
  config: EncoderConfig,
  weights: Weights,
  mel: string,
  output: string,
): string {
  const scaled = addScale(graph, config, mel);
  const patchings = PATCHINGS[config.patches];
  if (patchings.length === 1) return addPatching(graph, config, weights, scaled, patchings[0], output);
  const parts = patchings.map((patching) => addPatching(graph, config, weights, scaled, patching));
  return graph.add('Concat', parts, { axis: 1 }, output);
}

/** One patching of the clips through the transformer: [B, width]. */
function addPatching(
  graph: OnnxGraph,
  config: EncoderConfig,
  weights: Weights,
  mel: string,
  patching: Patching,
  output?: string,
): string {
  const [rows, columns] = tokenGrid(patching, config.nMels, config.clipFrames);
  const tokens = addPatchingTokens(graph, config, weights, mel, patching);
  const clips = graph.add('Reshape', [tokens, graph.ints([-1, rows * columns, config.width])]);
  return graph.add('ReduceMean', [clips], { axes: [1], keepdims: 0 }, output);
}

/** The tokens of vertical patches after the last norm, [R, width]. @param mel name of [B, 128, clipFrames], power */
export function addTokens(graph: OnnxGraph, config: EncoderConfig, weights: Weights, mel: string): string {
  return addPatchingTokens(graph, config, weights, addScale(graph, config, mel), 'vertical');
}

function addScale(graph: OnnxGraph, { inputScale }: EncoderConfig, mel: string): string {
  if (inputScale === 'power') return mel;
  const gain = LOG_GAINS[inputScale];
  const amplified = gain === 1 ? mel : graph.add('Mul', [mel, graph.scalar(gain)]);
  return graph.add('Log', [graph.add('Add', [amplified, graph.scalar(1)])]);
}

/** One patching of the clips through the transformer, each token by itself: [R, width]. */
function addPatchingTokens(
  graph: OnnxGraph,
  config: EncoderConfig,
  weights: Weights,
  mel: string,
  patching: Patching,
): string {
  const { width, depth, nMels, clipFrames } = config;
  const [rows, columns] = tokenGrid(patching, nMels, clipFrames);
  const [bins, frames] = PATCH_SIZE[patching];
  const tokens = rows * columns;
  const own = new Layers(graph, weights);
  const grid = graph.add('Reshape', [mel, graph.ints([-1, rows, bins, columns, frames])]);
  const byToken = graph.add('Transpose', [grid], { perm: [0, 1, 3, 2, 4] });
  const prefix = config.patches === 'hybrid' && patching === 'vertical' ? 'to_patch_embedding_b' : 'to_patch_embedding';
  const patches = graph.add('Reshape', [byToken, graph.ints([-1, bins * frames])]);
  const embedded = own.norm(own.linear(own.norm(patches, `${prefix}.1`), `${prefix}.2`, true), `${prefix}.3`);
  const positions = graph.floats(`positions.${patching}`, [tokens, width], sincos2d(rows, columns, width));
  const perClip = graph.add('Reshape', [embedded, graph.ints([-1, tokens, width])]);
  let x = graph.add('Reshape', [graph.add('Add', [perClip, positions]), graph.ints([-1, width])]);
  for (let k = 0; k < depth; k++) {
    const [attention, mlp] = [`transformer.layers.${k}.0`, `transformer.layers.${k}.1.net`];
    const qkv = own.linear(own.norm(x, `${attention}.norm`), `${attention}.to_qkv`, false);
    x = graph.add('Add', [x, own.linear(addAttention(graph, config, qkv, tokens), `${attention}.to_out`, false)]);
    const hidden = addGelu(graph, own.linear(own.norm(x, `${mlp}.0`), `${mlp}.1`, true));
    x = graph.add('Add', [x, own.linear(hidden, `${mlp}.3`, true)]);
  }
  return own.norm(x, 'transformer.norm');
}

/** Layers under their names in the checkpoint. */
class Layers {
  constructor(
    readonly graph: OnnxGraph,
    readonly weights: Weights,
  ) {}

  norm(x: string, name: string): string {
    const gain = [this.#weight(`${name}.weight`), this.#weight(`${name}.bias`)];
    return this.graph.add('LayerNormalization', [x, ...gain], { axis: -1, epsilon: EPSILON });
  }

  linear(x: string, name: string, hasBias: boolean): string {
    const bias = hasBias ? [this.#weight(`${name}.bias`)] : [];
    return this.graph.add('Gemm', [x, this.#weight(`${name}.weight`), ...bias], { transB: 1 });
  }

  #weight(name: string): string {
    const { shape, data } = this.weights.get(name)!;
    return this.graph.floats(name, shape, data as Float32Array);
  }
}

/** [R, 3 H D] -> [R, H D]: softmax(q k' / sqrt(D)) v of each head. */
function addAttention(graph: OnnxGraph, { numHeads, headDim }: EncoderConfig, qkv: string, tokens: number): string {
  const apart = graph.add('Reshape', [qkv, graph.ints([-1, tokens, 3, numHeads, headDim])]);
  const byHead = graph.add('Transpose', [apart], { perm: [2, 0, 3, 1, 4] }); // [3, B, H, T, D]
  const [q, k, v] = graph.split(byHead, 0, 3).map((part) => graph.add('Squeeze', [part, graph.ints([0])]));
  const products = graph.add('MatMul', [q, graph.add('Transpose', [k], { perm: [0, 1, 3, 2] })]);
  const scaled = graph.add('Mul', [products, graph.scalar(headDim ** -0.5)]);
  const mixed = graph.add('MatMul', [graph.add('Softmax', [scaled], { axis: -1 }), v]);
  const byToken = graph.add('Transpose', [mixed], { perm: [0, 2, 1, 3] });
  return graph.add('Reshape', [byToken, graph.ints([-1, numHeads * headDim])]);
}

/** x (1 + erf(x / sqrt 2)) / 2, by the error function as the reference. */
function addGelu(graph: OnnxGraph, x: string): string {
  const erf = graph.add('Erf', [graph.add('Mul', [x, graph.scalar(Math.SQRT1_2)])]);
  return graph.add('Mul', [graph.add('Mul', [x, graph.add('Add', [erf, graph.scalar(1)])]), graph.scalar(0.5)]);
}

/**
 * @param embedding name of [B, width]
 * @param output name that the logits [B, 24] get; a fresh one if not given
 */
export function addHead(graph: OnnxGraph, probe: Probe, embedding: string, output?: string): string {
  let x = embedding;
  if (probe.standardizer) {
    const { mean, scale } = probe.standardizer;
    const centred = graph.add('Sub', [x, graph.floats('standardizer.mean', [mean.length], Float32Array.from(mean))]);
    x = graph.add('Div', [centred, graph.floats('standardizer.scale', [scale.length], Float32Array.from(scale))]);
  }
  const layers = headLayers(probe.config.hidden, probe.width);
  layers.forEach((layer, i) => {
    if (layer.kind === 'relu') x = graph.add('Relu', [x]);
    if (layer.kind !== 'linear') return; // dropout does nothing outside training
    const [weight, bias] = ['weight', 'bias'].map((part) => {
      const { shape, data } = probe.weights.get(`${layer.name}.${part}`)!;
      return graph.floats(`head.${layer.name}.${part}`, shape, data as Float32Array);
    });
    x = graph.add('Gemm', [x, weight, bias], { transB: 1 }, i === layers.length - 1 ? output : undefined);
  });
  return x;
}
