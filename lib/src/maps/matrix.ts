/**
 * Dense float64 matrices, row-major, as the fits need them. A tensor backend's products are float32, whose rounding the
 * normal equations square; at width 384 plain loops over tiles of 4 x 4 sums, which stay in registers, are fast enough.
 * Letters: N rows (clips), m, n, k sizes of a product.
 */
import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix';

/** Rows of a panel: two panels of four columns stay in the first-level cache. */
const PANEL = 256;

/** a b' for a [m, k], b [n, k] -> [m, n]. Each entry is summed in the order of k, so equal rows give equal bits. */
export function timesTransposed(a: Float64Array, b: Float64Array, m: number, n: number, k: number): Float64Array {
  const out = new Float64Array(m * n);
  addTimesTransposed(out, a, b, m, n, k, k, false);
  return out;
}

/** a b for square a, b [n, n]. */
export function timesSquare(a: Float64Array, b: Float64Array, n: number): Float64Array {
  return timesTransposed(a, transpose(b, n, n), n, n, n);
}

/** x' x for x [N, k] -> [k, k]. */
export function gram(x: Float64Array, k: number): Float64Array {
  const out = new Float64Array(k * k);
  forPanels(x.length / k, (from, rows) => {
    const panel = panelOf(x, k, from, rows);
    addTimesTransposed(out, panel, panel, k, k, rows, PANEL, true);
  });
  for (let i = 0; i < k; i++) for (let j = 0; j < i; j++) out[i * k + j] = out[j * k + i];
  return out;
}

/** x' y for x [N, m], y [N, n] -> [m, n]. */
export function crossProduct(x: Float64Array, y: Float64Array, m: number, n: number): Float64Array {
  const out = new Float64Array(m * n);
  forPanels(x.length / m, (from, rows) =>
    addTimesTransposed(out, panelOf(x, m, from, rows), panelOf(y, n, from, rows), m, n, rows, PANEL, false),
  );
  return out;
}

function forPanels(nRows: number, visit: (from: number, rows: number) => void): void {
  for (let from = 0; from < nRows; from += PANEL) visit(from, Math.min(PANEL, nRows - from));
}

/** Rows from .. from + rows as columns [k, PANEL]. */
function panelOf(x: Float64Array, k: number, from: number, rows: number): Float64Array {
  const panel = new Float64Array(k * PANEL);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < k; column++) panel[column * PANEL + row] = x[(from + row) * k + column];
  return panel;
}

/** out [m, n] += a b' over the first k of `stride` columns; `upper` leaves out the tiles below the diagonal. */
function addTimesTransposed(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  m: number,
  n: number,
  k: number,
  stride: number,
  upper: boolean,
): void {
  const [mTiles, nTiles] = [m - (m % 4), n - (n % 4)];
  for (let i = 0; i < mTiles; i += 4)
    for (let j = upper ? i : 0; j < nTiles; j += 4) addTile(out, a, b, i, j, n, k, stride);
  for (let i = 0; i < m; i++)
    for (let j = i < mTiles ? nTiles : upper ? mTiles : 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[i * stride + p] * b[j * stride + p];
      out[i * n + j] += sum;
    }
}

