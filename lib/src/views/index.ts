/**
 * views/ : what the encoder gets to see of a track. Two clips of it (the positive pair), cut into patches, of which
 * random masking keeps a few. Pure typed arrays, no tensors.
 *
 * Import rule: tensor (random numbers), mel (types), errors.
 */
export {
  PATCH_SIZE,
  PATCHINGS,
  numTokens,
  tokenGrid,
  patchify,
  unpatchify,
  wholePatchFrames,
  type Patching,
  type PatchSize,
  type PatchVariant,
} from './patches.js';
export { gatherPatches, type ClipOfTrack } from './gather.js';
export { keptCount, maskClips, removalMask, removedTokens, randomMasking, type KeptTokens } from './masking.js';
export { positivePair, type PositivePairOptions } from './pairs.js';
