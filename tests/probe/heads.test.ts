import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { HiddenEntry } from '../../lib/src/probe/index.js';
import { dropoutFactors, rarePlaces } from '../../lib/src/probe/dropout.js';
import { type Head, headLayers, type HeadWeights, initialWeights } from '../../lib/src/probe/head.js';
import { LinearHead } from '../../lib/src/probe/linearHead.js';
import { crossEntropy, softTargets } from '../../lib/src/probe/mixUp.js';
import { MlpHead } from '../../lib/src/probe/mlpHead.js';
import { TensorHead } from '../../lib/src/probe/tensorHead.js';
import { createRng, currentBlas, initBackend, type Rng, tf } from '../../lib/src/tensor/index.js';

beforeAll(async () => {
  await initBackend({ prefer: 'wasm' });
});

function batch(rng: Rng, n: number, width: number): { x: Float32Array; targets: Float64Array } {
  const x = Float32Array.from({ length: n * width }, () => rng.normal());
  const keyIds = Array.from({ length: n }, () => rng.int(24));
  return { x, targets: softTargets(keyIds, { lambda: rng.uniform(), partner: rng.permutation(n) }) };
}

/** The linear probe in plain loops, float64 but for the weights: what LinearHead says to the bit. */
class PlainLinear {
  private readonly moments: Float64Array[];
  private steps = 0;

  constructor(
    readonly weight: Float32Array,
    readonly bias: Float32Array,
    private readonly rate: number,
    private readonly decay: number,
  ) {
    this.moments = [weight, weight, bias, bias].map(({ length }) => new Float64Array(length));
  }

  step(x: Float32Array, targets: Float64Array): number {
    const width = this.weight.length / 24;
    const n = x.length / width;
    const logits = new Float64Array(n * 24);
    for (let i = 0; i < n * 24; i++) {
      for (let j = 0; j < width; j++)
        logits[i] += x[Math.floor(i / 24) * width + j] * this.weight[(i % 24) * width + j];
      logits[i] += this.bias[i % 24];
    }
    const { loss, gradient } = crossEntropy(logits, targets);
    const dWeight = new Float64Array(this.weight.length);
    const dBias = new Float64Array(24);
    gradient.forEach((d, i) => (dBias[i % 24] += d));
    const whole = n - (n % 4);
    for (let row = 0; row < n; row += row < whole ? 4 : 1)
      for (let i = 0; i < dWeight.length; i++) {
        const term = (r: number): number => gradient[r * 24 + Math.floor(i / width)] * x[r * width + (i % width)];
        // Four clips are summed before they are added, as the kernel does.
        dWeight[i] += row < whole ? term(row) + term(row + 1) + term(row + 2) + term(row + 3) : term(row);
      }
    this.steps++;
    const [m, v, mBias, vBias] = this.moments;
    this.adam(this.weight, dWeight, m, v);
    this.adam(this.bias, dBias, mBias, vBias);
    return loss;
  }

  private adam(values: Float32Array, gradient: Float64Array, m: Float64Array, v: Float64Array): void {
    const stepSize = this.rate / (1 - 0.9 ** this.steps);
    const correction2 = Math.sqrt(1 - 0.999 ** this.steps);
    values.forEach((value, i) => {
      const g = gradient[i] + this.decay * value;
      m[i] = 0.9 * m[i] + (1 - 0.9) * g;
      v[i] = 0.999 * v[i] + (1 - 0.999) * g * g;
      values[i] -= (stepSize * m[i]) / (Math.sqrt(v[i]) / correction2 + 1e-8);
    });
  }
}

