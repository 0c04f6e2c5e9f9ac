/** Both losses against the reference implementations, values, gradients and state; and their laws. */
import { describe, expect, it } from 'vitest';
import { contrastiveMetrics, cosineGamma, ntXent, SogClr } from '../../lib/src/pretrain/index.js';
import { readJson, readSafetensors } from '../../lib/src/store/index.js';
import { createRng, initBackend, tf } from '../../lib/src/tensor/index.js';

interface SogClrStep {
  epoch: number;
  index: number[];
  u_after: number[];
  loss: number;
}
const golden = readSafetensors('tests/golden/loss.safetensors').tensors;
const figures = readJson('tests/golden/loss.json') as {
  N_dataset: number;
  sogclr_constant: { f64: SogClrStep[] };
  sogclr_cosine: { f64: SogClrStep[] };
  ntxent: { ntxent_loss: number }[];
  cosine_gamma_epochs0_11_decay10: number[];
};

const matrix = (name: string): tf.Tensor2D => {
  const { shape, data } = golden.get(name)!;
  return tf.tensor2d(Float32Array.from(data), shape as [number, number]);
};

/** Value and gradients with respect to both inputs. */
function valueAndGrads(
  f: (a: tf.Tensor2D, b: tf.Tensor2D) => tf.Scalar,
  a: tf.Tensor2D,
  b: tf.Tensor2D,
): { value: number; grads: Float32Array[] } {
  return tf.tidy(() => {
    const { value, grads } = tf.valueAndGrads((x, y) => f(x as tf.Tensor2D, y as tf.Tensor2D))([a, b]);
    return { value: value.dataSync()[0], grads: grads.map((g) => g.dataSync<'float32'>()) };
  });
}

/** Largest deviation over the largest expected magnitude. */
function deviation(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  let worst = 0;
  let peak = 0;
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Number.isNaN(found[i]) ? Infinity : Math.abs(found[i] - expected[i]));
    peak = Math.max(peak, Math.abs(expected[i]));
  }
  return worst / peak;
}

/** The textbook double loop over anchors, in double precision. */
function naiveNtXent(z1: number[][], z2: number[][], temperature: number): number {
  const unit = [...z1, ...z2].map((row) => row.map((x) => x / Math.hypot(...row)));
  const n = unit.length;
  const dot = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
  let loss = 0;
  for (let i = 0; i < n; i++) {
    let denominator = 0;
    for (let k = 0; k < n; k++) if (k !== i) denominator += Math.exp(dot(unit[i], unit[k]) / temperature);
    loss -= dot(unit[i], unit[(i + n / 2) % n]) / temperature - Math.log(denominator);
  }
  return loss / n;
}

describe.each(['wasm', 'cpu'] as const)('losses on %s', (backend) => {
  const ready = (): Promise<unknown> => initBackend({ prefer: backend });

  it('ntXent equals the reference: values and gradients', async () => {
    await ready();
    figures.ntxent.forEach(({ ntxent_loss }, step) => {
      const [a, b] = [matrix(`step${step}.hidden1`), matrix(`step${step}.hidden2`)];
      const { value, grads } = valueAndGrads((x, y) => ntXent(x, y, 0.1), a, b);
      expect(value).toBeCloseTo(ntxent_loss, 5);
      [1, 2].forEach((side, i) => {
        expect(deviation(grads[i], golden.get(`ntxent.f64.step${step}.grad_hidden${side}`)!.data)).toBeLessThan(5e-6);
      });
      tf.dispose([a, b]);
    });
  });

  it.each(['constant', 'cosine'] as const)(
    'SogCLR with %s gamma equals the reference over four steps',
    async (gammaSchedule) => {
      await ready();
      const loss = new SogClr(figures.N_dataset, { gammaSchedule, gammaDecayEpochs: 4 });
      for (const [step, expected] of figures[`sogclr_${gammaSchedule}`].f64.entries()) {
        const [a, b] = [matrix(`step${step}.hidden1`), matrix(`step${step}.hidden2`)];
        const ids = Int32Array.from(expected.index);
        const { value, grads } = valueAndGrads((x, y) => loss.loss(x, y, ids, expected.epoch), a, b);
        const prefix = `sogclr_${gammaSchedule}.f64.step${step}`;
        expect(value).toBeCloseTo(expected.loss, 5);
        expect(deviation(grads[0], golden.get(`${prefix}.grad_hidden1`)!.data)).toBeLessThan(5e-6);
        expect(deviation(grads[1], golden.get(`${prefix}.grad_hidden2`)!.data)).toBeLessThan(5e-6);
        expect(deviation(loss.u, golden.get(`${prefix}.u_all_after`)!.data)).toBeLessThan(5e-6);
        tf.dispose([a, b]);
      }
    },
  );

  it('the comparison fails when a golden value is changed', () => {
    const expected = Float64Array.from(golden.get('ntxent.f64.step0.grad_hidden1')!.data);
    const changed = expected.slice();
    changed[7] += 1e-5 * Math.max(...expected.map(Math.abs));
    expect(deviation(expected, changed)).toBeGreaterThan(5e-6);
    expect(deviation([NaN], [1])).toBe(Infinity);
  });

  it('agrees with the textbook double loop, at any scale of the projections', async () => {
    await ready();
    const rng = createRng('naive');
    const rows = (): number[][] => Array.from({ length: 7 }, () => Array.from({ length: 4 }, () => rng.normal()));
    const [a, b] = [rows(), rows()];
    for (const scale of [1, 1e-4, 1e4]) {
      const [x, y] = [a, b].map((m) => tf.tensor2d(m.map((row) => row.map((v) => v * scale))));
      const value = ntXent(x, y, 0.2);
      expect(value.dataSync()[0]).toBeCloseTo(naiveNtXent(a, b, 0.2), 5);
      tf.dispose([x, y, value]);
    }
  });

  it('leaks no tensor', async () => {
    await ready();
    const [a, b] = [matrix('step0.hidden1'), matrix('step0.hidden2')];
    const before = tf.memory().numTensors;
    valueAndGrads((x, y) => ntXent(x, y, 0.1), a, b);
    const loss = new SogClr(12);
    valueAndGrads((x, y) => loss.loss(x, y, Int32Array.of(2, 5, 0, 7, 11), 0), a, b);
    contrastiveMetrics(a, b);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([a, b]);
  });

  it('a zero row gives numbers, not NaN', async () => {
    await ready();
    const a = tf.tensor2d([[0, 0], [1, 0], [0, 1]]); // prettier-ignore
    const { value, grads } = valueAndGrads((x, y) => ntXent(x, y, 0.5), a, a.clone());
    expect(Number.isFinite(value)).toBe(true);
    expect(grads.every((g) => g.every(Number.isFinite))).toBe(true);
  });
});

