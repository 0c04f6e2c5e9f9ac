/** Recordings of any length as a stream of mono samples at 16 kHz. */
import { InputError } from '../errors.js';
import { audioSource, SAMPLE_RATE, toMono, wavReader } from './decode.js';
import type { ByteSource } from './byteSource.js';
import { decodedParts } from './parts.js';
import type { ResampleMethod } from './resample.js';
import { ResampleStream } from './resampleStream.js';

export interface AudioStreamOptions {
  /** 'sinc-hann' (default) is what the published weights saw; 'kaiser' has less aliasing */
  readonly method?: ResampleMethod;
  /** Longest recording, seconds (default MAX_STREAM_SECONDS); a longer one is an error where it passes the limit. */
  readonly maxSeconds?: number;
  /** On abort `signal.reason` is thrown before the next piece. */
  readonly signal?: AbortSignal;
}

/** Longest recording that is streamed, seconds: a hundred hours. A damaged or malicious file may claim to be endless. */
export const MAX_STREAM_SECONDS = 360_000;
/** Largest file that is streamed, bytes: what a hundred hours of 8 channels of 24 bits at 96 kHz take. */
export const MAX_STREAM_BYTES = 2 ** 40;
/** Largest file of a format without a streaming decoder (all but wav, flac, mp3, ogg), bytes: it is decoded as a whole. */
const MAX_WHOLE_BYTES = 1 << 28;
/** Samples a channel that are averaged and resampled at once. */
const PIECE_FRAMES = 1 << 16;

/**
 * Mono audio at 16 kHz, piece by piece: joined together the pieces are what `loadAudio` gives, to the bit. Neither the
 * file nor its samples are ever in memory whole, but for formats other than wav, flac, mp3 and ogg.
 * @param source a path, or the bytes of a file
 * @returns pieces of 1 to some 10^5 samples, memory of the caller
 * @throws InputError as `loadAudio`, where the fault comes up; what was given before is good
 */
export async function* streamAudio(
  source: string | Uint8Array,
  options: AudioStreamOptions = {},
): AsyncGenerator<Float32Array, void, undefined> {
  const { method, maxSeconds = MAX_STREAM_SECONDS, signal } = options;
  const bytes = audioSource(source, MAX_STREAM_BYTES);
  try {
    let resampler: ResampleStream | null = null;
    let nFrames = 0;
    for await (const { mono, sampleRate } of monoPieces(bytes)) {
      signal?.throwIfAborted();
      nFrames += mono.length;
      if (nFrames > maxSeconds * sampleRate)
        throw new InputError(bytes.name, `more than ${maxSeconds} s of audio in one file; cut it into shorter files.`);
      resampler ??= new ResampleStream(sampleRate, SAMPLE_RATE, method);
      const piece = resampler.push(mono);
      if (piece.length > 0) yield piece;
    }
    const rest = resampler?.end();
    if (rest && rest.length > 0) yield rest;
  } finally {
    bytes.close();
  }
}

/** The mean of the channels at the file's own rate (Hz), up to PIECE_FRAMES samples at once. */
async function* monoPieces(bytes: ByteSource): AsyncGenerator<{ mono: Float32Array; sampleRate: number }> {
  const wav = wavReader(bytes);
  if (wav) {
    const { nFrames, sampleRate } = wav.layout;
    for (let first = 0; first < nFrames; first += PIECE_FRAMES) {
      const mono = new Float32Array(Math.min(PIECE_FRAMES, nFrames - first));
      wav.mono(first, mono);
      yield { mono, sampleRate };
    }
    return;
  }
  for await (const { channels, sampleRate } of decodedParts(bytes, { maxWholeBytes: MAX_WHOLE_BYTES })) {
    const nFrames = channels[0].length;
    for (let first = 0; first < nFrames; first += PIECE_FRAMES)
      yield { mono: toMono(channels.map((channel) => channel.subarray(first, first + PIECE_FRAMES))), sampleRate };
  }
}
