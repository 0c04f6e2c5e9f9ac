/**
 * Which clips a step sees and what they should answer. Everything is drawn from generators forked from the seed by epoch
 * and step, so that a resumed run gets the same batches without replaying the past.
 */
import type { EncoderConfig } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { ACTIVITY_CHANNELS, keyShares, type KeySpan, type PitchClassActivity } from '../corpus/index.js';
import { NUM_KEYS, transposeKey } from '../keys/index.js';
import { addOvertones, cutClip, MEL, transposeMel } from '../mel/index.js';
import { TOKEN_FRAMES, TOKEN_SECONDS } from '../notes/index.js';
import { clipOf, type MelSource } from '../pretrain/index.js';
import { createRng, type Rng } from '../tensor/index.js';
import {
  gatherPatches,
  maskClips,
  PATCHINGS,
  type ClipOfTrack,
  type KeptTokens,
  type Patching,
} from '../views/index.js';
import { augmentPatches, randomOvertones } from './augmentation.js';
import type { FineTuneConfig } from './config.js';

/** A labelled track; its mel is in memory or on disk, with the same batches. */
export interface FineTuneTrack extends MelSource {
  /** Its keys in the order of time; see `keySpans` of corpus/. */
  readonly keys: readonly KeySpan[];
  /** Its notes, a row a token (`TOKEN_SECONDS`); needed for transcription alone. */
  readonly activity?: PitchClassActivity;
}

export interface LabelledBatch {
  readonly nClips: number;
  /** Token ids that each clip keeps. */
  readonly kept: KeptTokens;
  /** Mel power of the kept tokens, augmented, `[nClips * nKept, 256]` for each patching. */
  readonly patches: { readonly [P in Patching]?: Float32Array };
  /** [nClips, 24] rows that add up to 1: the time that each key has in the clip, smoothed. */
  readonly targets: Float32Array;
  /** [nClips * nKept, 36] what sounds at each kept token, where transcription is asked for. */
  readonly activity: Float32Array | null;
  /** Passes over the tracks before this step. */
  readonly epoch: number;
}

/** Least share of a clip in which a key must be heard. */
const LEAST_KEYED = 0.5;
/** How often a start is drawn anew where the clip shows no key. */
const MOST_DRAWS = 10;

const SECONDS_A_FRAME = MEL.hopLength / MEL.sampleRate;

/** Batches of one pass over the tracks; the last, incomplete one is dropped. @throws InputError if none is complete */
export function stepsPerEpoch({ batchTracks }: FineTuneConfig, nTracks: number): number {
  if (nTracks >= batchTracks) return Math.floor(nTracks / batchTracks);
  throw new InputError(
    'fine-tuning config, field batchTracks',
    `a batch of ${batchTracks} tracks was asked for, there are ${nTracks}; lower batchTracks`,
  );
}

/**
 * The batch of a step: tracks without replacement in an order that is new in every epoch, clips from anywhere in them
 * where a key is heard, an own mask and an own augmentation for each clip.
 *
 * @param step counted from 0
 */
export function labelledBatch(
  config: FineTuneConfig,
  encoder: EncoderConfig,
  tracks: readonly FineTuneTrack[],
  step: number,
): LabelledBatch {
  const { batchTracks, clipsPerTrack, maskRatio, labelSmoothing, augmentation } = config;
  const { clipFrames, nMels, patches: variant } = encoder;
  const perEpoch = stepsPerEpoch(config, tracks.length);
  const epoch = Math.floor(step / perEpoch);
  const rng = createRng(config.seed);
  const order = rng.fork(`tracks of epoch ${epoch}`).permutation(tracks.length);
  const first = (step % perEpoch) * batchTracks;
  const nClips = batchTracks * clipsPerTrack;
  const starts = rng.fork(`clips of step ${step}`);
  const pitches = rng.fork(`pitches of step ${step}`);
  const colours = rng.fork(`overtones of step ${step}`);
  const { semitones: [lowest, highest], overtoneShare = 0 } = augmentation; // prettier-ignore
  const clips: ClipOfTrack[] = [];
  const heard: { track: FineTuneTrack; start: number; semitones: number }[] = [];
  const targets = new Float32Array(nClips * NUM_KEYS).fill(labelSmoothing / NUM_KEYS);
  for (let clip = 0; clip < nClips; clip++) {
    const track = tracks[order[first + Math.floor(clip / clipsPerTrack)]];
    const { start, shares } = drawClip(track, clipFrames, starts, config.transcription > 0 ? TOKEN_FRAMES : 1);
    const semitones = lowest + pitches.int(highest - lowest + 1);
    heard.push({ track, start, semitones });
    const heardAt = atPitch(clipOf(track.mel, start, clipFrames), clipFrames, semitones);
    const colour = colours.fork(clip);
    clips.push(colour.uniform() < overtoneShare ? coloured(heardAt, clipFrames, colour) : heardAt);
    for (let key = 0; key < NUM_KEYS; key++)
      targets[clip * NUM_KEYS + transposeKey(key, semitones)] += (1 - labelSmoothing) * shares[key];
  }
  const kept = maskClips(variant, nClips, clipFrames, maskRatio, rng.fork(`masks of step ${step}`), nMels);
  const changes = rng.fork(`augmentation of step ${step}`);
  const patches: { [P in Patching]?: Float32Array } = {};
  for (const patching of PATCHINGS[variant]) {
    const cut = gatherPatches(clips, clipFrames, patching, kept[patching]);
    // One generator a clip, whatever the patching: both halves of hybrid hear the same change.
    const layout = { patching, nMels, clipFrames };
    augmentPatches(cut, nClips, layout, kept[patching], augmentation, (clip) => changes.fork(clip));
    patches[patching] = cut;
  }
  const activity = config.transcription > 0 ? activityAt(heard, kept.vertical, clipFrames) : null;
  return { nClips, kept, patches, targets, activity, epoch };
}

