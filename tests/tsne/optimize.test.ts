import fc from 'fast-check';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import { initBackend, tf } from '../../lib/src/tensor/index.js';
import {
  affinities,
  asPoints,
  exactGradient,
  klDivergence,
  type MapState,
  neighbourAccuracy,
  neighbourPreservation,
  optimize,
  pcaInitialization,
  type Points,
  principalComponents,
  randomInitialization,
  STAGES,
  startState,
  tsne,
  tsneJs,
} from '../../lib/src/tsne/index.js';
import { cloud, clusters } from './clusters.js';

let tensors = 0;
beforeAll(async () => {
  await initBackend();
  tensors = tf.memory().numTensors;
});
afterAll(() => expect(tf.memory().numTensors).toBe(tensors));

describe('principal components', () => {
  it('law: scores and variances are those of the singular value decomposition, up to sign', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 30 }), fc.integer({ min: 2, max: 30 }), fc.nat(), (n, d, seed) => {
        const points = cloud(n, d, seed);
        points.data.forEach((x, i) => (points.data[i] = x * (i % d === 0 ? 9 : i % d === 1 ? 4 : 1) + 5));
        const { scores, variances } = principalComponents(points, 2);
        const rows = Matrix.from1DArray(n, d, Array.from(points.data)).center('column');
        const svd = new SingularValueDecomposition(rows, { autoTranspose: true });
        for (let c = 0; c < 2; c++) {
          const sigma = svd.diagonal[c];
          expect(variances[c] / (sigma ** 2 / n)).toBeCloseTo(1, 6);
          const left = svd.leftSingularVectors.getColumn(c);
          const share = left.reduce((sum, u, i) => sum + u * scores[2 * i + c], 0);
          expect(Math.abs(share) / sigma).toBeGreaterThan(0.999);
        }
      }),
      { numRuns: 25, seed: 4 },
    );
  });

  it('the start: first deviation 1e-4, no empty coordinate, the same by seed', () => {
    const deviation = (y: Float32Array, c: number) => Math.sqrt(y.reduce((s, x, i) => s + (i % 2 === c ? x * x : 0), 0) / (y.length / 2)); // prettier-ignore
    const { points } = clusters(100);
    const start = pcaInitialization(points);
    expect(deviation(start, 0)).toBeCloseTo(1e-4, 9);
    expect(deviation(start, 1)).toBeLessThan(1e-4);
    expect(pcaInitialization(points, 'another seed')).toEqual(start);
    const line: Points = { data: Float32Array.from({ length: 50 }, (_, i) => i), shape: [50, 1] };
    expect(deviation(pcaInitialization(line), 0)).toBeCloseTo(1e-4, 9);
    expect(deviation(pcaInitialization(line), 1)).toBeGreaterThan(1e-7);
    expect(deviation(pcaInitialization({ data: new Float32Array(60), shape: [20, 3] }), 0)).toBeGreaterThan(1e-5);
    expect(randomInitialization(50, 1)).toEqual(randomInitialization(50, 1));
    expect(randomInitialization(50, 1)).not.toEqual(randomInitialization(50, 2));
  });
});

