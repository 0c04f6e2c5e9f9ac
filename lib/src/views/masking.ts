/**
 * Random masking, the only augmentation of the pretraining: most tokens of each clip are dropped, the encoder sees the
 * rest. Myna (arXiv 2502.12511) section 3; the counts are those of the reference's `mask_inputs`.
 */
import { InputError } from '../errors.js';
import type { Rng } from '../tensor/index.js';
import { numTokens, PATCHINGS, type Patching, type PatchVariant } from './patches.js';

/** Kept token ids of each patching, `[nClips, nKept]`; a patching that is absent keeps all. */
export type KeptTokens = { readonly [P in Patching]?: Int32Array };

/**
 * Tokens that stay of `nTokens`: N - floor(maskRatio * N). The product is the double that Python's `int(ratio * N)`
 * sees, so counts agree for all ratios: 0.29 of 100 removes 28, since 0.29 * 100 is 28.999999999999996.
 *
 * @param maskRatio share removed, 0 <= maskRatio < 1
 * @throws InputError for another ratio, or if no token would stay
 */
export function keptCount(nTokens: number, maskRatio: number): number {
  if (!(maskRatio >= 0 && maskRatio < 1)) {
    throw new InputError('maskRatio', `${maskRatio} found; it is the share of tokens removed, from 0 to below 1`);
  }
  const nKept = nTokens - Math.floor(maskRatio * nTokens);
  if (nKept < 1) throw new InputError('maskRatio', `${maskRatio} leaves none of ${nTokens} tokens; lower it`);
  return nKept;
}

/**
 * Chooses the tokens that each clip keeps: uniformly, without replacement, independently for each clip.
 *
 * @param maskRatio share of tokens removed, 0 <= maskRatio < 1
 * @returns keptIndices `[nClips, nKept]`, in random order (the encoder does not depend on it)
 * @throws InputError as `keptCount`
 */
export function randomMasking(
  nClips: number,
  nTokens: number,
  maskRatio: number,
  rng: Pick<Rng, 'permutation'>,
): Int32Array {
  const nKept = keptCount(nTokens, maskRatio);
  const keptIndices = new Int32Array(nClips * nKept); // [nClips, nKept]
  for (let clip = 0; clip < nClips; clip++) {
    const shuffled = rng.permutation(nTokens); // [nTokens]
    const kept = shuffled.subarray(nTokens - nKept); // [nKept]; what stands before is removed
    keptIndices.set(kept, clip * nKept);
  }
  return keptIndices;
}

/**
 * Masks for clips of one variant. Hybrid gets two independent masks, since its two patchings are two inputs.
 *
 * @returns kept token ids of each patching of the variant, drawn in the order of `PATCHINGS`
 * @throws InputError as `keptCount` and `numTokens`
 */
export function maskClips(
  patches: PatchVariant,
  nClips: number,
  nFrames: number,
  maskRatio: number,
  rng: Pick<Rng, 'permutation'>,
  nMels = 128,
): KeptTokens {
  const kept: { [P in Patching]?: Int32Array } = {};
  for (const patching of PATCHINGS[patches]) {
    kept[patching] = randomMasking(nClips, numTokens(patching, nMels, nFrames), maskRatio, rng);
  }
  return kept;
}

/**
 * The tokens that are not kept, ascending in each clip.
 *
 * @param keptIndices `[nClips, nKept]`
 * @returns `[nClips, nTokens - nKept]`
 */
export function removedTokens(keptIndices: Int32Array, nClips: number, nTokens: number): Int32Array {
  const mask = removalMask(keptIndices, nClips, nTokens);
  const removed = new Int32Array(mask.length - keptIndices.length);
  let next = 0;
  mask.forEach((isRemoved, i) => {
    if (isRemoved) removed[next++] = i % nTokens;
  });
  return removed;
}

/**
 * The same choice as a mask: 0 is keep, 1 is remove (as MAE has it). For figures and checks.
 *
 * @param keptIndices `[nClips, nKept]`
 * @returns `[nClips, nTokens]`
 */
export function removalMask(keptIndices: Int32Array, nClips: number, nTokens: number): Uint8Array {
  const mask = new Uint8Array(nClips * nTokens).fill(1); // 1 is remove
  const nKept = keptIndices.length / nClips;
  keptIndices.forEach((token, i) => (mask[Math.floor(i / nKept) * nTokens + token] = 0)); // 0 is keep
  return mask;
}
