/** The Adam optimizer with PyTorch's semantics, so that training steps match the reference's. */
import { float32, type StoredTensor } from '../store/index.js';
import { kernelsActive } from './backend.js';
import { KERNEL } from './kernel-names.js';
import { ownData } from './kernels.js';
import { assertShape } from './shape.js';
import { tf } from './tf.js';

export interface AdamOptions {
  /** Step size, > 0. */
  readonly learningRate: number;
  /** Decay of the first moment, in [0, 1). */
  readonly beta1?: number;
  /** Decay of the second moment, in [0, 1). */
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Weight decay, >= 0: added to the gradient (Adam), or applied to the weights themselves when `decoupled`. */
  readonly weightDecay?: number;
  /** AdamW (Loshchilov and Hutter 2019) instead of Adam with L2. */
  readonly decoupled?: boolean;
}

interface Moments {
  readonly m: tf.Variable;
  readonly v: tf.Variable;
}

/**
 * Adam (Kingma and Ba 2015):
 *   g <- g + weightDecay * w            (unless decoupled)
 *   m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) g^2
 *   w <- w - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
 * with w <- w - lr * weightDecay * w first when decoupled.
 */
export class Adam {
  private readonly moments = new Map<string, Moments>();
  private readonly options: Required<AdamOptions>;
  private t = 0;

  constructor(
    private readonly params: ReadonlyMap<string, tf.Variable>,
    options: AdamOptions,
  ) {
    this.options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, ...options };
    for (const [name, param] of params) {
      const zeros = (): tf.Variable => tf.tidy(() => tf.variable(tf.zeros(param.shape), false));
      this.moments.set(name, { m: zeros(), v: zeros() });
    }
  }

  /** Number of steps taken. */
  get steps(): number {
    return this.t;
  }

  /**
   * One update.
   *
   * @param grads a gradient for every parameter; not disposed
   * @param gradScale factor on all gradients, e.g. that of a limit on their norm
   */
  step(grads: ReadonlyMap<string, tf.Tensor>, learningRate = this.options.learningRate, gradScale = 1): void {
    for (const name of this.params.keys()) {
      if (!grads.has(name)) throw new RangeError(`Adam.step: no gradient for parameter ${name}`);
    }
    this.t++;
    const { beta1, beta2, epsilon, weightDecay, decoupled } = this.options;
    const correction1 = 1 - beta1 ** this.t;
    const correction2 = 1 - beta2 ** this.t;
    for (const [name, param] of this.params) {
      const grad = grads.get(name)!;
      assertShape(`Adam.step: gradient of ${name}`, grad.shape, param.shape);
      const { m, v } = this.moments.get(name)!;
      if (kernelsActive()) {
        for (const written of [param, m, v]) ownData(written);
        const inputs = { param, grad, m, v } as unknown as Record<string, tf.Tensor>;
        const attributes = { learningRate, beta1, beta2, epsilon, correction1, correction2 };
        tf.dispose(
          tf
            .engine()
            .runKernel(KERNEL.adam, inputs, { ...attributes, weightDecay, decoupled: decoupled ? 1 : 0, gradScale }),
        );
        continue;
      }
      tf.tidy(() => {
        const w = decoupled ? tf.mul(param, 1 - learningRate * weightDecay) : (param as tf.Tensor);
        const scaled = gradScale === 1 ? grad : tf.mul(grad, gradScale);
        const g = decoupled || weightDecay === 0 ? scaled : tf.add(scaled, tf.mul(param, weightDecay));
        m.assign(tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1)));
        v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2)));
        const denominator = tf.add(tf.div(tf.sqrt(v), Math.sqrt(correction2)), epsilon);
        param.assign(tf.sub(w, tf.mul(tf.div(m, denominator), learningRate / correction1)));
      });
    }
  }

  /** The moments and the step count, to be stored in a checkpoint. */
  state(): Map<string, StoredTensor> {
    const out = new Map<string, StoredTensor>([['step', { dtype: 'I32', shape: [1], data: Int32Array.of(this.t) }]]);
    for (const [name, { m, v }] of this.moments) {
      out.set(`m.${name}`, float32([...m.shape], m.dataSync<'float32'>()));
      out.set(`v.${name}`, float32([...v.shape], v.dataSync<'float32'>()));
    }
    return out;
  }

  /** Goes on from a stored state. */
  restore(state: ReadonlyMap<string, StoredTensor>): void {
    const stored = (name: string): StoredTensor => {
      const tensor = state.get(name);
      if (!tensor) throw new RangeError(`Adam.restore: the state lacks ${name}`);
      return tensor;
    };
    this.t = stored('step').data[0];
    for (const [name, { m, v }] of this.moments) {
      for (const [key, moment] of [
        [`m.${name}`, m],
        [`v.${name}`, v],
      ] as const) {
        const { shape, data } = stored(key);
        assertShape(`Adam.restore: ${key}`, shape, moment.shape);
        tf.tidy(() => moment.assign(tf.tensor(Float32Array.from(data), [...shape])));
      }
    }
  }

  dispose(): void {
    for (const { m, v } of this.moments.values()) tf.dispose([m, v]);
    this.moments.clear();
  }
}
