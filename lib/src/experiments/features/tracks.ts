/** Tracks to look at and to listen to. */
import { SAMPLE_RATE } from '../../audio/index.js';
import { type Track, trackAudio } from '../../corpus/index.js';
import { KEYS } from '../../keys/index.js';
import { CLIP_SAMPLES } from '../../mel/index.js';
import type { TrackCard } from '../measurements.js';
import { rounded, type Run, tracksOf } from '../run/run.js';

/** What a listener gets to know about a track. */
export function trackCard(track: Track): TrackCard {
  const { tuningCents, style } = track.labels;
  return {
    id: track.id,
    key: track.keyId === null ? 'unknown' : KEYS[track.keyId].label,
    split: track.split ?? '',
    seconds: rounded(track.durationSeconds),
    style: String(style ?? 'recording'),
    tuningCents: typeof tuningCents === 'number' ? tuningCents : null,
  };
}

/** The first train track of each style that does not begin with drums alone: what the notebooks show and play. */
export function exampleTracks(run: Run): Track[] {
  const ofStyle = new Map<string, Track>();
  for (const track of tracksOf(run, 'train')) {
    const style = String(track.labels.style ?? '');
    if (Number(track.labels.drumOpeningSeconds ?? 0) === 0 && !ofStyle.has(style)) ofStyle.set(style, track);
  }
  return [...ofStyle.values()];
}

/** The track of the walk-through and of the framework figure: the band's, or the first example. */
export function exampleTrack(run: Run): Track {
  const examples = exampleTracks(run);
  return examples.find((track) => track.labels.style === 'band') ?? examples[0] ?? tracksOf(run, 'train')[0];
}

/** Something to listen to: the card and the sound of the first clip, mono, 16 kHz. */
export interface HeardTrack {
  readonly card: TrackCard;
  readonly samples: Float32Array;
}

/** Renders the examples' first `seconds`. */
export async function heardTracks(run: Run, seconds = 10): Promise<HeardTrack[]> {
  const heard: HeardTrack[] = [];
  for (const track of exampleTracks(run))
    heard.push({
      card: trackCard(track),
      samples: (await trackAudio(track)).slice(0, Math.round(seconds * SAMPLE_RATE)),
    });
  return heard;
}

/** The first clip of a track: 100,000 samples, padded with zeros if the track is shorter. */
export async function firstClip(track: Track): Promise<Float32Array> {
  const clip = new Float32Array(CLIP_SAMPLES);
  clip.set((await trackAudio(track)).subarray(0, CLIP_SAMPLES));
  return clip;
}
