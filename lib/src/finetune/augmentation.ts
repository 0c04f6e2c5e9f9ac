/**
 * What the world does to a spectrum without moving its pitches, on the mel power of clips: level, spectral envelope,
 * noise. A timbre that training has not heard is, to a first approximation, a known one with another envelope.
 */
import type { Rng } from '../tensor/index.js';
import { PATCH_SIZE, tokenGrid, type Patching } from '../views/index.js';
import type { MelAugmentation } from './config.js';

/** Knots of the curves that are added up: a tilt, broad colours, and resonances as narrow as those of instruments. */
const KNOTS = [2, 5, 9, 17, 33, 65];

/**
 * A random curve over the bands: a sum of curves that are linear between knots of equal distance, the knots normal.
 * @param db standard deviation of the sum at a knot of all, dB
 * @returns [nMels] dB
 */
export function randomEqualiser(nMels: number, db: number, rng: Rng): Float64Array {
  const curve = new Float64Array(nMels);
  for (const nKnots of KNOTS) {
    const knots = Array.from({ length: nKnots }, () => (db / Math.sqrt(KNOTS.length)) * rng.normal());
    for (let band = 0; band < nMels; band++) {
      const at = (band / (nMels - 1)) * (nKnots - 1);
      const left = Math.min(nKnots - 2, Math.floor(at));
      curve[band] += knots[left] + (at - left) * (knots[left + 1] - knots[left]);
    }
  }
  return curve;
}

/** How far below the sound itself its copy at 2, 3, ... times its frequencies lies, dB [nearest, farthest]. */
const OVERTONES_BELOW = [3, 24] as const;
/** The highest multiple. */
const MOST_PARTIALS = 5;

/** What `addOvertones` takes: a level for each multiple from 2 to 5, uniform in dB. */
export function randomOvertones(rng: Rng): number[] {
  const [nearest, farthest] = OVERTONES_BELOW;
  return Array.from(
    { length: MOST_PARTIALS - 1 },
    () => 10 ** (-(nearest + (farthest - nearest) * rng.uniform()) / 10),
  );
}

/**
 * Augments cut patches of clips in place; every clip draws its own changes.
 *
 * @param patches `[nClips * nKept, 256]` mel power
 * @param kept token ids `[nClips, nKept]`; all tokens without it
 */
export function augmentPatches(
  patches: Float32Array,
  nClips: number,
  { patching, nMels, clipFrames }: { readonly patching: Patching; readonly nMels: number; readonly clipFrames: number },
  kept: Int32Array | undefined,
  { gainDb, equaliserDb, noiseShare, noiseDb }: MelAugmentation,
  rngOfClip: (clip: number) => Rng,
): void {
  const [bins, frames] = PATCH_SIZE[patching];
  const [nRows, nColumns] = tokenGrid(patching, nMels, clipFrames);
  const perClip = kept ? kept.length / nClips : nRows * nColumns;
  const area = bins * frames;
  const factors = new Float64Array(nMels);
  const noise = new Float64Array(nMels);
  for (let clip = 0; clip < nClips; clip++) {
    const rng = rngOfClip(clip);
    const own = patches.subarray(clip * perClip * area, (clip + 1) * perClip * area);
    const gain = gainDb * (2 * rng.uniform() - 1);
    const curve = randomEqualiser(nMels, equaliserDb, rng);
    curve.forEach((db, band) => (factors[band] = 10 ** ((gain + db) / 10)));
    const isNoisy = rng.uniform() < noiseShare;
    const below = noiseDb[0] + (noiseDb[1] - noiseDb[0]) * rng.uniform();
    const noiseCurve = randomEqualiser(nMels, equaliserDb, rng);
    let mean = 0;
    for (const value of own) mean += value / own.length;
    // Noise comes from the room or the medium, so it has a spectrum of its own.
    noiseCurve.forEach((db, band) => (noise[band] = isNoisy ? mean * 10 ** ((gain + db - below) / 10) : 0));
    for (let token = 0, at = 0; token < perClip; token++) {
      const id = kept ? kept[clip * perClip + token] : token;
      const firstBand = Math.floor(id / nColumns) * bins;
      for (let bin = 0; bin < bins; bin++) {
        const [factor, floor] = [factors[firstBand + bin], noise[firstBand + bin]];
        for (let frame = 0; frame < frames; frame++, at++) {
          // The power of noise in one bin of one frame is exponential.
          own[at] = own[at] * factor + (floor > 0 ? -floor * Math.log(1 - rng.uniform()) : 0);
        }
      }
    }
  }
}