test('the linear head has the bits of its plain twin', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer(), (width, seed) => {
      const rng = createRng(seed);
      const weights = initialWeights([], width, rng);
      const head = new LinearHead(weights, { learningRate: 1e-2, weightDecay: 1e-2 });
      const [weight, bias] = ['0.weight', '0.bias'].map((name) => Float32Array.from(weights.get(name)!.data));
      const twin = new PlainLinear(weight, bias, 1e-2, 1e-2);
      for (let step = 0; step < 6; step++) {
        const { x, targets } = batch(rng, 1 + rng.int(11), width);
        expect(head.step(x, targets)).toBe(twin.step(x, targets));
      }
      expect(head.weights().get('0.weight')!.data).toEqual(weight);
      expect(head.weights().get('0.bias')!.data).toEqual(bias);
      head.dispose();
    }),
    { numRuns: 40 },
  );
});

const hiddenEntry: fc.Arbitrary<HiddenEntry> = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 45 }) },
  fc.constantFrom<HiddenEntry>('d0', 'd0.25', 'd0.5', 'd0.75', 'd0.95'),
);
/** Any sequence, and the published form that is computed sparsely. */
const hiddenEntries: fc.Arbitrary<HiddenEntry[]> = fc.oneof(
  fc.array(hiddenEntry, { minLength: 1, maxLength: 5 }),
  fc
    .tuple(fc.integer({ min: 1, max: 90 }), fc.constantFrom<HiddenEntry>('d0.5', 'd0.9', 'd0.99'), hiddenEntry)
    .map(([units, dropout, last]): HiddenEntry[] => [units, dropout, last]),
);

describe.each(['with', 'without'])('the MLP head %s a BLAS', (blas) => {
  const products = blas === 'with' ? () => currentBlas() : () => null;

  test('trains as its twin on tensors', () => {
    fc.assert(
      fc.property(
        hiddenEntries,
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(0.5, 0.85),
        fc.integer(),
        (hidden, width, keptFrom, seed) => {
          const layers = headLayers(hidden, width);
          const rng = createRng(seed);
          const weights = initialWeights(hidden, width, rng.fork('weights'));
          const options = () => ({ learningRate: 1e-3, weightDecay: 1e-2, rng: rng.fork('dropout') });
          const head = new MlpHead(layers, weights, options(), products(), keptFrom);
          const twin = new TensorHead(layers, weights, options());
          expectSameTraining(head, twin, rng, width);
          head.dispose();
          twin.dispose();
        },
      ),
      { numRuns: 40 },
    );
  });

  test('trains as its twin at sizes where a product is worth a library', () => {
    for (const hidden of [
      [300, 'd0.75'],
      [520, 'd0.9'],
      [160, 'd0.9', 130],
      [130, 70],
    ] as HiddenEntry[][]) {
      const layers = headLayers(hidden, 96);
      const rng = createRng(5);
      const weights = initialWeights(hidden, 96, rng.fork('weights'));
      const options = () => ({ learningRate: 1e-3, weightDecay: 1e-3, rng: rng.fork('dropout') });
      const [head, twin] = [
        new MlpHead(layers, weights, options(), products()),
        new TensorHead(layers, weights, options()),
      ];
      expectSameTraining(head, twin, rng, 96, 64);
      head.dispose();
      twin.dispose();
    }
  });
});

/** Losses, logits and weights over some steps, with batches of different sizes. */
function expectSameTraining(head: Head, twin: Head, rng: Rng, width: number, largest = 12): void {
  const before = head.weights();
  for (let step = 0; step < 4; step++) {
    const { x, targets } = batch(rng, 1 + rng.int(largest), width);
    const [own, other] = [head.step(x, targets), twin.step(x, targets)];
    expect(Math.abs(own - other)).toBeLessThan(2e-5 * Math.max(1, Math.abs(other)));
  }
  const { x } = batch(rng, 300, width); // more rows than one pass takes
  const [own, other] = [head.logits(x), twin.logits(x)];
  expect(Math.max(...own.map((value, i) => Math.abs(value - other[i])))).toBeLessThan(5e-4);
  expect([...head.weights().keys()].sort()).toEqual([...twin.weights().keys()].sort());
  let [total, apart, largestApart] = [0, 0, 0];
  for (const [name, { shape, data }] of head.weights()) {
    const same = twin.weights().get(name)!;
    expect(shape).toEqual(same.shape);
    data.forEach((value, i) => {
      const difference = Math.abs(Number(value) - Number(same.data[i]));
      largestApart = Math.max(largestApart, difference);
      total++;
      if (difference > 2e-5) apart++;
    });
    // The comparison is of values that have moved.
    expect(data).not.toEqual(before.get(name)!.data);
  }
  // A step is 1e-3 whatever the size of the gradient: where a gradient all but cancels, its sign is rounding.
  expect(largestApart).toBeLessThan(1e-2);
  expect(apart).toBeLessThanOrEqual(Math.max(2, 0.005 * total));
}

