/** The fixed position embedding of SimpleViT (Beyer, Zhai and Kolesnikov 2022), as the reference computes it. */

const tables = new Map<string, Float32Array>();

/**
 * `sincos2d` of some tokens, in their order, or of all; the table is worked out once for each grid (a run meets few of
 * them) and shared: do not write into what is returned.
 *
 * @returns `[tokens, width]`
 */
export function positionsOf(nRows: number, nColumns: number, width: number, tokens?: Int32Array): Float32Array {
  const key = `${nRows} ${nColumns} ${width}`;
  const table = tables.get(key) ?? sincos2d(nRows, nColumns, width);
  tables.set(key, table);
  return tokens ? rowsOf(table, width, tokens) : table;
}

/** Rows of a table [n, width] by index: [indices, width]. */
function rowsOf(table: Float32Array, width: number, indices: Int32Array): Float32Array {
  const rows = new Float32Array(indices.length * width);
  let target = 0;
  for (const index of indices) {
    for (let i = index * width; i < (index + 1) * width; i++) rows[target++] = table[i];
  }
  return rows;
}

/**
 * Sine and cosine of a token's place in the grid of patches: for k = 0 .. d/4-1 and omega_k = 10000^(-k / (d/4 - 1)),
 * the four parts [sin(omega x), cos(omega x), sin(omega y), cos(omega y)], x = column (time), y = row (frequency).
 * Angles are rounded to float32 where the reference rounds them.
 *
 * @param width d, a multiple of 4, at least 8
 * @returns `[nRows * nColumns, width]`, tokens row-major as `patchify` orders them
 */
export function sincos2d(nRows: number, nColumns: number, width: number): Float32Array {
  const quarter = width / 4;
  const omega = Float32Array.from({ length: quarter }, (_, k) => {
    return 1 / Math.fround(10000 ** Math.fround(k / (quarter - 1)));
  });
  const embedding = new Float32Array(nRows * nColumns * width);
  for (let token = 0; token < nRows * nColumns; token++) {
    const [x, y] = [token % nColumns, Math.floor(token / nColumns)];
    const start = token * width;
    for (let k = 0; k < quarter; k++) {
      const [angleX, angleY] = [Math.fround(x * omega[k]), Math.fround(y * omega[k])];
      embedding[start + k] = Math.sin(angleX);
      embedding[start + quarter + k] = Math.cos(angleX);
      embedding[start + 2 * quarter + k] = Math.sin(angleY);
      embedding[start + 3 * quarter + k] = Math.cos(angleY);
    }
  }
  return embedding;
}
