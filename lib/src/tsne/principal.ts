/** The leading principal components of a cloud. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { createRng } from '../tensor/index.js';
import { columnMeans } from './distances.js';
import { checkCount, checkPoints, type Points } from './points.js';

const MAX_STEPS = 160;
/** Residual of an eigenvector relative to the largest eigenvalue; a map's start needs no more. */
const TOLERANCE = 1e-4;

export interface PrincipalComponents {
  /** [n, count] centred points times the axes */
  readonly scores: Float64Array;
  /** [count] variances of the scores (divided by n), the largest first */
  readonly variances: Float64Array;
}

type Multiply = (v: Float64Array) => Float64Array;

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

/**
 * The largest eigenvalues and eigenvectors of a symmetric matrix by Lanczos' method with full reorthogonalisation (Golub
 * and Van Loan 2013, 10.3). Where the Krylov space ends early a new direction is drawn, so that multiple eigenvalues are
 * found as often as they occur.
 */
function leadingEigenpairs(
  multiply: Multiply,
  size: number,
  count: number,
): { values: number[]; vectors: Float64Array[] } {
  const rng = createRng('lanczos');
  const basis: Float64Array[] = [];
  const diagonal: number[] = [];
  const beside: number[] = [];
  const orthogonalise = (v: Float64Array): number => {
    for (let pass = 0; pass < 2; pass++) {
      for (const b of basis) {
        const share = dot(b, v);
        for (let i = 0; i < size; i++) v[i] -= share * b[i];
      }
    }
    return Math.sqrt(dot(v, v));
  };
  const draw = (): Float64Array => {
    const v = Float64Array.from({ length: size }, () => rng.normal());
    const norm = orthogonalise(v);
    return v.map((x) => x / norm);
  };
  const most = Math.min(size, MAX_STEPS);
  basis.push(draw());
  for (let step = 1; ; step++) {
    const last = basis[step - 1];
    const next = multiply(last);
    diagonal.push(dot(last, next));
    const norm = orthogonalise(next);
    const scale = Math.max(...diagonal.map(Math.abs), 0);
    const ended = !(norm > 1e-10 * scale);
    if (step === most || (step >= 4 * count && step % 16 === 0)) {
      const projected = Matrix.zeros(step, step);
      diagonal.forEach((x, i) => projected.set(i, i, x));
      beside.forEach((x, i) => projected.set(i, i + 1, x).set(i + 1, i, x));
      const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(projected, { assumeSymmetric: true });
      const order = realEigenvalues.map((_, i) => i).sort((i, j) => realEigenvalues[j] - realEigenvalues[i]);
      const top = order.slice(0, count);
      const residual = Math.max(...top.map((i) => Math.abs(norm * eigenvectorMatrix.get(step - 1, i))));
      if (step === most || (residual <= TOLERANCE * realEigenvalues[order[0]] && !ended)) {
        const vectors = top.map((i) => {
          const v = new Float64Array(size);
          basis.forEach((b, s) => {
            const weight = eigenvectorMatrix.get(s, i);
            for (let c = 0; c < size; c++) v[c] += weight * b[c];
          });
          return v;
        });
        return { values: top.map((i) => Math.max(0, realEigenvalues[i])), vectors };
      }
    }
    beside.push(ended ? 0 : norm);
    basis.push(ended ? draw() : next.map((x) => x / norm));
  }
}

/** v -> (X - mean)' (X - mean) v for X [n, d], in float64 and one pass: no backend's rounding enters a map's start. */
function scatterProduct({ data, shape: [n, d] }: Points, mean: Float64Array): Multiply {
  return (v) => {
    const out = new Float64Array(d);
    const shift = dot(mean, v);
    let weights = 0;
    for (let i = 0, row = 0; i < n; i++, row += d) {
      const weight = rowProduct(data, row, d, v) - shift;
      weights += weight;
      for (let c = 0; c < d; c++) out[c] += weight * data[row + c];
    }
    for (let c = 0; c < d; c++) out[c] -= weights * mean[c];
    return out;
  };
}

/** A row against a vector; four sums, so that the additions need not wait for each other. */
function rowProduct(data: Float32Array, row: number, d: number, v: Float64Array): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let c = 0;
  for (; c + 4 <= d; c += 4) {
    s0 += data[row + c] * v[c];
    s1 += data[row + c + 1] * v[c + 1];
    s2 += data[row + c + 2] * v[c + 2];
    s3 += data[row + c + 3] * v[c + 3];
  }
  for (; c < d; c++) s0 += data[row + c] * v[c];
  return s0 + s1 + (s2 + s3);
}

/**
 * The first principal components. The sign of each axis makes its entry of largest magnitude positive, as in
 * scikit-learn; a direction without variance has scores of 0.
 *
 * @param points [n, d]
 * @param count 1 to min(n, d)
 */
export function principalComponents(points: Points, count: number): PrincipalComponents {
  const [n, d] = checkPoints('principalComponents: points', points, 1);
  checkCount('principalComponents', 'count', count, 1, Math.min(n, d));
  const mean = columnMeans(points);
  const { values, vectors } = leadingEigenpairs(scatterProduct(points, mean), d, count);
  const scores = new Float64Array(n * count);
  vectors.forEach((axis, c) => {
    if (!(values[c] > 1e-10 * values[0])) return; // rounding leaves a little variance where there is none
    let largest = 0;
    for (const entry of axis) if (Math.abs(entry) > Math.abs(largest)) largest = entry;
    const sign = largest < 0 ? -1 : 1;
    const shift = dot(mean, axis);
    for (let i = 0; i < n; i++) scores[i * count + c] = sign * (rowProduct(points.data, i * d, d, axis) - shift);
  });
  return { scores, variances: Float64Array.from(values, (value) => value / n) };
}