describe('optimize', () => {
  /** The update rule once more, in a dozen lines over the exact gradient (van der Maaten 2014, Jacobs 1988). */
  it('agrees with a naive twin for the first iterations', async () => {
    const p = await affinities(clusters(50).points, { perplexity: 8 });
    const start = randomInitialization(50, 3).map((x) => 1e4 * x);
    const y = Float64Array.from(start);
    const velocity = new Float64Array(100);
    const gains = new Float64Array(100).fill(1);
    const early = { ...p.matrix, values: p.matrix.values.map((x) => 4 * x) };
    for (let t = 0; t < 20; t++) {
      const g = exactGradient(early, Float32Array.from(y));
      for (let i = 0; i < 100; i++) {
        gains[i] = Math.max(0.01, velocity[i] * g[i] < 0 ? gains[i] + 0.2 : gains[i] * 0.8);
        velocity[i] = 0.5 * velocity[i] - 20 * gains[i] * (g[i] / 4);
        y[i] += velocity[i];
      }
      const mean = [0, 1].map((c) => y.reduce((s, x, i) => s + (i % 2 === c ? x : 0), 0) / 50);
      y.forEach((x, i) => (y[i] = x - mean[i % 2]));
    }
    for (const repulsion of ['exact', 'barnesHut'] as const) {
      const stage = { iterations: 20, exaggeration: 4, momentum: 0.5, learningRate: 20 };
      const { mapPoints } = await optimize(p, startState(start), stage, { repulsion, theta: 0 });
      // float32: rounding grows over iterations.
      mapPoints.forEach((x, i) => expect(Math.abs(x - y[i])).toBeLessThan(0.01));
      expect(Math.max(...y.map((x, i) => Math.abs(x - start[i])))).toBeGreaterThan(1); // it did move
    }
  });

  it.each(['exact', 'barnesHut'] as const)(
    'law: KL falls; neighbours bad before, good after (%s)',
    async (repulsion) => {
      const { points, labels } = clusters(300, { apart: 1.5 });
      const p = await affinities(points, { perplexity: 15 });
      const start = randomInitialization(300, 1);
      const reports: { iteration: number; klDivergence: number }[] = [];
      const options = { repulsion, every: 50, onProgress: (report: (typeof reports)[0]) => reports.push(report) };
      let state = await optimize(p, startState(start), STAGES.early, options);
      state = await optimize(p, state, { ...STAGES.main, iterations: 250 }, options);
      const before = asPoints(start);
      const after = asPoints(state.mapPoints);
      expect(await neighbourAccuracy(before, labels, 5)).toBeLessThan(0.35);
      expect(await neighbourAccuracy(after, labels, 5)).toBeGreaterThan(0.95);
      expect(await neighbourPreservation(points, before, 10)).toBeLessThan(0.1);
      expect(await neighbourPreservation(points, after, 10)).toBeGreaterThan(0.4);

      expect(reports.map((r) => r.iteration)).toEqual([0, 50, 100, 150, 200, 250, 250, 300, 350, 400, 450, 500]);
      const main = reports.slice(6).map((r) => r.klDivergence);
      main.slice(1).forEach((kl, i) => expect(kl).toBeLessThan(main[i]));
      expect(main[main.length - 1]).toBeLessThan(reports[0].klDivergence / 2);
      expect(Math.abs(main[main.length - 1] / klDivergence(p.matrix, state.mapPoints) - 1)).toBeLessThan(5e-3);
    },
  );

  it('law: resumed = not interrupted, bit for bit; the given state stays as it was', async () => {
    const p = await affinities(clusters(90).points, { perplexity: 10 });
    const stage = { iterations: 40, exaggeration: 2, momentum: 0.7 };
    const start = startState(randomInitialization(90, 2));
    const kept = structuredClone(start);
    const whole = await optimize(p, start, stage);
    let parts: MapState = start;
    for (const iterations of [1, 0, 13, 26]) parts = await optimize(p, parts, { ...stage, iterations });
    expect(parts).toEqual(whole);
    expect(whole.iteration).toBe(40);
    expect(start).toEqual(kept);
    expect(await optimize(p, start, stage, { onProgress: () => undefined, every: 7 })).toEqual(whole);
  });

  it('stops on a signal that comes while it runs', async () => {
    const p = await affinities(clusters(60).points, { perplexity: 5 });
    const controller = new AbortController();
    const onProgress = ({ iteration }: { iteration: number }): void => {
      if (iteration === 20) controller.abort();
    };
    const running = optimize(p, startState(randomInitialization(60)), STAGES.main, { onProgress, every: 10, signal: controller.signal }); // prettier-ignore
    await expect(running).rejects.toThrow(/abort/i);
  });

  it('says what is wrong', async () => {
    const p = await affinities(clusters(20).points, { perplexity: 5 });
    const state = startState(randomInitialization(20));
    const run = (stage: object, options: object = {}) => optimize(p, state, { ...STAGES.main, ...stage }, options);
    await expect(run({ iterations: 1.5 })).rejects.toThrow(/iterations 1.5; expected a whole number/);
    await expect(run({ learningRate: 0 })).rejects.toThrow(/learningRate 0/);
    await expect(run({ momentum: 2 })).rejects.toThrow(/momentum 2; expected 0 to 1/);
    await expect(run({}, { theta: -1 })).rejects.toThrow(InputError);
    await expect(run({ learningRate: 1e38 })).rejects.toThrow(/left all bounds in iteration \d+; take a smaller/);
    await expect(optimize(p, startState(new Float32Array(4)), STAGES.main)).rejects.toThrow(/4 numbers; expected 2/);
  });
});

