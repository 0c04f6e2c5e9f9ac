import { InputError } from '../errors.js';
import type { ByteSource } from './byteSource.js';

/** How the samples of a wav file lie in it. Whole numbers of n bits become value / 2^(n - 1). */
export interface WavLayout {
  readonly encoding: 'int' | 'float';
  /** Bytes a sample: 1 to 4 (int), 4 or 8 (float). */
  readonly sampleBytes: number;
  readonly nChannels: number;
  /** Hz, as the header says. */
  readonly sampleRate: number;
  /** Byte that the samples begin at; they are interleaved. */
  readonly dataStart: number;
  /** Samples a channel. */
  readonly nFrames: number;
}

/** Chunks that may lie before the audio; a damaged file could make the search long. */
const MAX_CHUNKS = 1000;
/** More channels than that are taken for damage. */
const MAX_CHANNELS = 64;
/** Bytes of a format chunk that are looked at: those of the extensible format. */
const FORMAT_BYTES = 40;

const PCM = 1;
const FLOAT = 3;
const MS_ADPCM = 2;
const A_LAW = 6;
const MU_LAW = 7;
const IMA_ADPCM = 0x11;
const EXTENSIBLE = 0xfffe;

/**
 * Where the format and the audio of a wav file lie, checked against each other.
 *
 * @returns `layout` is null for another encoding than PCM and float (ADPCM, A-law); `format` and `data` are the chunks'
 * bytes [begin, end), headers included
 * @throws InputError with the first problem found
 */
export function wavChunks(source: ByteSource): {
  layout: WavLayout | null;
  format: [number, number];
  data: [number, number];
} {
  const where = source.name;
  const truncated = (): never => {
    throw new InputError(where, 'this wav file is truncated inside its header.');
  };
  if (source.size < 12) truncated();
  const head = new DataView(new ArrayBuffer(8));
  let format: { view: DataView; range: [number, number] } | null = null;
  let longSize: number | null = null;
  let position = 12;
  for (let i = 0; position + 8 <= source.size; i++) {
    if (i === MAX_CHUNKS)
      throw new InputError(where, `this wav file has ${MAX_CHUNKS} chunks before its audio; it is damaged.`);
    source.read(position, new Uint8Array(head.buffer));
    const name = head.getUint32(0);
    const size = head.getUint32(4, true);
    const start = position + 8;
    if (name === 0x666d7420 /* 'fmt ' */) {
      if (size < 16 || start + size > source.size) truncated();
      const bytes = new Uint8Array(FORMAT_BYTES);
      source.read(start, bytes.subarray(0, Math.min(size, FORMAT_BYTES)));
      format = { view: new DataView(bytes.buffer), range: [position, start + size + (size % 2)] };
      checkFormat(where, format.view, size);
    } else if (name === 0x64733634 /* 'ds64' of RF64, for files above 4 GiB: sizes of the file and of the audio */) {
      if (size < 16 || start + size > source.size) truncated();
      const sizes = new DataView(new ArrayBuffer(16));
      source.read(start, new Uint8Array(sizes.buffer));
      longSize = Number(sizes.getBigUint64(8, true));
    } else if (name === 0x64617461 /* 'data' */) {
      if (!format) throw new InputError(where, 'this wav file has data without a format before it.');
      const found = source.size - start;
      // 0 and the largest number are what programs write that stream into a pipe
      const isOpen = size === 0 || size >= 0xffffffff - 8;
      const declared = isOpen ? (longSize ?? 0) : size;
      if (declared > found + 1)
        throw new InputError(
          where,
          `the header declares ${declared} bytes of audio, ${found} are there; the wav file is truncated.`,
        );
      const nBytes = declared === 0 ? found : Math.min(declared, found);
      return {
        layout: layoutOf(where, format.view, start, nBytes),
        format: format.range,
        data: [position, start + nBytes],
      };
    }
    position = start + size + (size % 2); // a chunk of odd length is followed by a padding byte
  }
  throw new InputError(where, 'this wav file has no audio data; it is truncated.');
}

