/**
 * A map as a linear probe sees it: moving the audio by some semitones should move the probe's 24 logits round by as
 * many. Letters: N clips, K = 24 keys.
 */
import type { EmbeddingTable, Standardizer } from '../embeddings/index.js';
import { InputError } from '../errors.js';
import { NUM_KEYS, transposeKey } from '../keys/index.js';
import { type BootstrapInterval, bootstrapInterval, type BootstrapOptions } from '../stats/index.js';
import { type AugmentationMap, applyMap, assertWidth } from './map.js';
import { timesTransposed } from './matrix.js';
import { placesOfTracks, sumOver, type TrackStatistic } from './trackSums.js';

/** logits = x weight' + bias on embeddings as they are. */
export interface LinearReadout {
  readonly width: number;
  /** [K, width] */
  readonly weight: Float64Array;
  /** [K] */
  readonly bias: Float64Array;
}

/**
 * The readout of a linear probe, its standardizer folded in: w (x - m) / s + b = (w / s) x + b - (w / s) m.
 *
 * @param weight [K, width], as in a probe's `0.weight`
 * @param bias [K], as in its `0.bias`; null for none
 * @param standardizer the probe's; null for none
 */
export function linearReadout(
  weight: ArrayLike<number>,
  bias: ArrayLike<number> | null,
  standardizer: Standardizer | null = null,
): LinearReadout {
  const width = weight.length / NUM_KEYS;
  if (!Number.isInteger(width) || width < 1)
    throw new InputError('linearReadout', `${weight.length} weights; expected ${NUM_KEYS} rows of one width`);
  if (bias && bias.length !== NUM_KEYS)
    throw new InputError('linearReadout', `a bias of ${bias.length} values; expected ${NUM_KEYS}`);
  if (standardizer && standardizer.mean.length !== width)
    throw new InputError('linearReadout', `a standardizer of width ${standardizer.mean.length}; expected ${width}`);
  const folded = Float64Array.from(weight);
  const offset = bias ? Float64Array.from(bias) : new Float64Array(NUM_KEYS);
  if (standardizer)
    for (let i = 0; i < folded.length; i++) {
      folded[i] /= standardizer.scale[i % width];
      offset[Math.floor(i / width)] -= folded[i] * standardizer.mean[i % width];
    }
  return { width, weight: folded, bias: offset };
}

/** [K] where each key id goes when the music moves by `semitones`; a permutation, the identity for whole octaves. */
export function keyPermutation(semitones: number): Int32Array {
  if (!Number.isInteger(semitones))
    throw new InputError('keyPermutation', `${semitones} semitones; expected a whole number`);
  return Int32Array.from({ length: NUM_KEYS }, (_, keyId) => transposeKey(keyId, semitones));
}

/** Each with a bootstrap interval over tracks. */
export interface ShiftAgreement {
  readonly semitones: number;
  /** share of clips whose most probable key after the map is the one before, transposed */
  readonly keyAgreement: BootstrapInterval;
  /** mean over clips of the correlation of the K logits after the map with those before, moved round; 0 for flat ones */
  readonly logitCorrelation: BootstrapInterval;
  /** |L - L'| / |L'|, L the logits after the map and L' those before, moved round, each clip's mean taken off */
  readonly logitError: BootstrapInterval;
}

/**
 * Logits of map(x) against the permuted logits of x. With a map of 12 semitones and `semitones` 12 the permutation is
 * the identity: does an octave leave the key alone? With the identity map and `semitones` k: what agreement comes
 * without any map?
 *
 * @param table clips to test on, of tracks that neither map nor probe was fitted on
 * @param semitones default the map's own label shift
 */
export function shiftAgreement(
  map: AugmentationMap,
  readout: LinearReadout,
  table: Pick<EmbeddingTable, 'embeddings' | 'nClips' | 'width' | 'trackOf'>,
  options: { readonly bootstrap: BootstrapOptions; readonly semitones?: number },
): ShiftAgreement {
  const { semitones = map.labelShift, bootstrap } = options;
  assertWidth(map, table.width, 'the table');
  assertWidth(map, readout.width, 'the readout');
  if (table.nClips < 1) throw new InputError('shiftAgreement', 'the table has no clips; expected at least one');
  const sums = shiftSums(
    clipLogits(readout, table.embeddings),
    clipLogits(readout, applyMap(map, table.embeddings)),
    semitones,
    table,
  );
  const nTracks = sums.clips.length;
  const statistics = shiftStatistics(sums);
  const interval = (statistic: (tracks: Float64Array) => number): BootstrapInterval =>
    bootstrapInterval(Float64Array.from({ length: nTracks }, (_, place) => place), { ...bootstrap, statistic }); // prettier-ignore
  return {
    semitones,
    keyAgreement: interval(statistics.keyAgreement),
    logitCorrelation: interval(statistics.logitCorrelation),
    logitError: interval(statistics.logitError),
  };
}

