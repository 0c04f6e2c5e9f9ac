import decodeAny from 'audio-decode';
import { InputError } from '../errors.js';
import { fileSource, memorySource, readAll, type ByteSource } from './byteSource.js';
import { flacFrames, sniff } from './container.js';
import { resample, resampleFrom, type ResampleMethod } from './resample.js';
import { notFinite, wavChunks, WavReader } from './wavReader.js';

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
/** Bytes handed to a decoder at once, so that a small file that unpacks to hours is noticed before memory is full. */
const CHUNK_BYTES = 1 << 16;

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
    const sampleRate = await decodeParts(bytes, maxSamples, (channels) => {
      parts.push(channels);
      return channels.length;
    });
    const channels = parts[0].map((_, c) => concatenate(parts.map((part) => part[c])));
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
    const sampleRate = await decodeParts(bytes, maxSamples, (channels) => {
      parts.push(toMono(channels));
      return 1;
    });
    return resample(concatenate(parts), sampleRate, SAMPLE_RATE, options.method);
  });
}

/** Opens what is to be decoded and closes it afterwards. */
async function withSource<T>(
  source: string | Uint8Array,
  { maxSamples = MAX_SAMPLES }: { maxSamples?: number },
  use: (bytes: ByteSource, maxSamples: number) => Promise<T>,
): Promise<T> {
  const bytes = typeof source === 'string' ? fileSource(source, MAX_FILE_BYTES) : memorySource('audio bytes', source);
  try {
    if (bytes.size === 0) throw new InputError(bytes.name, 'the file is empty (0 bytes), audio was expected.');
    return await use(bytes, maxSamples);
  } finally {
    bytes.close();
  }
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
function wavReader(source: ByteSource): WavReader | null {
  const head = new Uint8Array(12);
  const isRiff = source.read(0, head) >= 4 && String.fromCharCode(...head.subarray(0, 4)) === 'RIFF';
  if (!isRiff || (source.size >= 12 && sniff(head) !== 'wav')) return null;
  const { layout } = wavChunks(source);
  if (!layout) return null;
  assertRate(source.name, layout.nFrames, layout.sampleRate);
  return new WavReader(source, layout);
}

type Part = { channelData: Float32Array[]; sampleRate: number };

/** Decodes piece by piece; `take` keeps what it needs of each piece and says how many channels of it. Returns the rate. */
async function decodeParts(
  source: ByteSource,
  maxSamples: number,
  take: (channels: Float32Array[]) => number,
): Promise<number> {
  const where = source.name;
  const bytes = decodable(source);

  let nChannels = 0;
  let sampleRate = 0;
  let nSamples = 0;
  let kept = 0;
  for await (const part of pieces(where, bytes)) {
    if (part.channelData.length === 0 || part.channelData[0].length === 0) continue;
    nChannels ||= part.channelData.length;
    sampleRate ||= part.sampleRate;
    if (part.channelData.length !== nChannels || (part.sampleRate && part.sampleRate !== sampleRate))
      throw new InputError(
        where,
        'the number of channels or the sample rate changes inside the file; convert it to wav or flac first.',
      );
    part.channelData.forEach((channel) => assertFinite(where, channel, nSamples, sampleRate));
    nSamples += part.channelData[0].length;
    kept += take(part.channelData) * part.channelData[0].length;
    assertLength(where, kept, maxSamples);
  }
  assertRate(where, nSamples, sampleRate);
  return sampleRate;
}

/**
 * The bytes that the decoder gets: a wav is reduced to its format and its audio, because the decoder does not know that
 * chunks of odd length are followed by a padding byte.
 */
function decodable(source: ByteSource): Uint8Array {
  const bytes = readAll(source);
  if (sniff(bytes) !== 'wav') return bytes;
  const { format, data } = wavChunks(source);
  const reduced = new Uint8Array(12 + format[1] - format[0] + data[1] - data[0]);
  reduced.set(bytes.subarray(0, 12));
  reduced.set(bytes.subarray(...format), 12);
  reduced.set(bytes.subarray(...data), 12 + format[1] - format[0]);
  return reduced;
}

/** The decoder's output, piece by piece where it can stream. */
async function* pieces(where: string, bytes: Uint8Array): AsyncGenerator<Part> {
  const format = sniff(bytes);
  try {
    // Uncompressed audio cannot unpack to more than its size; rare formats have no tested streaming decoder.
    if (format === 'wav' || format === null) return yield await decodeAny(bytes);
    const declared = format === 'flac' ? flacFrames(bytes) : 0;
    let decoded = 0;
    const decoder = await decodeAny[format]();
    try {
      for (let begin = 0; begin < bytes.length;) {
        // The last piece takes the rest along: a decoder may need all of the last block in one piece.
        const end = bytes.length - begin < 2 * CHUNK_BYTES ? bytes.length : begin + CHUNK_BYTES;
        const part = await decoder(bytes.slice(begin, end));
        decoded += part.channelData[0]?.length ?? 0;
        yield part;
        begin = end;
      }
      const rest = await decoder();
      decoded += rest.channelData[0]?.length ?? 0;
      yield rest;
    } finally {
      decoder.free();
    }
    if (declared > 0 && decoded !== declared)
      throw new InputError(
        where,
        `the header declares ${declared} samples a channel, ${decoded} could be decoded; the file is truncated or damaged.`,
      );
  } catch (error) {
    if (error instanceof InputError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(where, `this cannot be decoded as audio (${reason}); wav, flac, mp3 and ogg are read.`, {
      cause: error,
    });
  }
}

function assertLength(where: string, nSamples: number, maxSamples: number): void {
  if (nSamples > maxSamples)
    throw new InputError(where, `more than ${maxSamples} samples of audio in one file; cut it into shorter files.`);
}

function assertRate(where: string, nSamples: number, sampleRate: number): void {
  if (nSamples === 0)
    throw new InputError(where, 'no audio was found in the file; it holds no samples, or is damaged or truncated.');
  if (!(sampleRate >= 1000 && sampleRate <= 768000))
    throw new InputError(
      where,
      `the sample rate is ${sampleRate} Hz, 1000 to 768000 Hz were expected; the header is damaged.`,
    );
}

function assertFinite(where: string, samples: Float32Array, before: number, sampleRate: number): void {
  for (let i = 0; i < samples.length; i++)
    if (!Number.isFinite(samples[i])) throw notFinite(where, before + i, sampleRate, samples[i]);
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0];
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
