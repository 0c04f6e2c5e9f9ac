/** How long a recording is by its header, without decoding it. */
import { type ByteSource, fileSource } from './byteSource.js';
import { flacFrames, formatOf } from './container.js';
import { MAX_STREAM_BYTES } from './stream.js';
import { wavChunks } from './wavReader.js';

export interface HeaderDuration {
  readonly seconds: number;
  /** False where the header gives only the bit rate of its first frame (mp3 without a Xing, Info or VBRI header). */
  readonly isExact: boolean;
}

/** Bytes of the start and of the end that are looked at; an ID3 tag with a picture is skipped, not read. */
const HEAD_BYTES = 8192;
const TAIL_BYTES = 65536;

/**
 * The duration that a file's header declares; null if it declares none or is of another format than wav, flac, mp3 and
 * ogg. A header may lie: only decoding shows that the audio is there.
 * @throws InputError if the file cannot be read, or a wav header contradicts itself
 */
export function headerDuration(path: string): HeaderDuration | null {
  const source = fileSource(path, MAX_STREAM_BYTES);
  try {
    const head = bytesAt(source, 0, HEAD_BYTES);
    const format = formatOf(source);
    if (format === 'wav') {
      const { layout } = wavChunks(source);
      return layout && layout.sampleRate > 0 ? exact(layout.nFrames / layout.sampleRate) : null;
    }
    if (format === 'flac') {
      const rate = (head[18] << 12) | (head[19] << 4) | (head[20] >> 4);
      return flacFrames(head) > 0 && rate > 0 ? exact(flacFrames(head) / rate) : null;
    }
    if (format === 'opus' || format === 'oga') return oggDuration(source, head, format === 'opus');
    return format === 'mp3' ? mp3Duration(source, head) : null;
  } finally {
    source.close();
  }
}

const exact = (seconds: number): HeaderDuration => ({ seconds, isExact: true });

function bytesAt(source: ByteSource, start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, Math.min(length, source.size - start)));
  return bytes.subarray(0, source.read(start, bytes));
}

const ascii = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Granule position of the last page over the rate; Opus counts in 48 kHz and starts with samples to be skipped. */
function oggDuration(source: ByteSource, head: Uint8Array, isOpus: boolean): HeaderDuration | null {
  const tail = bytesAt(source, Math.max(0, source.size - TAIL_BYTES), TAIL_BYTES);
  let page = tail.length - 27;
  while (page >= 0 && ascii(tail, page, 4) !== 'OggS') page--;
  if (page < 0) return null;
  const granule = Number(viewOf(tail).getBigInt64(page + 6, true));
  const name = isOpus ? 'OpusHead' : '\x01vorbis';
  const at = Array.from(head.subarray(0, 128), (byte) => String.fromCharCode(byte))
    .join('')
    .indexOf(name);
  if (at < 0 || at + 16 > head.length || granule <= 0) return null;
  if (isOpus) return exact(Math.max(0, granule - viewOf(head).getUint16(at + 10, true)) / 48000);
  const rate = viewOf(head).getUint32(at + 12, true);
  return rate > 0 ? exact(granule / rate) : null;
}

/** Where the audio starts behind an ID3v2 tag, 0 without one. */
function afterTag(head: Uint8Array): number {
  if (head.length < 10 || ascii(head, 0, 3) !== 'ID3') return 0;
  return 10 + ((head[6] & 127) << 21) + ((head[7] & 127) << 14) + ((head[8] & 127) << 7) + (head[9] & 127);
}

const KBPS_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const KBPS_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const RATES = [44100, 48000, 32000];

/** Frames by the Xing, Info or VBRI header of the first frame, else by the bit rate of the first frame. */
function mp3Duration(source: ByteSource, head: Uint8Array): HeaderDuration | null {
  const start = afterTag(head);
  const bytes = start === 0 ? head : bytesAt(source, start, HEAD_BYTES);
  for (let at = 0; at + 200 < bytes.length; at++) {
    const frame = frameHeader(bytes, at);
    if (!frame) continue;
    const view = viewOf(bytes);
    const side = frame.isVersion1 ? (frame.isMono ? 17 : 32) : frame.isMono ? 9 : 17;
    const tag = at + 4 + side;
    const hasFrames = ['Xing', 'Info'].includes(ascii(bytes, tag, 4)) && (view.getUint32(tag + 4) & 1) === 1;
    const nFrames = hasFrames
      ? view.getUint32(tag + 8)
      : ascii(bytes, at + 36, 4) === 'VBRI'
        ? view.getUint32(at + 50)
        : 0;
    if (nFrames > 0) return exact((nFrames * frame.samples) / frame.rate);
    const next = at + Math.floor((frame.samples / 8) * (frame.bitRate / frame.rate)) + frame.padding;
    // Two frames in a row, or the end of a tiny file: else the first bytes only looked like a frame.
    if (next + 4 <= bytes.length && !frameHeader(bytes, next)) continue;
    return { seconds: (8 * (source.size - start - at)) / frame.bitRate, isExact: false };
  }
  return null;
}

/** A frame of layer III: 11 set bits, version, layer, bit rate, sample rate. */
function frameHeader(bytes: Uint8Array, at: number) {
  if (bytes[at] !== 0xff || (bytes[at + 1] & 0xe6) !== 0xe2) return null;
  const version = (bytes[at + 1] >> 3) & 3; // 0: 2.5, 2: 2, 3: 1
  const rate = RATES[(bytes[at + 2] >> 2) & 3];
  const isVersion1 = version === 3;
  const kbps = (isVersion1 ? KBPS_1 : KBPS_2)[bytes[at + 2] >> 4];
  if (version === 1 || !rate || !kbps) return null;
  return {
    isVersion1,
    isMono: bytes[at + 3] >> 6 === 3,
    rate: rate >> (isVersion1 ? 0 : version === 2 ? 1 : 2),
    bitRate: kbps * 1000,
    samples: isVersion1 ? 1152 : 576,
    padding: (bytes[at + 2] >> 1) & 1,
  };
}
