import type { Rng } from '../../tensor/index.js';

const FADE_SECONDS = 0.005;

/**
 * Silences gaps that add up to round(share * length) samples, at random places that do not overlap. As few gaps as can
 * be, all as long as each other (within a sample), none longer than `gapSeconds`. What is kept fades over 5 ms beside a
 * gap, so that a gap's edge is no click.
 * @param sampleRate Hz
 */
export function maskTime(
  samples: Float32Array,
  share: number,
  gapSeconds: number,
  rng: Rng,
  sampleRate: number,
): Float32Array {
  const n = samples.length;
  const out = samples.slice();
  const masked = Math.round(share * n);
  if (masked === 0) return out;
  const nGaps = Math.ceil(masked / Math.max(1, Math.round(gapSeconds * sampleRate)));
  // Kept samples before each gap; gaps may touch.
  const keptBefore = Float64Array.from({ length: nGaps }, () => rng.int(n - masked + 1)).sort();
  const fade = Math.round(FADE_SECONDS * sampleRate);
  for (let g = 0; g < nGaps; g++) {
    const begin = keptBefore[g] + Math.floor((g * masked) / nGaps);
    const end = keptBefore[g] + Math.floor(((g + 1) * masked) / nGaps);
    out.fill(0, begin, end);
    for (let k = 0; k < fade; k++) {
      const gain = 0.5 - 0.5 * Math.cos((Math.PI * (k + 1)) / (fade + 1));
      if (begin - 1 - k >= 0) out[begin - 1 - k] *= gain;
      if (end + k < n) out[end + k] *= gain;
    }
  }
  return out;
}