describe('tsne', () => {
  it('in one call is the same as by stages, and the same again', async () => {
    const { points } = clusters(120);
    const map = await tsne(points, { perplexity: 10, iterations: 300 });
    const p = await affinities(points, { perplexity: 10 });
    let state = startState(pcaInitialization(points));
    state = await optimize(p, state, STAGES.early);
    state = await optimize(p, state, { ...STAGES.main, iterations: 50 });
    expect(map.mapPoints).toEqual(state.mapPoints);
    expect(map.klDivergence).toBe(klDivergence(p.matrix, state.mapPoints));
    expect((await tsne(points, { perplexity: 10, iterations: 300 })).mapPoints).toEqual(map.mapPoints);
  });

  it('each option reaches its use', async () => {
    const { points } = clusters(60);
    const base = { perplexity: 8, iterations: 30 };
    const reference = (await tsne(points, base)).mapPoints;
    const given = randomInitialization(60, 5);
    for (const change of [
      { perplexity: 9 },
      { iterations: 31 },
      { learningRate: 50 },
      { repulsion: 'barnesHut', theta: 1 },
      { initialization: 'random' },
      { initialization: given },
    ] as const)
      expect((await tsne(points, { ...base, ...change })).mapPoints, JSON.stringify(change)).not.toEqual(reference);
    expect((await tsne(points, { iterations: 0, initialization: given })).mapPoints).toEqual(given);
    await expect(tsne(points, { initialization: 'spectral' as 'pca' })).rejects.toThrow(/initialization spectral/);
  });

  it('law: any small cloud gives a finite map: two points, duplicates, constant data, one column', async () => {
    for (const n of [2, 3, 4, 5]) {
      for (const points of [
        cloud(n, 3, n),
        cloud(n, 1, n),
        { data: new Float32Array(n * 2).fill(7), shape: [n, 2] } as Points,
      ]) {
        const map = await tsne(points, { iterations: 260 });
        expect(map.mapPoints).toHaveLength(2 * n);
        expect(map.mapPoints.every(Number.isFinite)).toBe(true);
        expect(Number.isFinite(map.klDivergence)).toBe(true);
        expect(map.affinities).toMatchObject({ askedPerplexity: 30, perplexity: Math.max(1, (n - 1) / 3) });
      }
    }
    await expect(tsne(cloud(1, 2, 1))).rejects.toThrow(/1 points; at least 2 are needed/);
    await expect(tsne({ data: Float32Array.of(0, NaN, 1, 2), shape: [2, 2] })).rejects.toThrow(
      /row 0, column 1 is NaN/,
    );
  });
});

describe('tsne-js, the reference', () => {
  it('separates the same clusters; ours has the lower KL by the same definition', async () => {
    const { points, labels } = clusters(60);
    const theirs = await tsneJs(points, { perplexity: 8, iterations: 200 });
    const ours = await tsne(points, { perplexity: 8 });
    expect(await neighbourAccuracy(asPoints(theirs.mapPoints), labels, 5)).toBeGreaterThan(0.9);
    expect(await neighbourAccuracy(asPoints(ours.mapPoints), labels, 5)).toBe(1);
    expect(ours.klDivergence).toBeLessThan(klDivergence(ours.affinities.matrix, theirs.mapPoints));
    expect((await tsneJs(points, { perplexity: 8, iterations: 200 })).mapPoints).toEqual(theirs.mapPoints);
    await expect(tsneJs(points, { perplexity: 60 })).rejects.toThrow(/perplexity 60; expected 1 to 59/);
  });
});
