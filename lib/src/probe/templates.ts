/**
 * Key by template: a chroma is correlated with 24 rotated key profiles. The baselines that a learned key detector has
 * to beat.
 */
import { NUM_KEYS } from '../keys/index.js';
import { InputError } from '../errors.js';

/** Weights of the 12 pitch classes above the tonic, for both modes. */
export interface KeyProfile {
  readonly name: string;
  readonly source: string;
  readonly major: readonly number[];
  readonly minor: readonly number[];
}

/**
 * Published profiles, as printed or, for the two of electronic dance music, as their authors put them into Essentia
 * (src/algorithms/tonal/key.cpp and keyedm.cpp; edma is there with four digits).
 */
export const TEMPLATE_PROFILES = {
  krumhanslKessler: {
    name: 'Krumhansl-Kessler',
    source: 'Krumhansl and Kessler, Psychological Review 89 (1982), probe-tone ratings',
    major: [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
    minor: [6.33, 2.68, 3.52, 5.38, 2.6, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
  },
  temperley: {
    name: 'Temperley',
    source: "Temperley, What's key for key?, Music Perception 17 (1999)",
    major: [5, 2, 3.5, 2, 4.5, 4, 2, 4.5, 2, 3.5, 1.5, 4],
    minor: [5, 2, 3.5, 4.5, 2, 4, 2, 4.5, 3.5, 2, 1.5, 4],
  },
  edma: {
    name: 'edma',
    source: 'Faraldo, Gómez, Jordà and Herrera, Key estimation in electronic dance music, ECIR 2016',
    major: [1, 0.2875, 0.502, 0.4048, 0.605, 0.5614, 0.3205, 0.7966, 0.3159, 0.4506, 0.4202, 0.3889],
    minor: [1, 0.3096, 0.4415, 0.5827, 0.3262, 0.4948, 0.2889, 0.7804, 0.4328, 0.2903, 0.5331, 0.3217],
  },
  bgate: {
    name: 'bgate',
    source: 'Faraldo, Jordà and Herrera, A multi-profile method for key estimation in EDM, AES 2017',
    major: [1, 0, 0.42, 0, 0.53, 0.37, 0, 0.77, 0, 0.38, 0.21, 0.3],
    minor: [1, 0, 0.36, 0.39, 0, 0.38, 0, 0.74, 0.27, 0, 0.42, 0.23],
  },
} as const satisfies Record<string, KeyProfile>;

/** Pearson's correlation of a chroma with a profile whose tonic is at `tonic`; 0 if either is flat. */
function correlation(chroma: ArrayLike<number>, profile: readonly number[], tonic: number): number {
  let meanC = 0;
  let meanP = 0;
  for (let i = 0; i < 12; i++) {
    meanC += chroma[i] / 12;
    meanP += profile[i] / 12;
  }
  let cp = 0;
  let cc = 0;
  let pp = 0;
  for (let i = 0; i < 12; i++) {
    const c = chroma[(tonic + i) % 12] - meanC;
    const p = profile[i] - meanP;
    cp += c * p;
    cc += c * c;
    pp += p * p;
  }
  return cc > 0 && pp > 0 ? cp / Math.sqrt(cc * pp) : 0;
}

/**
 * The key whose profile correlates best with a chroma (Krumhansl and Schmuckler's algorithm).
 * @param chroma [12], C first, any scale
 * @returns keyId 0..23, and the 24 correlations, -1..1, in the order of the keys; a flat chroma gives all 0 and key 0
 * @throws InputError for another length, NaN or infinities
 */
export function estimateKeyByTemplate(
  chroma: ArrayLike<number>,
  profile: KeyProfile,
): { keyId: number; scores: Float64Array } {
  if (chroma.length !== 12) {
    throw new InputError('estimateKeyByTemplate', `the chroma has ${chroma.length} values, expected 12`);
  }
  for (let i = 0; i < 12; i++) {
    if (!Number.isFinite(chroma[i])) {
      throw new InputError(
        'estimateKeyByTemplate',
        `the chroma's value ${i} is ${chroma[i]}, expected a finite number`,
      );
    }
  }
  const scores = new Float64Array(NUM_KEYS);
  let keyId = 0;
  for (let id = 0; id < NUM_KEYS; id++) {
    scores[id] = correlation(chroma, id & 1 ? profile.minor : profile.major, id >> 1);
    if (scores[id] > scores[keyId]) keyId = id;
  }
  return { keyId, scores };
}