describe('SogCLR state', () => {
  it('cosine gamma equals the reference over epochs', () => {
    figures.cosine_gamma_epochs0_11_decay10.forEach((gamma, epoch) => {
      expect(cosineGamma(epoch, 0.9, 10)).toBeCloseTo(gamma, 12);
    });
  });

  it('the reference starts a track of a mixed batch at gamma times its estimate, perTrack at the estimate', async () => {
    await initBackend({ prefer: 'cpu' });
    const [a, b] = [matrix('step0.hidden1'), matrix('step0.hidden2')];
    const run = (uInitialisation: 'reference' | 'perTrack', batches: number[][], epoch: number): Float64Array => {
      const loss = new SogClr(12, { uInitialisation });
      for (const ids of batches) tf.dispose(loss.loss(a, b, Int32Array.from(ids), epoch));
      return loss.u;
    };
    const fresh = run('reference', [[0, 1, 2, 3, 4]], 0);
    expect(Array.from(run('perTrack', [[0, 1, 2, 3, 4]], 3))).toEqual(Array.from(fresh));
    // Row 4 is new in the second batch; the others were met before.
    const mixed = [[0, 1, 2, 3, 5], [0, 1, 2, 3, 4]]; // prettier-ignore
    expect(run('reference', mixed, 0)[4]).toBeCloseTo(0.9 * fresh[4], 10);
    expect(run('perTrack', mixed, 0)[4]).toBeCloseTo(fresh[4], 10);
    expect(run('reference', [[0, 1, 2, 3, 4]], 1)[4]).toBeCloseTo(0.9 * fresh[4], 10);
    tf.dispose([a, b]);
  });

  it('keeps one u for a track that a batch holds twice, and refuses a track that does not exist', async () => {
    await initBackend({ prefer: 'cpu' });
    const [a, b] = [matrix('step0.hidden1'), matrix('step0.hidden2')];
    const apart = new SogClr(12);
    tf.dispose(apart.loss(a, b, Int32Array.of(0, 1, 2, 3, 4), 0));
    const shared = new SogClr(12);
    tf.dispose(shared.loss(a, b, Int32Array.of(0, 0, 2, 3, 4), 0));
    expect(shared.u[0]).toBeCloseTo((apart.u[0] + apart.u[1]) / 2, 10);
    expect(() => shared.loss(a, b, Int32Array.of(0, 1, 2, 3, 12), 0)).toThrow(/12 is outside 0 \.\. 11/);
    tf.dispose([a, b]);
  });
});

describe('metrics', () => {
  it('tells perfect, random and collapsed spaces apart', async () => {
    await initBackend({ prefer: 'cpu' });
    const rng = createRng('space');
    const random = (): tf.Tensor2D =>
      tf.tensor2d(
        Float32Array.from({ length: 64 * 16 }, () => rng.normal()),
        [64, 16],
      );
    const [x, y, ones] = [random(), random(), tf.ones([64, 16]) as tf.Tensor2D];
    const perfect = contrastiveMetrics(x, x);
    expect(perfect.accuracy).toBe(1);
    expect(perfect.alignment).toBeCloseTo(0, 5);
    const unrelated = contrastiveMetrics(x, y);
    expect(unrelated.accuracy).toBeLessThan(0.1);
    expect(unrelated.alignment).toBeCloseTo(2, 0);
    expect(unrelated.uniformity).toBeLessThan(-3);
    const collapsed = contrastiveMetrics(ones, ones);
    expect(collapsed.accuracy).toBe(0); // a tie is no nearest
    expect(collapsed.uniformity).toBeCloseTo(0, 4);
    tf.dispose([x, y, ones]);
  });
});