/** What sounds at the kept tokens of clips, [nClips * nKept, 36], at the pitch that the clips are heard at. */
function activityAt(
  clips: readonly { readonly track: FineTuneTrack; readonly start: number; readonly semitones: number }[],
  kept: Int32Array | undefined,
  clipFrames: number,
): Float32Array {
  const perClip = kept ? kept.length / clips.length : clipFrames / TOKEN_FRAMES;
  const wanted = new Float32Array(clips.length * perClip * ACTIVITY_CHANNELS);
  clips.forEach(({ track, start, semitones }, clip) => {
    const { nBins, data } = track.activity!;
    const up = ((semitones % 12) + 12) % 12;
    for (let token = 0; token < perClip; token++) {
      const row = clip * perClip + token;
      const bin = start / TOKEN_FRAMES + (kept ? kept[row] : token);
      if (bin >= nBins) continue; // the last reverberation
      for (let channel = 0; channel < ACTIVITY_CHANNELS; channel++) {
        const pitchClass = channel % 12;
        const to = row * ACTIVITY_CHANNELS + (channel - pitchClass) + ((pitchClass + up) % 12);
        wanted[to] = data[bin * ACTIVITY_CHANNELS + channel] / 255;
      }
    }
  });
  return wanted;
}

function atPitch(clip: ClipOfTrack, clipFrames: number, semitones: number): ClipOfTrack {
  if (semitones === 0) return clip;
  return { mel: transposeMel(cutClip(clip.mel, clip.start, clipFrames), semitones), start: 0 };
}

function coloured({ mel, start }: ClipOfTrack, clipFrames: number, rng: Rng): ClipOfTrack {
  return { mel: addOvertones(cutClip(mel, start, clipFrames), randomOvertones(rng)), start: 0 };
}

/**
 * A start anywhere in the track, drawn anew while too little of the clip is in a key; then where most of it is.
 * @param grid frames that starts are multiples of
 */
function drawClip(
  track: FineTuneTrack,
  clipFrames: number,
  rng: Rng,
  grid: number,
): { readonly start: number; readonly shares: Float64Array } {
  const last = Math.max(0, Math.floor((track.mel.nFrames - clipFrames) / grid));
  let best: { start: number; shares: Float64Array; keyed: number } | null = null;
  for (let draw = 0; draw < MOST_DRAWS; draw++) {
    const start = grid * rng.int(last + 1);
    const heard = keyShares(track.keys, start * SECONDS_A_FRAME, clipFrames * SECONDS_A_FRAME);
    if (!best || heard.keyed > best.keyed) best = { start, ...heard };
    if (best.keyed >= LEAST_KEYED) break;
  }
  return best!;
}

/**
 * @throws InputError for a track without a key, with other bands than the encoder's, or without frames; for transcription
 *   also for other patches than vertical ones and for a track whose notes are not known
 */
export function checkLabelledTracks(
  { transcription }: FineTuneConfig,
  tracks: readonly FineTuneTrack[],
  encoder: EncoderConfig,
): void {
  if (transcription > 0 && encoder.patches !== 'vertical')
    throw new InputError(
      'fine-tuning config, field transcription',
      `the encoder's patches are ${encoder.patches}; only vertical ones show all pitches of a moment in one token`,
    );
  for (const { id, mel, keys, activity } of tracks) {
    const where = `track ${id}`;
    if (mel.nMels !== encoder.nMels)
      throw new InputError(where, `its mel has ${mel.nMels} bands, expected ${encoder.nMels}`);
    if (mel.nFrames < 1) throw new InputError(where, 'its mel has no frames; leave the track out');
    if (!keys.some(({ keyId }) => keyId !== null))
      throw new InputError(where, 'it has no key; fine-tuning needs labelled tracks');
    if (transcription > 0 && activity?.binSeconds !== TOKEN_SECONDS)
      throw new InputError(where, `its notes are not known by tokens of ${TOKEN_SECONDS} s; transcription needs them`);
  }
}
