import { beforeAll, describe, expect, it } from 'vitest';
import { Adam, createRng, globalNorm, initBackend, tf } from '../../lib/src/tensor/index.js';

/** PyTorch's Adam in twelve lines of float64, for one parameter. */
function reference(w: number[], grads: number[][], o: { lr: number; decay: number; decoupled: boolean }): number[] {
  const [m, v] = [w.map(() => 0), w.map(() => 0)];
  grads.forEach((grad, step) => {
    grad.forEach((raw, i) => {
      if (o.decoupled) w[i] *= 1 - o.lr * o.decay;
      const g = o.decoupled ? raw : raw + o.decay * w[i];
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      const [mHat, vHat] = [m[i] / (1 - 0.9 ** (step + 1)), v[i] / (1 - 0.999 ** (step + 1))];
      w[i] -= (o.lr * mHat) / (Math.sqrt(vHat) + 1e-8);
    });
  });
  return w;
}

const rng = createRng('adam');
const start = Array.from({ length: 7 }, () => rng.normal());
const grads = Array.from({ length: 5 }, () => Array.from({ length: 7 }, () => rng.normal()));

describe.each(['wasm', 'cpu'] as const)('Adam on %s', (prefer) => {
  beforeAll(async () => {
    await initBackend({ prefer, blas: false });
  });

  const run = (steps: number[][], adam: Adam): void => {
    for (const g of steps) {
      const grad = tf.tensor1d(g);
      adam.step(new Map([['w', grad]]));
      grad.dispose();
    }
  };

  it.each([false, true])('follows PyTorch over five steps, decoupled weight decay %s', (decoupled) => {
    const w = tf.variable(tf.tensor1d(start));
    const adam = new Adam(new Map([['w', w]]), { learningRate: 0.01, weightDecay: 0.1, decoupled });
    const before = tf.memory().numTensors;
    run(grads, adam);
    expect(tf.memory().numTensors).toBe(before);
    const expected = reference([...start], grads, { lr: 0.01, decay: 0.1, decoupled });
    // Weights near 1 in float32: five steps of half a unit in the last place.
    w.dataSync().forEach((x, i) => expect(Math.abs(x - expected[i])).toBeLessThan(6e-7));
    adam.dispose();
    w.dispose();
  });

  it('goes on from a stored state as if it had never stopped, bit for bit', () => {
    const options = { learningRate: 0.01, weightDecay: 1e-3 };
    const whole = tf.variable(tf.tensor1d(start));
    const adam = new Adam(new Map([['w', whole]]), options);
    run(grads.slice(0, 2), adam);
    const [halfway, state] = [Float32Array.from(whole.dataSync()), adam.state()];
    run(grads.slice(2), adam);
    const resumed = tf.variable(tf.tensor1d(halfway));
    const second = new Adam(new Map([['w', resumed]]), options);
    second.restore(state);
    run(grads.slice(2), second);
    expect(Array.from(resumed.dataSync())).toEqual(Array.from(whole.dataSync()));
    adam.dispose();
    second.dispose();
    tf.dispose([whole, resumed]);
  });

  it('does not disturb a copy of the weights taken before a step', () => {
    const w = tf.variable(tf.tensor1d(start));
    const copy = tf.tidy(() => tf.add(w, 0));
    const adam = new Adam(new Map([['w', w]]), { learningRate: 1 });
    run(grads, adam);
    copy.dataSync().forEach((x, i) => expect(x).toBeCloseTo(start[i], 6));
    adam.dispose();
    tf.dispose([w, copy]);
  });

  it('leaves every other holder of the same data alone: a clone, a reshape, the tensor a variable began as', () => {
    const initial = tf.tensor1d(start);
    const w = tf.variable(initial);
    const others = tf.tidy(() => [initial, tf.clone(w), tf.reshape(w, [7, 1])]);
    const adam = new Adam(new Map([['w', w]]), { learningRate: 1 });
    run(grads.slice(0, 2), adam);
    const midway = tf.tidy(() => tf.clone(w));
    const expected = Array.from(midway.dataSync());
    run(grads.slice(2), adam);
    for (const other of others) other.dataSync().forEach((x, i) => expect(x).toBe(Math.fround(start[i])));
    expect(Array.from(midway.dataSync())).toEqual(expected);
    expect(Array.from(w.dataSync())).not.toEqual(expected);
    adam.dispose();
    tf.dispose([w, midway, ...others]);
  });

  it('reads gradients through a scale as if they had been multiplied before', () => {
    const [a, b] = [0, 1].map(() => tf.tidy(() => tf.variable(tf.tensor1d(start))));
    const options = { learningRate: 0.1, weightDecay: 0.01 };
    const [scaled, plain] = [a, b].map((w) => new Adam(new Map([['w', w]]), options));
    for (const g of grads) {
      const [grad, product] = tf.tidy(() => [tf.tensor1d(g), tf.mul(tf.tensor1d(g), 0.3)]);
      scaled.step(new Map([['w', grad]]), 0.1, 0.3);
      plain.step(new Map([['w', product]]), 0.1);
      tf.dispose([grad, product]);
    }
    expect(Array.from(a.dataSync())).toEqual(Array.from(b.dataSync()));
    scaled.dispose();
    plain.dispose();
    tf.dispose([a, b]);
  });

  it('gives the norm of all gradients together, added up in more than single precision', () => {
    tf.tidy(() => {
      expect(globalNorm([tf.tensor1d([3, 0]), tf.scalar(4)])).toBeCloseTo(5, 6);
      expect(globalNorm([tf.tensor1d(start)])).toBeCloseTo(Math.hypot(...start.map(Math.fround)), 5);
      expect(globalNorm([tf.scalar(NaN), tf.scalar(1)])).toBeNaN();
      expect(globalNorm([tf.tensor1d([1, Infinity])])).toBe(Infinity);
    });
  });

  it('refuses a missing gradient and a gradient of another shape', () => {
    const w = tf.variable(tf.tensor1d(start));
    const adam = new Adam(new Map([['w', w]]), { learningRate: 1 });
    expect(() => adam.step(new Map())).toThrow(/no gradient for parameter w/);
    const wrong = tf.tensor1d([1]);
    expect(() => adam.step(new Map([['w', wrong]]))).toThrow(/expected shape \[7\], found \[1\]/);
    adam.dispose();
    tf.dispose([w, wrong]);
  });
});
