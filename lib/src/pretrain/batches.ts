/**
 * Which clips a step sees. Everything is drawn from generators forked from the seed by epoch and step, so that a batch
 * depends on the seed and its step only: a resumed run, or a notebook, gets the same one without replaying the past.
 * Letters: B pairs; 2B views, the B first ones, then the B second ones.
 */
import { InputError } from '../errors.js';
import type { MelTrack } from '../mel/index.js';
import { createRng } from '../tensor/index.js';
import { maskClips, positivePair, type ClipOfTrack, type KeptTokens } from '../views/index.js';
import type { PretrainConfig } from './config.js';

export interface Batch {
  /** [2B] */
  readonly views: readonly ClipOfTrack[];
  /** Token ids that each view keeps, [2B, nKept] for each patching of the encoder. */
  readonly kept: KeptTokens;
  /** [B] index of each pair's track. */
  readonly trackIds: Int32Array;
  /** Passes over the tracks before this step. */
  readonly epoch: number;
}

/** Batches of one pass over the tracks; the last, incomplete one is dropped. @throws InputError if none is complete */
export function stepsPerEpoch(config: PretrainConfig, nTracks: number): number {
  const tracksPerBatch = config.batchPairs / config.clipsPerTrack;
  if (nTracks >= tracksPerBatch) return Math.floor(nTracks / tracksPerBatch);
  throw new InputError(
    'pretrain config, field batchPairs',
    `${config.batchPairs} pairs of ${config.clipsPerTrack} per track need ${tracksPerBatch} tracks, found ${nTracks}; ` +
      `lower batchPairs or raise clipsPerTrack`,
  );
}

/**
 * The batch of a step: tracks without replacement in an order that is new in every epoch, one positive pair for each
 * of a track's clips, and an own mask for each view.
 *
 * @param step counted from 0
 */
export function batchOfStep(config: PretrainConfig, tracks: readonly MelTrack[], step: number): Batch {
  const { batchPairs, clipsPerTrack, maskRatio, maxFrameDistance, encoder } = config;
  const perEpoch = stepsPerEpoch(config, tracks.length);
  const epoch = Math.floor(step / perEpoch);
  const rng = createRng(config.seed);
  const order = rng.fork(`tracks of epoch ${epoch}`).permutation(tracks.length);
  const tracksPerBatch = batchPairs / clipsPerTrack;
  const first = (step % perEpoch) * tracksPerBatch;

  const pairs = rng.fork(`pairs of step ${step}`);
  const trackIds = Int32Array.from({ length: batchPairs }, (_, i) => order[first + Math.floor(i / clipsPerTrack)]);
  const views = new Array<ClipOfTrack>(2 * batchPairs);
  trackIds.forEach((id, i) => {
    const { mel } = tracks[id];
    const [startA, startB] = positivePair(mel.nFrames, encoder.clipFrames, pairs, { maxFrameDistance });
    views[i] = { mel, start: startA };
    views[batchPairs + i] = { mel, start: startB };
  });
  const masks = rng.fork(`masks of step ${step}`);
  const kept = maskClips(encoder.patches, 2 * batchPairs, encoder.clipFrames, maskRatio, masks, encoder.nMels);
  return { views, kept, trackIds, epoch };
}

/** @throws InputError for a track whose mel has another number of bands, no frames, or a value that is no number */
export function checkTracks(tracks: readonly MelTrack[], nMels: number): void {
  for (const { id, mel } of tracks) {
    if (mel.nMels !== nMels) throw new InputError(`track ${id}`, `its mel has ${mel.nMels} bands, expected ${nMels}`);
    if (mel.nFrames < 1) throw new InputError(`track ${id}`, 'its mel has no frames; leave the track out');
    // x - x is 0 for every finite x only, and the sum of zeros is 0.
    let sum = 0;
    for (let i = 0; i < mel.data.length; i++) sum += mel.data[i] - mel.data[i];
    if (sum !== 0) {
      throw new InputError(`track ${id}`, 'its mel holds a NaN or an infinite value; check the audio file');
    }
  }
}