/** Per track [T], summed over its clips. */
export interface ShiftSums {
  readonly clips: ArrayLike<number>;
  /** clips whose most probable key is the one before, transposed */
  readonly same: ArrayLike<number>;
  readonly correlation: ArrayLike<number>;
  /** |L - L'|^2 and |L'|^2 */
  readonly error: ArrayLike<number>;
  readonly energy: ArrayLike<number>;
}

/**
 * Logits after a map, or of really shifted audio, against the logits before, moved round by `semitones`.
 *
 * @param before, after [N, K], each clip's mean taken off, as `clipLogits` gives them
 */
export function shiftSums(
  before: Float64Array,
  after: Float64Array,
  semitones: number,
  clipsOf: Pick<EmbeddingTable, 'nClips' | 'trackOf'>,
): ShiftSums {
  if (before.length !== clipsOf.nClips * NUM_KEYS || after.length !== before.length)
    throw new InputError('shiftSums', `${before.length} and ${after.length} logits; expected ${clipsOf.nClips} x ${NUM_KEYS} twice`); // prettier-ignore
  const goesTo = keyPermutation(semitones);
  const { placeOf, nTracks } = placesOfTracks(clipsOf);
  const zeros = (): Float64Array => new Float64Array(nTracks);
  const [clips, same, correlation, error, energy] = [zeros(), zeros(), zeros(), zeros(), zeros()];
  const moved = new Float64Array(NUM_KEYS);
  for (let row = 0; row < clipsOf.nClips; row++) {
    const start = row * NUM_KEYS;
    for (let keyId = 0; keyId < NUM_KEYS; keyId++) moved[goesTo[keyId]] = before[start + keyId];
    const found = after.subarray(start, start + NUM_KEYS);
    const track = placeOf[row];
    let ff = 0, mm = 0, fm = 0; // prettier-ignore
    for (let keyId = 0; keyId < NUM_KEYS; keyId++) {
      ff += found[keyId] ** 2;
      mm += moved[keyId] ** 2;
      fm += found[keyId] * moved[keyId];
      error[track] += (found[keyId] - moved[keyId]) ** 2;
    }
    clips[track]++;
    energy[track] += mm;
    if (largest(found) === largest(moved)) same[track]++;
    correlation[track] += ff > 0 && mm > 0 ? fm / Math.sqrt(ff * mm) : 0;
  }
  return { clips, same, correlation, error, energy };
}

/** `ShiftAgreement`'s measures of a sample of tracks. */
export function shiftStatistics(
  sums: ShiftSums,
): Readonly<Record<'keyAgreement' | 'logitCorrelation' | 'logitError', TrackStatistic>> {
  return {
    keyAgreement: (tracks) => sumOver(sums.same, tracks) / sumOver(sums.clips, tracks),
    logitCorrelation: (tracks) => sumOver(sums.correlation, tracks) / sumOver(sums.clips, tracks),
    logitError: (tracks) => {
      const whole = sumOver(sums.energy, tracks);
      return whole > 0 ? Math.sqrt(sumOver(sums.error, tracks) / whole) : 0;
    },
  };
}

/** Logits [N, K], each clip's mean taken off: softmax does not see it. @param x [N, width] */
export function clipLogits({ weight, bias, width }: LinearReadout, x: Float32Array): Float64Array {
  const logits = timesTransposed(Float64Array.from(x), weight, x.length / width, NUM_KEYS, width);
  for (let start = 0; start < logits.length; start += NUM_KEYS) {
    let mean = 0;
    for (let keyId = 0; keyId < NUM_KEYS; keyId++) mean += (logits[start + keyId] += bias[keyId]) / NUM_KEYS;
    for (let keyId = 0; keyId < NUM_KEYS; keyId++) logits[start + keyId] -= mean;
  }
  return logits;
}

function largest(values: Float64Array): number {
  return values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
}
