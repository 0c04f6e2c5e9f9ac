/** Compressed audio, decoded piece by piece: neither the file nor what it unpacks to is ever in memory whole. */
import decodeAny from 'audio-decode';
import { InputError } from '../errors.js';
import { partOf, readAll, type ByteSource } from './byteSource.js';
import { flacFrames, formatOf } from './container.js';
import { notFinite, wavChunks } from './wavReader.js';

/** A piece of a recording. */
export interface AudioPart {
  /** One array a channel, all of the same length, at least one sample. */
  readonly channels: Float32Array[];
  /** Hz. */
  readonly sampleRate: number;
}

/** Bytes handed to a decoder at once, so that a small file that unpacks to hours is noticed before memory is full. */
const CHUNK_BYTES = 1 << 16;

/**
 * The pieces of a recording, in order, all of one sample rate and one number of channels. One exception: a stereo mp3
 * comes as one channel as long as both are equal, then as two.
 * @param options.chunkBytes bytes handed to the decoder at once; the samples do not depend on it
 * @param options.maxWholeBytes largest file of a format without a tested streaming decoder, which is decoded as a whole
 * @throws InputError if this is no audio, is truncated (flac), damaged, or holds NaN
 */
export async function* decodedParts(
  source: ByteSource,
  options: { chunkBytes?: number; maxWholeBytes?: number } = {},
): AsyncGenerator<AudioPart> {
  const { name } = source;
  let last: AudioPart | null = null;
  let nFrames = 0;
  for await (const { channelData: channels, sampleRate } of pieces(source, options)) {
    if (channels.length === 0 || channels[0].length === 0) continue;
    if (last === null) assertRate(name, channels[0].length, sampleRate);
    // Some pieces name no rate; it is that of the pieces before.
    const part: AudioPart = { channels, sampleRate: sampleRate || last!.sampleRate };
    if (last !== null) assertSame(name, last, part, formatOf(source) === 'mp3');
    for (const channel of channels) assertFinite(name, channel, nFrames, part.sampleRate);
    nFrames += channels[0].length;
    yield (last = part);
  }
  if (last === null) assertRate(name, 0, 0);
}

type Piece = { readonly channelData: Float32Array[]; readonly sampleRate: number };

/** The decoder's output, piece by piece where it can stream. */
async function* pieces(
  source: ByteSource,
  { chunkBytes = CHUNK_BYTES, maxWholeBytes = Infinity }: { chunkBytes?: number; maxWholeBytes?: number },
): AsyncGenerator<Piece> {
  const format = formatOf(source);
  const bytes = format === 'wav' ? reducedWav(source) : source;
  try {
    if (format === null) {
      if (source.size > maxWholeBytes)
        throw new InputError(
          source.name,
          `the file has ${source.size} bytes; only wav, flac, mp3 and ogg may have more than ${maxWholeBytes}.`,
        );
      return yield await decodeAny(readAll(source));
    }
    const declared = format === 'flac' ? flacFrames(head(source)) : 0;
    let decoded = 0;
    const decoder = await decodeAny[format]();
    try {
      for (let begin = 0; begin < bytes.size;) {
        // The last piece takes the rest along: a decoder may need all of the last block in one piece.
        const isLast = bytes.size - begin < 2 * chunkBytes;
        const wanted = isLast ? bytes.size : begin + chunkBytes;
        const end = format === 'flac' && !isLast ? outsideHeader(bytes, wanted) : wanted;
        const part = await decoder(chunk(bytes, begin, end));
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
        source.name,
        `the header declares ${declared} samples a channel, ${decoded} could be decoded; the file is truncated or damaged.`,
      );
  } catch (error) {
    if (error instanceof InputError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(source.name, `this cannot be decoded as audio (${reason}); wav, flac, mp3 and ogg are read.`, {
      cause: error,
    });
  }
}

const head = (source: ByteSource): Uint8Array => {
  const bytes = new Uint8Array(64);
  return bytes.subarray(0, source.read(0, bytes));
};

/** Longest header of a flac frame, bytes. */
const FLAC_HEADER_BYTES = 16;

/**
 * The first place from `wanted` on that cannot lie inside the header of a flac frame. The decoder misses a header that
 * comes in two pieces, takes two frames for one, and is a frame late from there on: the last one never comes out.
 */
function outsideHeader(source: ByteSource, wanted: number): number {
  const window = chunk(source, wanted - FLAC_HEADER_BYTES, Math.min(source.size, wanted + 4096));
  for (let end = FLAC_HEADER_BYTES; end < window.length; end++) {
    let at = end - FLAC_HEADER_BYTES;
    // A header begins with ff f8 or ff f9.
    while (at < end && !(window[at] === 0xff && (at + 1 === end || (window[at + 1] & 0xfe) === 0xf8))) at++;
    if (at === end) return wanted + end - FLAC_HEADER_BYTES;
  }
  return wanted;
}

/** Bytes [begin, end) in memory of their own: a decoder may keep what it has not used up. */
function chunk(source: ByteSource, begin: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - begin);
  if (source.read(begin, bytes) < bytes.length)
    throw new InputError(source.name, 'the file became shorter while it was read.');
  return bytes;
}

/**
 * What the decoder gets of a wav that is neither PCM nor float: its format and its audio, because the decoder does not
 * know that chunks of odd length are followed by a padding byte.
 */
function reducedWav(source: ByteSource): ByteSource {
  const { format, data } = wavChunks(source);
  return partOf(source, [[0, 12], format, data]);
}

function assertSame(where: string, before: AudioPart, part: AudioPart, isMp3: boolean): void {
  const widens = isMp3 && before.channels.length === 1 && part.channels.length === 2;
  if ((part.channels.length !== before.channels.length && !widens) || part.sampleRate !== before.sampleRate)
    throw new InputError(
      where,
      'the number of channels or the sample rate changes inside the file; convert it to wav or flac first.',
    );
}

/** @throws InputError for no samples, or a rate that no recording has */
export function assertRate(where: string, nSamples: number, sampleRate: number): void {
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
