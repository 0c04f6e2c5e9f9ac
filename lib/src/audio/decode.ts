import { InputError } from '../errors.js';
import { fileSource, memorySource, type ByteSource } from './byteSource.js';
import { sniff } from './container.js';
import { assertRate, decodedParts } from './parts.js';
import { resample, resampleFrom, type ResampleMethod } from './resample.js';
import { wavChunks, WavReader } from './wavReader.js';

/** Audio as decoded: one array a channel (float, nominally -1..1, not normalised), all of the same length. */
export interface DecodedAudio {
  readonly channels: Float32Array[];
  /** Hz. */
  readonly sampleRate: number;
}

/** The rate of all analysis, Hz. */
export const SAMPLE_RATE = 16000;

/** Largest file that is read, bytes. */
export const MAX_FILE_BYTES = 1 << 30;
/** Most samples that are kept of one file, over all channels: two hours of mono at 44.1 kHz, 1.3 GB. */
export const MAX_SAMPLES = 7200 * 44100;

/**
 * Decodes a wav, flac, mp3, ogg (Vorbis, Opus) or another file that the `audio-decode` package knows.
 * @param source a path, or the bytes of a file
 * @param options.maxSamples most samples to keep, over all channels (MAX_SAMPLES)
 * @throws InputError if there is no such file, it is empty, no audio, truncated (wav, flac), damaged, too large, or holds NaN
 */
export async function decodeAudio(
  source: string | Uint8Array,
  options: { maxSamples?: number } = {},
): Promise<DecodedAudio> {
  return withSource(source, options, async (bytes, maxSamples) => {
    const wav = wavReader(bytes);
    if (wav) {
      const { nChannels, nFrames, sampleRate } = wav.layout;
      assertLength(bytes.name, nChannels * nFrames, maxSamples);
      return { channels: wav.channels(), sampleRate };
    }
    const parts: Float32Array[][] = [];
    let sampleRate = 0;
    let nFrames = 0;
    for await (const part of decodedParts(bytes)) {
      parts.push(part.channels);
      ({ sampleRate } = part);
      nFrames += part.channels[0].length;
      assertLength(bytes.name, part.channels.length * nFrames, maxSamples);
    }
    const last = parts[parts.length - 1];
    const channels = last.map((_, c) => concatenate(parts.map((part) => part[c] ?? part[0])));
    return { channels, sampleRate };
  });
}

/**
 * Mono audio at 16 kHz, the form all analysis starts from: decoded, channels averaged, then resampled.
 * @param options.method 'sinc-hann' (default) is what the published weights saw; 'kaiser' has less aliasing
 * @throws InputError as decodeAudio
 */
export async function loadAudio(
  source: string | Uint8Array,
  options: { method?: ResampleMethod; maxSamples?: number } = {},
): Promise<Float32Array> {
  return withSource(source, options, async (bytes, maxSamples) => {
    const wav = wavReader(bytes);
    if (wav) {
      const { nFrames, sampleRate } = wav.layout;
      assertLength(bytes.name, nFrames, maxSamples);
      const signal = { length: nFrames, read: (first: number, into: Float32Array) => wav.mono(first, into) };
      return resampleFrom(signal, sampleRate, SAMPLE_RATE, options.method);
    }
    const parts: Float32Array[] = [];
    let sampleRate = 0;
    let nFrames = 0;
    for await (const part of decodedParts(bytes)) {
      parts.push(toMono(part.channels));
      ({ sampleRate } = part);
      nFrames += part.channels[0].length;
      assertLength(bytes.name, nFrames, maxSamples);
    }
    return resample(concatenate(parts), sampleRate, SAMPLE_RATE, options.method);
  });
}

/** Opens what is to be decoded and closes it afterwards. */
async function withSource<T>(
  source: string | Uint8Array,
  { maxSamples = MAX_SAMPLES }: { maxSamples?: number },
  use: (bytes: ByteSource, maxSamples: number) => Promise<T>,
): Promise<T> {
  const bytes = audioSource(source, MAX_FILE_BYTES);
  try {
    return await use(bytes, maxSamples);
  } finally {
    bytes.close();
  }
}

/** A file or bytes, opened. @throws InputError if there is no such file, it is larger than `maxBytes`, or empty */
export function audioSource(source: string | Uint8Array, maxBytes: number): ByteSource {
  const bytes = typeof source === 'string' ? fileSource(source, maxBytes) : memorySource('audio bytes', source);
  if (bytes.size > 0) return bytes;
  bytes.close();
  throw new InputError(bytes.name, 'the file is empty (0 bytes), audio was expected.');
}

/** The mean of the channels, sample by sample. A single channel is returned as it is, not copied. */
export function toMono(channels: readonly Float32Array[]): Float32Array {
  if (channels.length === 0) throw new InputError('toMono', 'there is no channel, at least one was expected.');
  if (channels.length === 1) return channels[0];
  const mono = new Float32Array(channels[0].length);
  if (channels.length === 2) {
    const [left, right] = channels;
    for (let i = 0; i < mono.length; i++) mono[i] = (left[i] + right[i]) / 2;
    return mono;
  }
  for (let i = 0; i < mono.length; i++) {
    let sum = 0;
    for (const channel of channels) sum += channel[i];
    mono[i] = sum / channels.length;
  }
  return mono;
}

/** The reader of a wav file of PCM or float samples; null for everything else. @throws InputError for a damaged header */
export function wavReader(source: ByteSource): WavReader | null {
  const head = new Uint8Array(12);
  const isRiff = source.read(0, head) >= 4 && ['RIFF', 'RF64'].includes(String.fromCharCode(...head.subarray(0, 4)));
  if (!isRiff || (source.size >= 12 && sniff(head) !== 'wav')) return null;
  const { layout } = wavChunks(source);
  if (!layout) return null;
  assertRate(source.name, layout.nFrames, layout.sampleRate);
  return new WavReader(source, layout);
}

function assertLength(where: string, nSamples: number, maxSamples: number): void {
  if (nSamples > maxSamples)
    throw new InputError(where, `more than ${maxSamples} samples of audio in one file; cut it into shorter files.`);
}

/** Pieces of a stream as one array; a single piece is given as it is. */
export function concatenate(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0];
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
