/** The projection head: between encoder and loss while pretraining, thrown away afterwards. */
import { InputError } from '../errors.js';
import { float32, type StoredTensor } from '../store/index.js';
import { linear, tf, type Rng } from '../tensor/index.js';

/** [in, out] and checkpoint name of each linear layer; a ReLU stands between two. */
interface HeadLayer {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * The layers of a head by its name: `linear-<outputs>` is the reference's Linear, stored as linear_head.*;
 * `mlp-<hidden>-<outputs>` is SimCLR's Linear, ReLU, Linear, stored as projection_head.0.* and .2.*; `none` is none.
 *
 * @throws InputError for any other name
 */
export function parseProjectionHead(name: string, width: number): HeadLayer[] {
  if (name === 'none') return [];
  const match = /^(?:linear|mlp-([1-9]\d{0,5}))-([1-9]\d{0,5})$/.exec(name);
  if (!match) {
    throw new InputError(
      'pretrain config, field projectionHead',
      `found ${JSON.stringify(name)}; expected linear-<outputs>, mlp-<hidden>-<outputs> or none, e.g. linear-50`,
    );
  }
  const outputs = Number(match[2]);
  if (match[1] === undefined) return [{ name: 'linear_head', inputs: width, outputs }];
  const hidden = Number(match[1]);
  return [
    { name: 'projection_head.0', inputs: width, outputs: hidden },
    { name: 'projection_head.2', inputs: hidden, outputs },
  ];
}

function variableOf(values: Float32Array, shape: number[]): tf.Variable {
  return tf.tidy(() => tf.variable(tf.tensor(values, shape)));
}

/** A head with its weights. */
export class ProjectionHead {
  private constructor(
    private readonly layers: readonly HeadLayer[],
    /** By checkpoint name: weights [outputs, inputs] and biases [outputs]. */
    readonly weights: ReadonlyMap<string, tf.Variable>,
  ) {}

  /** A new head with PyTorch's default initialisation of Linear: uniform within 1 / sqrt(inputs). */
  static init(name: string, width: number, rng: Rng): ProjectionHead {
    return ProjectionHead.build(name, width, (_, shape, inputs) => {
      const bound = 1 / Math.sqrt(inputs);
      const size = shape.reduce((product, n) => product * n, 1);
      return Float32Array.from({ length: size }, () => bound * (2 * rng.uniform() - 1));
    });
  }

  /**
   * A head from stored weights.
   *
   * @param where the file, named in errors
   * @throws InputError for a tensor that is missing or has another shape
   */
  static fromTensors(
    name: string,
    width: number,
    tensors: ReadonlyMap<string, StoredTensor>,
    where: string,
  ): ProjectionHead {
    return ProjectionHead.build(name, width, (weight, shape) => {
      const stored = tensors.get(weight);
      if (!stored) throw new InputError(where, `it lacks the tensor ${weight} of the projection head ${name}`);
      if (stored.shape.join() !== shape.join()) {
        const found = `[${stored.shape.join(', ')}]`;
        throw new InputError(where, `tensor ${weight} has shape ${found}; expected [${shape.join(', ')}]`);
      }
      return Float32Array.from(stored.data);
    });
  }

  private static build(
    name: string,
    width: number,
    values: (weight: string, shape: number[], inputs: number) => Float32Array,
  ): ProjectionHead {
    const layers = parseProjectionHead(name, width);
    const weights = new Map<string, tf.Variable>();
    for (const { name: layer, inputs, outputs } of layers) {
      for (const [part, shape] of [
        ['weight', [outputs, inputs]],
        ['bias', [outputs]],
      ] as const) {
        const weight = `${layer}.${part}`;
        weights.set(weight, variableOf(values(weight, [...shape], inputs), [...shape]));
      }
    }
    return new ProjectionHead(layers, weights);
  }

  /**
   * @param embeddings [nClips, width]
   * @returns [nClips, outputs]; `none` returns the embeddings themselves
   */
  forward(embeddings: tf.Tensor2D): tf.Tensor2D {
    return this.layers.reduce((x, { name }, i) => {
      const input = i === 0 ? x : tf.relu(x);
      return linear(
        input,
        this.weights.get(`${name}.weight`) as tf.Tensor as tf.Tensor2D,
        this.weights.get(`${name}.bias`) as tf.Tensor as tf.Tensor1D,
      );
    }, embeddings);
  }

  toTensors(): Map<string, StoredTensor> {
    return new Map(Array.from(this.weights, ([name, w]) => [name, float32([...w.shape], w.dataSync<'float32'>())]));
  }

  dispose(): void {
    for (const w of this.weights.values()) w.dispose();
  }
}
