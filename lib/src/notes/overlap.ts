/**
 * Clips that overlap by half, joined. At the edge of a clip a token has its neighbours on one side only, so what sounds
 * there is heard less well; every token but those of a recording's ends lies in two clips, and the one in whose middle it
 * is nearer counts more.
 */
import { ACTIVITY_CHANNELS } from '../corpus/index.js';
import type { Encoder } from '../encoder/index.js';
import type { MelSpectrogram } from '../mel/index.js';
import { TOKEN_FRAMES, transcribeClips, type Transcriber } from './transcriber.js';

/** Clips per forward pass: what a batch works on stays near the core. */
const BATCH_CLIPS = 16;

/** Tokens from one clip's start to the next's: half of a clip's. */
export const hopTokens = (clipTokens: number): number => Math.ceil(clipTokens / 2);

/** Frames from one clip's start to the next's. */
export const hearingHop = (clipFrames: number): number => TOKEN_FRAMES * hopTokens(clipFrames / TOKEN_FRAMES);

/** First frames of the clips that a recording is heard in: the last one is the first to reach its end. */
export function hearingStarts(nFrames: number, clipFrames: number): number[] {
  const hop = hearingHop(clipFrames);
  return Array.from({ length: 1 + Math.ceil(Math.max(0, nFrames - clipFrames) / hop) }, (_, i) => i * hop);
}

/**
 * What the later of two clips counts at place `i` of their overlap; the earlier one has the rest. It rises in a straight
 * line, from 0 to 1.
 */
export const shareOfLater = (i: number, overlap: number): number => (i + 0.5) / overlap;

/** Joins the activity of clips that come one after the other. */
export class ClipJoiner {
  private readonly joined: Float32Array[] = [];
  /** What the clip before heard beyond the start of the next one. */
  private rest: Float32Array | null = null;

  constructor(private readonly clipTokens: number) {}

  /** @param activity [n * clipTokens, 36], the next n clips, `hopTokens` apart */
  add(activity: Float32Array): void {
    const size = this.clipTokens * ACTIVITY_CHANNELS;
    const hop = hopTokens(this.clipTokens) * ACTIVITY_CHANNELS;
    const overlap = this.clipTokens - hopTokens(this.clipTokens);
    for (let first = 0; first < activity.length; first += size) {
      const clip = activity.slice(first, first + size);
      this.rest?.forEach((before, i) => {
        const share = shareOfLater(Math.floor(i / ACTIVITY_CHANNELS), overlap);
        clip[i] = (1 - share) * before + share * clip[i];
      });
      this.joined.push(clip.slice(0, hop));
      this.rest = clip.slice(hop);
    }
  }

  /** The first tokens of the recording, [nTokens, 36]; fewer if fewer were heard. */
  end(nTokens: number): Float32Array {
    const all = new Float32Array(nTokens * ACTIVITY_CHANNELS);
    let at = 0;
    for (const rows of [...this.joined, ...(this.rest ? [this.rest] : [])]) {
      all.set(rows.subarray(0, all.length - at), at);
      at = Math.min(all.length, at + rows.length);
    }
    return all.subarray(0, at);
  }
}

/** Which notes sound when in a recording: [floor(nFrames / 2), 36], at least one row. The last clip is padded. */
export function transcribe(encoder: Encoder, transcriber: Transcriber, mel: MelSpectrogram): Float32Array {
  const { clipFrames } = encoder.config;
  const joiner = new ClipJoiner(clipFrames / TOKEN_FRAMES);
  const clips = hearingStarts(mel.nFrames, clipFrames).map((start) => ({ mel, start }));
  for (let first = 0; first < clips.length; first += BATCH_CLIPS)
    joiner.add(transcribeClips(encoder, transcriber, clips.slice(first, first + BATCH_CLIPS)));
  return joiner.end(tokensOf(mel.nFrames));
}

/** Whole tokens of a recording; one if it has none. */
export const tokensOf = (nFrames: number): number => Math.max(1, Math.floor(nFrames / TOKEN_FRAMES));