/** The encoding; in an extensible header it is the first two bytes of a longer name. */
const tagOf = (format: DataView): number => {
  const tag = format.getUint16(0, true);
  return tag === EXTENSIBLE ? format.getUint16(24, true) : tag;
};

function checkFormat(where: string, format: DataView, size: number): void {
  const channels = format.getUint16(2, true);
  const blockBytes = format.getUint16(12, true);
  const bits = format.getUint16(14, true);
  if (channels < 1 || channels > MAX_CHANNELS)
    throw new InputError(where, `the wav header says ${channels} channels, 1 to ${MAX_CHANNELS} were expected.`);
  if (format.getUint16(0, true) === EXTENSIBLE && size < FORMAT_BYTES)
    throw new InputError(where, `the wav header is cut: ${size} bytes of an extensible format.`);
  if ([PCM, FLOAT].includes(tagOf(format)) && blockBytes !== channels * Math.ceil(bits / 8))
    throw new InputError(
      where,
      `the wav header is inconsistent: ${channels} channels of ${bits} bits in blocks of ${blockBytes} bytes.`,
    );
  if (blockBytes === 0) throw new InputError(where, 'the wav header says blocks of 0 bytes.');
  checkCompressed(where, format, size);
}

/** What the decoder of compressed wav takes on trust, and would make gigabytes of a few bytes by. */
function checkCompressed(where: string, format: DataView, size: number): void {
  const tag = tagOf(format);
  const channels = format.getUint16(2, true);
  const blockBytes = format.getUint16(12, true);
  const samplesPerBlock = size >= 20 ? format.getUint16(18, true) : 0;
  const isConsistent =
    tag === A_LAW || tag === MU_LAW
      ? blockBytes === channels
      : tag === MS_ADPCM || tag === IMA_ADPCM
        ? size >= 20 && blockBytes >= 4 * channels && samplesPerBlock * channels <= 2 * blockBytes
        : true;
  if (!isConsistent)
    throw new InputError(
      where,
      `the wav header is inconsistent: ${channels} channels, ${samplesPerBlock} samples in blocks of ${blockBytes} bytes.`,
    );
}

function layoutOf(where: string, format: DataView, dataStart: number, nBytes: number): WavLayout | null {
  const tag = tagOf(format);
  if (tag !== PCM && tag !== FLOAT) return null;
  const nChannels = format.getUint16(2, true);
  const bits = format.getUint16(14, true);
  const sampleBytes = Math.ceil(bits / 8);
  const encoding = tag === PCM ? 'int' : 'float';
  if (!(encoding === 'int' ? [1, 2, 3, 4] : [4, 8]).includes(sampleBytes))
    throw new InputError(
      where,
      `the wav header says samples of ${bits} bits (${encoding}); 8 to 32 bits, or float of 32 or 64, are read.`,
    );
  return {
    encoding,
    sampleBytes,
    nChannels,
    sampleRate: format.getUint32(4, true),
    dataStart,
    nFrames: Math.floor(nBytes / (nChannels * sampleBytes)),
  };
}

/** Bytes read at once, about: what stays in the second-level cache beside the samples made of it. */
const PIECE_BYTES = 1 << 18;

/** Samples of a wav file, piece by piece and in any order. */
export class WavReader {
  private readonly pieceFrames: number;
  private readonly bytes: Uint8Array;
  private readonly interleaved: Float32Array;
  private readonly convert: (n: number) => void;

  constructor(
    private readonly source: ByteSource,
    readonly layout: WavLayout,
  ) {
    const block = layout.nChannels * layout.sampleBytes;
    this.pieceFrames = Math.min(layout.nFrames, Math.max(1, Math.floor(PIECE_BYTES / block)));
    this.bytes = new Uint8Array(this.pieceFrames * block);
    this.interleaved = new Float32Array(this.pieceFrames * layout.nChannels);
    this.convert = converter(layout, this.bytes, this.interleaved);
  }

