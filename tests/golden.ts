/** Golden values and how they are compared. Their origin: tests/golden/README.md. */
import { fileURLToPath } from 'node:url';

/** Path of a file in tests/golden. */
export function goldenPath(name: string): string {
  return fileURLToPath(new URL(`./golden/${name}`, import.meta.url));
}

/** Largest |a[i] - b[i]|; lengths must agree, and NaN never passes. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`lengths ${a.length} and ${b.length} differ`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (Number.isNaN(difference)) return Infinity;
    if (difference > largest) largest = difference;
  }
  return largest;
}

/** Largest |a[i]|. */
export function peakOf(a: ArrayLike<number>): number {
  let peak = 0;
  for (let i = 0; i < a.length; i++) peak = Math.max(peak, Math.abs(a[i]));
  return peak;
}
