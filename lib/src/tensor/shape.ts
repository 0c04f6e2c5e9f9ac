/**
 * Checks a shape at a border. Numbers must match; a string names a free dimension, and the same letter must stand for
 * the same size throughout.
 *
 * @param where the function and argument, e.g. `layerNorm: x`
 * @throws RangeError that prints the expected and the found shape
 */
export function assertShape(where: string, shape: readonly number[], expected: readonly (number | string)[]): void {
  const sizes = new Map<string, number>();
  const matches =
    shape.length === expected.length &&
    expected.every((want, i) => {
      if (typeof want === 'number') return want === shape[i];
      const known = sizes.get(want) ?? shape[i];
      sizes.set(want, known);
      return known === shape[i];
    });
  if (!matches) throw new RangeError(`${where}: expected shape [${expected.join(', ')}], found [${shape.join(', ')}]`);
}