  /** The channels, whole. */
  channels(): Float32Array[] {
    const { nChannels, nFrames } = this.layout;
    const channels = Array.from({ length: nChannels }, () => new Float32Array(nFrames));
    this.forPieces(0, nFrames, (first, n) => {
      const { interleaved } = this;
      this.samples(first, n);
      channels.forEach((channel, c) => {
        for (let i = c, frame = first; frame < first + n; i += nChannels) channel[frame++] = interleaved[i];
      });
    });
    return channels;
  }

  /** The mean of the channels from frame `first` on, as many as `into` takes. */
  mono(first: number, into: Float32Array): void {
    const { nChannels, sampleBytes } = this.layout;
    const whole = sampleBytes === 2 && nChannels === 2 ? new Int16Array(this.bytes.buffer) : null;
    this.forPieces(first, into.length, (begin, n) => {
      const at = begin - first;
      if (whole) {
        this.fill(begin, n);
        // The same numbers as by the way of floats, which hold 17 bits exactly.
        for (let i = 0; i < n; i++) into[at + i] = (whole[2 * i] + whole[2 * i + 1]) / 65536;
        return;
      }
      const { interleaved } = this;
      this.samples(begin, n);
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let c = 0; c < nChannels; c++) sum += interleaved[i * nChannels + c];
        into[at + i] = sum / nChannels;
      }
    });
  }

  private forPieces(first: number, nFrames: number, use: (first: number, n: number) => void): void {
    for (let done = 0; done < nFrames; done += this.pieceFrames)
      use(first + done, Math.min(this.pieceFrames, nFrames - done));
  }

  /** Bytes of n frames into `bytes`. */
  private fill(first: number, n: number): void {
    const { source, layout, bytes } = this;
    const block = layout.nChannels * layout.sampleBytes;
    const found = source.read(layout.dataStart + first * block, bytes.subarray(0, n * block));
    if (found < n * block) throw new InputError(source.name, 'the file became shorter while it was read.');
  }

  /** Samples of n frames into `interleaved`. @throws InputError for one that is not finite */
  private samples(first: number, n: number): void {
    const { layout, interleaved } = this;
    this.fill(first, n);
    this.convert(n * layout.nChannels);
    if (layout.encoding === 'int') return;
    for (let i = 0; i < n * layout.nChannels; i++) {
      if (Number.isFinite(interleaved[i])) continue;
      throw notFinite(this.source.name, first + Math.floor(i / layout.nChannels), layout.sampleRate, interleaved[i]);
    }
  }
}

/** What is said of NaN and infinities. */
export function notFinite(where: string, frame: number, sampleRate: number, value: number): InputError {
  const seconds = (frame / (sampleRate || 1)).toFixed(3);
  return new InputError(
    where,
    `sample ${frame} (${seconds} s) is ${value}; the file is damaged, write it again from its source.`,
  );
}

/** The function that makes the first n numbers of `out` from the first n samples in `bytes`. */
function converter(layout: WavLayout, bytes: Uint8Array, out: Float32Array): (n: number) => void {
  const { buffer } = bytes;
  switch (layout.sampleBytes) {
    case 1:
      return (n) => {
        for (let i = 0; i < n; i++) out[i] = (bytes[i] - 128) / 128; // of all sizes, only this one is unsigned
      };
    case 2: {
      const whole = new Int16Array(buffer);
      return (n) => {
        for (let i = 0; i < n; i++) out[i] = whole[i] / 32768;
      };
    }
    case 3:
      return (n) => {
        for (let i = 0, at = 0; i < n; i++, at += 3)
          out[i] = ((bytes[at] << 8) | (bytes[at + 1] << 16) | (bytes[at + 2] << 24)) / 2 ** 31;
      };
    case 4: {
      if (layout.encoding === 'float') return (n) => out.set(new Float32Array(buffer, 0, n));
      const whole = new Int32Array(buffer);
      return (n) => {
        for (let i = 0; i < n; i++) out[i] = whole[i] / 2 ** 31;
      };
    }
    default:
      return (n) => out.set(new Float64Array(buffer, 0, n));
  }
}