test('a unit that nothing keeps still decays', () => {
  // No clip keeps unit 1 in the second step: its gradient is 0, its moments and the L2 term go on.
  const weights: HeadWeights = initialWeights([2, 'd0.5'], 3, createRng(1));
  const layers = headLayers([2, 'd0.5'], 3);
  const kept = createRng(0);
  const seeds = Array.from({ length: 500 }, (_, seed) => seed);
  const seed = seeds.find((one) => {
    const rng = createRng(one);
    return [...rarePlaces(2, 0.5, rng)].join() === '0,1' && [...rarePlaces(2, 0.5, rng)].join() === '0';
  })!;
  const head = new MlpHead(layers, weights, { learningRate: 1e-2, weightDecay: 1e-2, rng: createRng(seed) }, null, 0.5);
  const row = () => head.weights().get('0.weight')!.data.slice(3);
  const steps = [row()];
  for (let i = 0; i < 2; i++) {
    const { x, targets } = batch(kept, 1, 3);
    head.step(x, targets);
    steps.push(row());
  }
  steps[2].forEach((value, i) => expect(value).not.toBe(steps[1][i]));
  head.dispose();
});

test('dropout draws the rarer places only, and as often as it says', () => {
  for (const rate of [0.1, 0.5, 0.9, 0.99]) {
    const places = rarePlaces(200_000, rate, createRng(4)).slice();
    const share = rate >= 0.5 ? 1 - rate : rate;
    // Five standard deviations of a binomial share.
    expect(Math.abs(places.length / 200_000 - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / 200_000));
    expect(places.every((place, i) => place > (i === 0 ? -1 : places[i - 1]) && place < 200_000)).toBe(true);
    const { common, rare } = dropoutFactors(rate);
    expect(share * rare + (1 - share) * common).toBeCloseTo(1, 12);
  }
});

test('the table of gaps gives what the logarithm gives', () => {
  for (const rate of [0.03, 0.3, 0.5, 0.75, 0.9, 0.99]) {
    const own = rarePlaces(100_000, rate, createRng(7)).slice();
    const rng = createRng(7);
    const logCommon = Math.log1p(-(rate >= 0.5 ? 1 - rate : rate));
    const plain: number[] = [];
    for (let place = -1; ; plain.push(place)) {
      place += 1 + Math.floor(Math.log(1 - rng.uniform()) / logCommon);
      if (place >= 100_000) break;
    }
    expect(Array.from(own)).toEqual(plain);
  }
});

test('heads hold no tensors, and a memory is used again clear', () => {
  const before = tf.memory().numTensors;
  const train = (): unknown => {
    const rng = createRng(8);
    const head = new MlpHead(
      headLayers([40, 'd0.9'], 12),
      initialWeights([40, 'd0.9'], 12, rng.fork('weights')),
      { learningRate: 1e-2, weightDecay: 0, rng },
      null,
    );
    for (let step = 0; step < 3; step++) {
      const { x, targets } = batch(rng, 7, 12);
      head.step(x, targets);
    }
    const weights = head.weights();
    head.dispose();
    return weights;
  };
  expect(train()).toEqual(train());
  expect(tf.memory().numTensors).toBe(before);
});
