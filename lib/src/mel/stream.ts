/** Mel spectrograms and clips of recordings of any length: samples come piece by piece, and so do frames. */
import { InputError } from '../errors.js';
import { MEL, type MelConfig, type MelFilterBank } from './filterBank.js';
import { analyseFrames, frameCount } from './frames.js';
import { assertFrames, bankOf, type MelSpectrogram } from './spectrogram.js';

export interface MelStreamOptions {
  /** 'power' (the reference, default) or 'log1p' = ln(1 + power) */
  readonly scale?: 'power' | 'log1p';
  readonly config?: MelConfig;
}

/** Samples that are analysed at once, at most, whatever the length of the pieces that come. */
const PIECE_SAMPLES = 1 << 17;

/**
 * As `melSpectrogram` of the whole signal, to the bit: what `push` and `end` give, put side by side. Holds about a frame
 * of samples.
 */
export class MelStream {
  private readonly config: MelConfig;
  private readonly bank: MelFilterBank;
  private readonly isLog: boolean;
  /** Samples that later frames need, and where in the signal they begin. */
  private held = new Float32Array(0);
  private heldFrom = 0;
  private received = 0;
  private given = 0;

  constructor(options: MelStreamOptions = {}) {
    this.config = options.config ?? MEL;
    this.bank = bankOf(this.config);
    this.isLog = options.scale === 'log1p';
  }

  /** Samples so far. */
  get nSamples(): number {
    return this.received;
  }

  /**
   * Frames that the samples up to the end of this piece settle; null if there is none.
   * @throws InputError for NaN or infinities
   */
  push(samples: Float32Array): MelSpectrogram | null {
    const joined = new Float32Array(this.held.length + samples.length);
    joined.set(this.held);
    joined.set(samples, this.held.length);
    this.held = joined;
    this.received += samples.length;
    const { hopLength, nFft } = this.config;
    const pad = nFft / 2;
    // The first frames are reflected at sample 0, for which they need one sample more than they cover.
    if (this.received <= pad) return null;
    const settled = Math.floor((this.received - pad) / hopLength) + 1;
    const mel = settled > this.given ? this.frames(settled) : null;
    // As many samples as the next frame covers, and as the last ones may reflect.
    const keepFrom = Math.max(0, Math.min(settled * hopLength - pad, this.received - pad - 1));
    if (keepFrom > this.heldFrom) {
      this.held = joined.slice(keepFrom - this.heldFrom);
      this.heldFrom = keepFrom;
    }
    return mel;
  }

  /**
   * The last frames, reflected at the end of the signal.
   * @throws InputError if the signal had fewer than nFft / 2 + 1 samples
   */
  end(): MelSpectrogram | null {
    const { nFft, hopLength } = this.config;
    assertFrames('melSpectrogram', this.received, nFft, hopLength);
    const all = frameCount(this.received, hopLength);
    return all > this.given ? this.frames(all) : null;
  }

  /** Frames `given` up to `until`. */
  private frames(until: number): MelSpectrogram {
    const { config, bank, heldFrom, given } = this;
    const nFrames = until - given;
    const span = { centre: given * config.hopLength - heldFrom, nFrames, before: heldFrom };
    const data = analyseFrames('melSpectrogram', this.held, config, bank, span);
    if (this.isLog) for (let i = 0; i < data.length; i++) data[i] = Math.log1p(data[i]);
    this.given = until;
    return { nMels: config.nMels, nFrames, data };
  }
}

/**
 * The mel spectrogram of a stream of mono samples at 16 kHz, in pieces of frames: `melSpectrogram` of the whole, to the
 * bit.
 * @throws InputError for NaN or infinities, and at the end if there were fewer than nFft / 2 + 1 samples
 */
export async function* streamMel(
  samples: AsyncIterable<Float32Array> | Iterable<Float32Array>,
  options: MelStreamOptions = {},
): AsyncGenerator<MelSpectrogram, void, undefined> {
  const stream = new MelStream(options);
  for await (const piece of samples) {
    for (let from = 0; from < piece.length; from += PIECE_SAMPLES) {
      const mel = stream.push(piece.subarray(from, from + PIECE_SAMPLES));
      if (mel) yield mel;
    }
  }
  const mel = stream.end();
  if (mel) yield mel;
}

/** A clip cut out of a stream. */
export interface MelClip {
  /** First frame, counted from the start of the recording. */
  readonly start: number;
  /** [nMels, clipFrames] */
  readonly mel: MelSpectrogram;
}

/**
 * Clips of a recording, one by one: those of `cutClips` of its whole mel spectrogram. A recording shorter than a clip
 * gives one, padded with zero frames.
 * @param pieces what `streamMel` gives
 * @param clipFrames frames of a clip
 * @param hop frames from clip to clip (default: contiguous)
 * @param isEndKept whether, where the last clip does not reach the end, the next one is given too, padded
 */
export async function* streamClips(
  pieces: AsyncIterable<MelSpectrogram> | Iterable<MelSpectrogram>,
  clipFrames: number,
  hop: number = clipFrames,
  isEndKept = false,
): AsyncGenerator<MelClip, void, undefined> {
  for (const [name, value] of [
    ['clipFrames', clipFrames],
    ['hop', hop],
  ] as const) {
    // prettier-ignore
    if (!Number.isInteger(value) || value < 1)
      throw new InputError('streamClips', `${name} is ${value}, a whole number of frames >= 1 was expected.`);
  }
  const open: MelClip[] = []; // begun, not complete
  let nextStart = 0;
  let nFrames = 0; // so far
  let covered = 0; // by the clips that were given
  for await (const piece of pieces) {
    // A clip's length at once, so that no more clips are open than overlap.
    for (let from = 0; from < piece.nFrames; from += clipFrames) {
      const until = Math.min(piece.nFrames, from + clipFrames);
      for (; nextStart < nFrames + until - from; nextStart += hop) open.push(emptyClip(nextStart, piece.nMels, clipFrames)); // prettier-ignore
      for (const clip of open) copyFrames(piece, from, until, nFrames, clip);
      nFrames += until - from;
      while (open.length > 0 && open[0].start + clipFrames <= nFrames) {
        covered = open[0].start + clipFrames;
        yield open.shift()!;
      }
    }
  }
  if (open.length > 0 && (isEndKept ? covered < nFrames : nFrames < clipFrames)) yield open[0];
}

const emptyClip = (start: number, nMels: number, nFrames: number): MelClip => ({
  start,
  mel: { nMels, nFrames, data: new Float32Array(nMels * nFrames) },
});

/** Copies columns [from, until) of `piece`, the first of which is frame `at` of the recording, where they lie in `clip`. */
function copyFrames(piece: MelSpectrogram, from: number, until: number, at: number, { start, mel }: MelClip): void {
  const first = Math.max(at, start);
  const last = Math.min(at + until - from, start + mel.nFrames);
  for (let m = 0; m < mel.nMels; m++) {
    let source = m * piece.nFrames + from + first - at;
    let target = m * mel.nFrames + first - start;
    for (let frame = first; frame < last; frame++) mel.data[target++] = piece.data[source++];
  }
}
