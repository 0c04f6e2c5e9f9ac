import type { ByteSource } from './byteSource.js';

/** Formats with a streaming decoder, by the names `audio-decode` gives them; 'oga' is Vorbis in Ogg. */
export type AudioFormat = 'wav' | 'flac' | 'mp3' | 'opus' | 'oga';

const text = (bytes: Uint8Array, from: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(from, from + length));
const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Bytes of the start that tell a format; those behind a tag are looked at apart. */
const HEAD_BYTES = 128;

/**
 * The format of a file, or null if it is none of the common ones. An ID3 tag before the audio is skipped, not read: what
 * follows is mp3, whose decoder finds the first frame, unless it is plainly something else.
 */
export function formatOf(source: ByteSource): AudioFormat | null {
  const head = bytesAt(source, 0, HEAD_BYTES);
  const start = afterId3(head);
  if (start === 0) return sniff(head);
  const behind = bytesAt(source, start, 4);
  const isAdts = behind[0] === 0xff && (behind[1] & 0xf6) === 0xf0;
  return isAdts || ['fLaC', 'TTA1'].includes(text(behind, 0, 4)) ? null : 'mp3';
}

function bytesAt(source: ByteSource, at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, source.read(at, bytes));
}

/** The format by the first bytes of a file without a tag. */
export function sniff(bytes: Uint8Array): AudioFormat | null {
  const head = text(bytes, 0, 4);
  if ((head === 'RIFF' || head === 'RF64') && text(bytes, 8, 4) === 'WAVE') return 'wav';
  if (head === 'fLaC') return 'flac';
  if (head === 'OggS') {
    const page = text(bytes, 0, HEAD_BYTES);
    if (page.includes('OpusHead')) return 'opus';
    return page.includes('vorbis') ? 'oga' : null;
  }
  const isFrame = bytes[0] === 0xff && (bytes[1] & 0xe0) === 0xe0 && (bytes[1] & 0x06) !== 0;
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
