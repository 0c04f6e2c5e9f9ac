/** Encoded audio for the tests, seconds long: mp3 and Vorbis by LAME and libvorbis, flac and Ogg Opus by their formats. */
import { createRequire } from 'node:module';
import { createRng } from '../../lib/src/tensor/index.js';

const require = createRequire(import.meta.url);

interface MediaEncoder {
  configure(options: Record<string, number>): void;
  encode(channels: readonly Float32Array[]): Uint8Array;
  finalize(): Uint8Array;
}
interface MediaModule {
  createMp3Encoder(): Promise<MediaEncoder>;
  createOggEncoder(): Promise<MediaEncoder>;
}

/** A rising tone in noise, another on each channel: no two pieces of it are alike. */
export function sweep(seconds: number, sampleRate: number, channels: number): Float32Array[] {
  return Array.from({ length: channels }, (_, c) => {
    const rng = createRng(c);
    return Float32Array.from({ length: Math.round(seconds * sampleRate) }, (__, i) => {
      const t = i / sampleRate;
      return 0.4 * Math.sin(2 * Math.PI * (200 + 150 * c + 300 * t) * t) + 0.2 * (rng.uniform() - 0.5);
    });
  });
}

/** @param options of the encoder: `bitrate` in kbit/s (mp3), `vbrQuality` */
async function media(
  sort: 'Mp3' | 'Ogg',
  channels: Float32Array[],
  sampleRate: number,
  options: Record<string, number>,
): Promise<Uint8Array> {
  const encoder = await (require('wasm-media-encoders') as MediaModule)[`create${sort}Encoder`]();
  encoder.configure({ channels: channels.length, sampleRate, ...options });
  const parts: Uint8Array[] = [];
  for (let at = 0; at < channels[0].length; at += 65536)
    parts.push(Uint8Array.from(encoder.encode(channels.map((channel) => channel.subarray(at, at + 65536)))));
  return new Uint8Array(Buffer.concat([...parts, Uint8Array.from(encoder.finalize())]));
}

export const mp3File = (channels: Float32Array[], sampleRate: number, bitrate = 320): Promise<Uint8Array> =>
  media('Mp3', channels, sampleRate, { bitrate });

export const oggFile = (channels: Float32Array[], sampleRate: number): Promise<Uint8Array> =>
  media('Ogg', channels, sampleRate, { vbrQuality: 8 });

/** Check sums of `width` bits, most significant bit first, start 0. */
function checkSum(bytes: ArrayLike<number>, width: 8 | 16 | 32, polynomial: number): number {
  let sum = 0;
  const top = 2 ** (width - 1);
  for (let i = 0; i < bytes.length; i++) {
    sum = (sum ^ (bytes[i] << (width - 8))) >>> 0;
    for (let bit = 0; bit < 8; bit++) sum = ((sum & top ? (sum << 1) ^ polynomial : sum << 1) >>> 0) % 2 ** width;
  }
  return sum;
}

/** Flac of 48 kHz and 16 bits without compression: every subframe is verbatim (RFC 9639). */
export function flacFile(channels: Float32Array[], blockSize = 4096): Uint8Array {
  const sampleRate = 48000;
  const nFrames = channels[0].length;
  const info = Buffer.alloc(42);
  info.write('fLaC');
  info.set([0x80, 0, 0, 34], 4); // the last block of metadata, STREAMINFO
  info.writeUInt16BE(blockSize, 8);
  info.writeUInt16BE(blockSize, 10);
  const bits = (BigInt(sampleRate) << 44n) | (BigInt(channels.length - 1) << 41n) | (15n << 36n) | BigInt(nFrames);
  info.writeBigUInt64BE(bits, 18);
  const parts = [info];
  for (let at = 0, frame = 0; at < nFrames; at += blockSize, frame++) {
    const n = Math.min(blockSize, nFrames - at);
    const number = frame < 128 ? [frame] : [0xc0 | (frame >> 6), 0x80 | (frame & 63)];
    const head = [0xff, 0xf8, 0x7a, ((channels.length - 1) << 4) | 0x08, ...number, (n - 1) >> 8, (n - 1) & 255];
    const body = Buffer.alloc(channels.length * (1 + 2 * n));
    channels.forEach((channel, c) => {
      const start = c * (1 + 2 * n);
      body[start] = 0x02;
      for (let i = 0; i < n; i++) body.writeInt16BE(Math.round(32767 * channel[at + i]), start + 1 + 2 * i);
    });
    const whole = Buffer.concat([Buffer.from([...head, checkSum(head, 8, 0x07)]), body]);
    const sum = checkSum(whole, 16, 0x8005);
    parts.push(whole, Buffer.from([sum >> 8, sum & 255]));
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** A page of Ogg (RFC 3533). */
function oggPage(packets: readonly Uint8Array[], sequence: number, granule: number, flags: number): Buffer {
  const lacing = packets.flatMap(({ length }) => [
    ...new Array<number>(Math.floor(length / 255)).fill(255),
    length % 255,
  ]);
  const head = Buffer.alloc(27 + lacing.length);
  head.write('OggS');
  head[5] = flags;
  head.writeBigInt64LE(BigInt(granule), 6);
  head.writeUInt32LE(7, 14);
  head.writeUInt32LE(sequence, 18);
  head[26] = lacing.length;
  head.set(lacing, 27);
  const page = Buffer.concat([head, ...packets]);
  page.writeUInt32LE(checkSum(page, 32, 0x04c11db7), 22);
  return page;
}

interface OpusEncoder {
  ctl(command: number, value: number): number;
  encode(pcm: Int16Array): Uint8Array;
  drop(): void;
}

/** Ogg Opus, mono, 48 kHz, 128 kbit/s (RFC 7845). */
export function opusFile(samples: Float32Array): Uint8Array {
  const { Encoder } = require('@evan/opus/wasm/index.js') as { Encoder: new (options: object) => OpusEncoder };
  const encoder = new Encoder({ channels: 1, sample_rate: 48000, application: 'audio' });
  encoder.ctl(4002, 128_000);
  const head = Buffer.from('OpusHead\x01\x01\x38\x01....\0\0\0', 'latin1'); // 1 channel, 312 samples to skip
  head.writeUInt32LE(48000, 12);
  const tags = Buffer.from('OpusTags\0\0\0\0\0\0\0\0', 'latin1');
  const pages = [oggPage([head], 0, 0, 2), oggPage([tags], 1, 0, 0)];
  let packets: Uint8Array[] = [];
  for (let at = 0; at + 960 <= samples.length; at += 960) {
    const pcm = Int16Array.from(samples.subarray(at, at + 960), (sample) => Math.round(32767 * sample));
    packets.push(Uint8Array.from(encoder.encode(pcm)));
    const isLast = at + 1920 > samples.length;
    if (packets.length < 25 && !isLast) continue;
    pages.push(oggPage(packets, pages.length, at + 960, isLast ? 4 : 0));
    packets = [];
  }
  encoder.drop();
  return new Uint8Array(Buffer.concat(pages));
}
