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
