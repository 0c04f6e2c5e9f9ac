/** The limit on the size of a step's gradient. */

/**
 * The factor that brings a gradient whose global norm exceeds clipNorm down to it (Pascanu et al. 2013); else 1.
 *
 * @param norm the gradients' global norm
 * @param clipNorm the limit, null = none
 */
export function clipFactor(norm: number, clipNorm: number | null): number {
  return clipNorm !== null && norm > clipNorm ? clipNorm / norm : 1;
}
