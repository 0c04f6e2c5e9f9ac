/**
 * Which clips a step sees. Everything is drawn from generators forked from the seed by epoch and step, so that a batch
 * depends on the seed and its step only: a resumed run, or a notebook, gets the same one without replaying the past.
 * Letters: B pairs; 2B views, the B first ones, then the B second ones.
 */
import { InputError } from '../errors.js';
import type { MelSpectrogram } from '../mel/index.js';
import { createRng, type Rng } from '../tensor/index.js';
import { maskClips, positivePair, type ClipOfTrack, type KeptTokens } from '../views/index.js';
import type { PretrainConfig } from './config.js';
import { clipOf, isStored, type MelSource, type StoredMel } from './melShards.js';
import { mixingOfStep, type Mixing } from './mixing.js';

/** A track to train on; its mel is in memory or on disk, with the same batches. */
export interface PretrainTrack extends MelSource {
  /** Copies of the track by how many semitones they were shifted; those that `pitchShifts` names must be there. */
  readonly shifted?: ReadonlyMap<number, MelSpectrogram | StoredMel>;
}

export interface Batch {
  /** [2B] */
  readonly views: readonly ClipOfTrack[];
  /** Token ids that each view keeps, [2B, nKept] for each patching of the encoder. */
  readonly kept: KeptTokens;
  /** [B] index of each pair's track. */
  readonly trackIds: Int32Array;
  /** How the pairs are mixed with each other; absent = not at all. */
  readonly mixing?: Mixing;
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
 * of a track's clips, an own mask for each view, and, if pitch shifts are asked for, an own shift for each view.
 *
 * @param step counted from 0
 */
export function batchOfStep(config: PretrainConfig, tracks: readonly PretrainTrack[], step: number): Batch {
  const { batchPairs, clipsPerTrack, maskRatio, maxFrameDistance, encoder } = config;
  const perEpoch = stepsPerEpoch(config, tracks.length);
  const epoch = Math.floor(step / perEpoch);
  const rng = createRng(config.seed);
  const order = rng.fork(`tracks of epoch ${epoch}`).permutation(tracks.length);
  const tracksPerBatch = batchPairs / clipsPerTrack;
  const first = (step % perEpoch) * tracksPerBatch;

  const pairs = rng.fork(`pairs of step ${step}`);
  const trackIds = Int32Array.from({ length: batchPairs }, (_, i) => order[first + Math.floor(i / clipsPerTrack)]);
  const copyOf = copyPicker(config, rng.fork(`shifts of step ${step}`));
  const views = new Array<ClipOfTrack>(2 * batchPairs);
  trackIds.forEach((id, i) => {
    const track = tracks[id];
    const [startA, startB] = positivePair(track.mel.nFrames, encoder.clipFrames, pairs, { maxFrameDistance });
    views[i] = clipOf(copyOf(track), startA, encoder.clipFrames);
    views[batchPairs + i] = clipOf(copyOf(track), startB, encoder.clipFrames);
  });
  const masks = rng.fork(`masks of step ${step}`);
  const kept = maskClips(encoder.patches, 2 * batchPairs, encoder.clipFrames, maskRatio, masks, encoder.nMels);
  const mixing = config.inputMixUp && mixingOfStep(config.inputMixUp, batchPairs, rng.fork(`mixing of step ${step}`));
  return { views, kept, trackIds, epoch, ...(mixing && { mixing }) };
}

/** Which copy of its track a view is taken from: the track itself or a shifted one, each with the same chance. */
function copyPicker({ pitchShifts }: PretrainConfig, rng: Rng): (track: PretrainTrack) => MelSpectrogram | StoredMel {
  if (pitchShifts.length === 0) return ({ mel }) => mel;
  const semitones = [0, ...pitchShifts];
  return (track) => {
    const shift = rng.pick(semitones);
    return shift === 0 ? track.mel : shiftedCopy(track, shift);
  };
}

/** @throws InputError if the track has no copy shifted by so many semitones */
function shiftedCopy({ id, shifted }: PretrainTrack, semitones: number): MelSpectrogram | StoredMel {
  const copy = shifted?.get(semitones);
  if (!copy) throw new InputError(`track ${id}`, `it has no copy shifted by ${semitones} semitones (pitchShifts)`);
  return copy;
}

/**
 * @throws InputError for a track whose mel, or a shifted copy's, has another number of bands, no frames or a value that
 *   is no number (in memory), and for a copy that is missing or not as long as its track
 */
export function checkTracks(tracks: readonly PretrainTrack[], config: PretrainConfig): void {
  const { nMels } = config.encoder;
  for (const track of tracks) {
    checkMel(`track ${track.id}`, track.mel, nMels);
    for (const semitones of config.pitchShifts) {
      const copy = shiftedCopy(track, semitones);
      const where = `track ${track.id} shifted by ${semitones} semitones`;
      checkMel(where, copy, nMels);
      // A start drawn for the track must be a start of the same music in the copy.
      if (copy.nFrames !== track.mel.nFrames)
        throw new InputError(where, `it has ${copy.nFrames} frames, the track has ${track.mel.nFrames}`);
    }
  }
}

function checkMel(where: string, mel: MelSpectrogram | StoredMel, nMels: number): void {
  if (mel.nMels !== nMels) throw new InputError(where, `its mel has ${mel.nMels} bands, expected ${nMels}`);
  if (mel.nFrames < 1) throw new InputError(where, 'its mel has no frames; leave the track out');
  // What lies on disk was checked when it was written; the encoder looks at every batch as well.
  if (isStored(mel)) return;
  // x - x is 0 for every finite x only, and the sum of zeros is 0.
  let sum = 0;
  for (let i = 0; i < mel.data.length; i++) sum += mel.data[i] - mel.data[i];
  if (sum !== 0) throw new InputError(where, 'its mel holds a NaN or an infinite value; check the audio file');
}