function addTile(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  i: number,
  j: number,
  n: number,
  k: number,
  stride: number,
): void {
  let s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0; // prettier-ignore
  let s20 = 0, s21 = 0, s22 = 0, s23 = 0, s30 = 0, s31 = 0, s32 = 0, s33 = 0; // prettier-ignore
  let [a0, b0] = [i * stride, j * stride];
  for (let p = 0; p < k; p++, a0++, b0++) {
    const x0 = a[a0], x1 = a[a0 + stride], x2 = a[a0 + 2 * stride], x3 = a[a0 + 3 * stride]; // prettier-ignore
    const y0 = b[b0], y1 = b[b0 + stride], y2 = b[b0 + 2 * stride], y3 = b[b0 + 3 * stride]; // prettier-ignore
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s03 += x0 * y3; // prettier-ignore
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s13 += x1 * y3; // prettier-ignore
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
    s23 += x2 * y3; // prettier-ignore
    s30 += x3 * y0;
    s31 += x3 * y1;
    s32 += x3 * y2;
    s33 += x3 * y3; // prettier-ignore
  }
  const o0 = i * n + j, o1 = o0 + n, o2 = o1 + n, o3 = o2 + n; // prettier-ignore
  out[o0] += s00;
  out[o0 + 1] += s01;
  out[o0 + 2] += s02;
  out[o0 + 3] += s03; // prettier-ignore
  out[o1] += s10;
  out[o1 + 1] += s11;
  out[o1 + 2] += s12;
  out[o1 + 3] += s13; // prettier-ignore
  out[o2] += s20;
  out[o2 + 1] += s21;
  out[o2 + 2] += s22;
  out[o2 + 3] += s23; // prettier-ignore
  out[o3] += s30;
  out[o3 + 1] += s31;
  out[o3 + 2] += s32;
  out[o3 + 3] += s33; // prettier-ignore
}

/** [m, n] -> [n, m] */
export function transpose(a: Float64Array, m: number, n: number): Float64Array {
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) out[j * m + i] = a[i * n + j];
  return out;
}

/** The identity [n, n]. */
export function eye(n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * n + i] = 1;
  return out;
}

/** Mean of each column of x [N, k]. */
export function columnMeans(x: ArrayLike<number>, k: number): Float64Array {
  const means = new Float64Array(k);
  for (let i = 0; i < x.length; i++) means[i % k] += x[i];
  for (let column = 0; column < k; column++) means[column] /= x.length / k;
  return means;
}

/** Takes `means` [k] off every row of x [N, k], in place; returns x. */
export function subtractFromRows(x: Float64Array, means: Float64Array): Float64Array {
  const k = means.length;
  for (let i = 0; i < x.length; i++) x[i] -= means[i % k];
  return x;
}

export function sumOfSquares(a: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * a[i];
  return sum;
}

/** Sum of the squared differences of two arrays of one length. */
export function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}

/** Sum of the products of two arrays of one length. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

export interface SymmetricEigen {
  /** [n], largest first */
  readonly values: Float64Array;
  /** [n, n], one eigenvector a row, in the order of the values */
  readonly vectors: Float64Array;
}

/** Eigenvalues and orthonormal eigenvectors of a symmetric matrix [n, n]. */
export function symmetricEigen(a: Float64Array, n: number): SymmetricEigen {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(Matrix.from1DArray(n, n, a), {
    assumeSymmetric: true,
  });
  const order = Array.from(realEigenvalues, (_, i) => i).sort((i, j) => realEigenvalues[j] - realEigenvalues[i]);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => vectors.set(eigenvectorMatrix.getColumn(from), to * n));
  return { values: Float64Array.from(order, (i) => realEigenvalues[i]), vectors };
}

export interface SingularValues {
  /** [n], largest first */
  readonly values: Float64Array;
  /** [n, n], one left singular vector a row */
  readonly left: Float64Array;
  /** [n, n], one right singular vector a row */
  readonly right: Float64Array;
}

/** a = left' diag(values) right for a square matrix [n, n]. */
export function singularValueDecomposition(a: Float64Array, n: number): SingularValues {
  const { diagonal, leftSingularVectors, rightSingularVectors } = new SingularValueDecomposition(
    Matrix.from1DArray(n, n, a),
  );
  const rowsOf = (columns: Matrix): Float64Array => Float64Array.from(columns.transpose().to1DArray());
  return {
    values: Float64Array.from(diagonal),
    left: rowsOf(leftSingularVectors),
    right: rowsOf(rightSingularVectors),
  };
}

/** The singular values alone of a square matrix [n, n], largest first; several times faster than the vectors. */
export function singularValues(a: Float64Array, n: number): Float64Array {
  const { diagonal } = new SingularValueDecomposition(Matrix.from1DArray(n, n, a), {
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
  });
  return Float64Array.from(diagonal);
}
