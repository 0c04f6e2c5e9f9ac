import { InputError } from '../errors.js';

/** Formats with a streaming decoder, by the names `audio-decode` gives them; 'oga' is Vorbis in Ogg. */
export type AudioFormat = 'wav' | 'flac' | 'mp3' | 'opus' | 'oga';

const text = (bytes: Uint8Array, from: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(from, from + length));
const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The format by the first bytes, or null if it is none of the common ones. */
export function sniff(bytes: Uint8Array): AudioFormat | null {
  const head = text(bytes, 0, 4);
  if (head === 'RIFF' && text(bytes, 8, 4) === 'WAVE') return 'wav';
  if (head === 'fLaC') return 'flac';
  if (head === 'OggS') {
    const page = text(bytes, 0, Math.min(bytes.length, 128));
    if (page.includes('OpusHead')) return 'opus';
    return page.includes('vorbis') ? 'oga' : null;
  }
  const start = afterId3(bytes);
  if (text(bytes, start, 4) === 'fLaC') return null; // a tag before flac: rare, left to the whole-file decoder
  const isFrame = bytes[start] === 0xff && (bytes[start + 1] & 0xe0) === 0xe0 && (bytes[start + 1] & 0x06) !== 0;
  return isFrame ? 'mp3' : null;
}

/** Where the audio starts behind an ID3v2 tag (0 without one). Its size is stored in 4 x 7 bits. */
function afterId3(bytes: Uint8Array): number {
  if (bytes.length < 10 || text(bytes, 0, 3) !== 'ID3') return 0;
  return 10 + (((bytes[6] & 127) << 21) | ((bytes[7] & 127) << 14) | ((bytes[8] & 127) << 7) | (bytes[9] & 127));
}

/** Samples a channel that a flac header declares (36 bits of STREAMINFO), 0 if it does not say. */
export function flacFrames(bytes: Uint8Array): number {
  if (bytes.length < 42 || text(bytes, 0, 4) !== 'fLaC') return 0;
  return (bytes[21] & 15) * 2 ** 32 + view(bytes).getUint32(22);
}

/**
 * Checks what the decoder would take on trust in a wav header (block size against channels and bits; the declared data
 * is there) and returns the bytes to decode: a wav that has other chunks before its data is reduced to format and data,
 * because the decoder does not know that chunks of odd length are followed by a padding byte.
 * @throws InputError with the first problem found
 */
export function checkedContainer(where: string, bytes: Uint8Array): Uint8Array {
  if (text(bytes, 0, 4) === 'RIFF' && bytes.length < 12)
    throw new InputError(where, 'this wav file is truncated inside its header.');
  if (sniff(bytes) !== 'wav') return bytes;
  const data = view(bytes);
  let position = 12;
  let format: Uint8Array | null = null;
  while (position + 8 <= bytes.length) {
    const chunk = text(bytes, position, 4);
    const size = data.getUint32(position + 4, true);
    const start = position + 8;
    if (chunk === 'fmt ') {
      if (size < 16 || start + size > bytes.length)
        throw new InputError(where, 'this wav file is truncated inside its header.');
      checkFormat(where, data, start);
      format = bytes.subarray(position, start + size + (size % 2));
    } else if (chunk === 'data') {
      if (!format) throw new InputError(where, 'this wav file has data without a format before it.');
      const found = bytes.length - start;
      // 0 and the largest number are what programs write that stream into a pipe
      if (size !== 0 && size < 0xffffffff - 8 && size > found + 1)
        throw new InputError(
          where,
          `the header declares ${size} bytes of audio, ${found} are there; the wav file is truncated.`,
        );
      if (position === 12 + format.length) return bytes;
      const reduced = new Uint8Array(12 + format.length + bytes.length - position);
      reduced.set(bytes.subarray(0, 12));
      reduced.set(format, 12);
      reduced.set(bytes.subarray(position), 12 + format.length);
      return reduced;
    }
    position = start + size + (size % 2);
  }
  throw new InputError(where, 'this wav file has no audio data; it is truncated.');
}

function checkFormat(where: string, data: DataView, start: number): void {
  const tag = data.getUint16(start, true);
  const channels = data.getUint16(start + 2, true);
  const blockBytes = data.getUint16(start + 12, true);
  const bits = data.getUint16(start + 14, true);
  if (channels < 1 || channels > 64)
    throw new InputError(where, `the wav header says ${channels} channels, 1 to 64 were expected.`);
  const isPlain = tag === 1 || tag === 3 || tag === 0xfffe;
  if (isPlain && blockBytes !== channels * Math.ceil(bits / 8))
    throw new InputError(
      where,
      `the wav header is inconsistent: ${channels} channels of ${bits} bits in blocks of ${blockBytes} bytes.`,
    );
  if (blockBytes === 0) throw new InputError(where, 'the wav header says blocks of 0 bytes.');
}
