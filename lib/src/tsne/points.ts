import { InputError } from '../errors.js';

/** Points as rows: `data` [n, d] row-major. What `readNpy` returns of a float32 file is one. */
export interface Points {
  readonly data: Float32Array;
  readonly shape: readonly [n: number, d: number];
}

/**
 * Checks points where they come in.
 *
 * @param where the function and argument, e.g. `affinities: points`
 * @param minimum rows at least
 * @returns [n, d]
 * @throws InputError if the shape does not fit the data, there are too few rows, or a value is not finite
 */
export function checkPoints(where: string, points: Points, minimum: number): readonly [n: number, d: number] {
  const { data, shape } = points;
  const [n, d] = shape;
  if (shape.length !== 2 || !Number.isInteger(n) || !Number.isInteger(d) || n < 0 || d < 1 || n * d !== data.length) {
    throw new InputError(where, `shape [${shape.join(', ')}] for ${data.length} values; expected [n, d] with d >= 1.`);
  }
  if (n < minimum) throw new InputError(where, `${n} points; at least ${minimum} are needed.`);
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) {
      throw new InputError(
        where,
        `row ${Math.floor(i / d)}, column ${i % d} is ${data[i]}; every value must be finite. Drop or repair the row.`,
      );
    }
  }
  return [n, d];
}

/** Checks that an option lies in a range. @throws InputError naming option, value and range */
export function checkOption(where: string, name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high)) {
    const range = high === Infinity ? `${low} or more` : `${low} to ${high}`;
    throw new InputError(where, `${name} ${value}; expected ${range}.`);
  }
}

/** Checks an option that counts something. @throws InputError as `checkOption`, and for a fraction */
export function checkCount(where: string, name: string, value: number, low: number, high: number): void {
  checkOption(where, name, value, low, high);
  if (!Number.isInteger(value)) throw new InputError(where, `${name} ${value}; expected a whole number.`);
}

/** A row of points, not copied. */
export const rowOf = ({ data, shape: [, d] }: Points, row: number): Float32Array =>
  data.subarray(row * d, (row + 1) * d);

/** Squared Euclidean distance of two rows in float64; four sums, so that the additions need not wait for each other. */
export function squaredDistance(a: Float32Array, i: number, b: Float32Array, j: number, d: number): number {
  const p = i * d;
  const q = j * d;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let c = 0;
  for (; c + 4 <= d; c += 4) {
    const d0 = a[p + c] - b[q + c];
    const d1 = a[p + c + 1] - b[q + c + 1];
    const d2 = a[p + c + 2] - b[q + c + 2];
    const d3 = a[p + c + 3] - b[q + c + 3];
    s0 += d0 * d0;
    s1 += d1 * d1;
    s2 += d2 * d2;
    s3 += d3 * d3;
  }
  for (; c < d; c++) s0 += (a[p + c] - b[q + c]) ** 2;
  return s0 + s1 + (s2 + s3);
}
