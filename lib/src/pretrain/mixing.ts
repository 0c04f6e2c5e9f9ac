/** Input MixUp in pretraining: clips mixed before the encoder, and the patches that a step reads. */
import type { Rng } from '../tensor/index.js';
import { gatherPatches, type Patching } from '../views/index.js';
import type { Batch } from './batches.js';

/** How the pairs of a batch are mixed. */
export interface Mixing {
  /** Share of a pair's own clips in the mixture, 0 .. 1. */
  readonly lambda: number;
  /** [B] the pair that each is mixed with, a permutation. */
  readonly partner: Int32Array;
}

/** One lambda ~ Beta(alpha, beta) and one permutation for a batch of pairs (Zhang et al. 2018). */
export function mixingOfStep(
  beta: { readonly alpha: number; readonly beta: number },
  nPairs: number,
  rng: Rng,
): Mixing {
  return { lambda: rng.beta(beta.alpha, beta.beta), partner: rng.permutation(nPairs) };
}

/**
 * The patches that a batch's views show at some tokens; with a mixing, view v of pair i is
 * lambda * view v of pair i + (1 - lambda) * view v of pair partner[i], the same tokens of both, in mel power, where the
 * powers of two sounds add.
 *
 * Both views of a pair are mixed with the same pair in the same shares, so they are two views of one mixed clip, and the
 * positive pair is theirs alone: contrastive learning of the data set of mixtures. i-Mix (Lee et al. 2021) and MixCo (Kim
 * et al. 2020) mix one view only, contrast it with unmixed ones and ask for lambda of one and 1 - lambda of the other;
 * those soft targets need NT-Xent, while SogCLR keeps an estimate for each track, of which a mixture has two. Pairs that
 * share a part stay negatives here, as clips of one track do. lambda = 1 is no mixing, bit for bit.
 *
 * @param tokens token ids [2B, n] of each view; all without it
 * @returns [2B * n, 256]
 */
export function patchesOfViews(
  { views, mixing }: Batch,
  clipFrames: number,
  patching: Patching,
  tokens?: Int32Array,
): Float32Array {
  const patches = gatherPatches(views, clipFrames, patching, tokens);
  if (!mixing) return patches;
  const { lambda, partner } = mixing;
  const nPairs = partner.length;
  const partners = views.map((_, view) => views[partner[view % nPairs] + (view < nPairs ? 0 : nPairs)]);
  const others = gatherPatches(partners, clipFrames, patching, tokens);
  for (let i = 0; i < patches.length; i++) patches[i] = lambda * patches[i] + (1 - lambda) * others[i];
  return patches;
}
