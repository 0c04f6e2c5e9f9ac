/**
 * Round trips through lossy codecs, aligned with the original.
 *
 * MP3: encoder wasm-media-encoders 0.7.0 of 2024 (MIT; LAME 3.100 inside, LGPL, itself finished since 2017), 2.9 MB
 * installed, of which 0.8 MB are loaded; WebAssembly inside the module, types, one small dependency, no install script;
 * 0.15 to 0.2 s for 30 s there and back (decoder: mpg123 of `audio-decode`). Seen beside it: @breezystack/lamejs 1.2.7
 * (LGPL; LAME translated to JavaScript by hand), @mediabunny/mp3-encoder 1.61.0 (MPL-2.0; only as a part of mediabunny).
 *
 * Opus: @evan/opus 1.0.3 (MIT; libopus inside, BSD), 3.6 MB installed, of which its WebAssembly (0.4 MB) is used and not
 * its native builds, so that the bits do not depend on the platform; no dependencies, no install script, types for its
 * main entry only (hence the interfaces below), no release lately. 0.2 s (64 kbit/s) to 0.45 s (12 kbit/s) for 30 s. Seen
 * beside it: opusscript 0.1.1 (MIT; the same sound, but it writes beside the memory that it allocates), libopus-wasm
 * 0.4.0 (MIT; needs Node 22).
 */
import { createRequire } from 'node:module';
import { decodeAudio, SAMPLE_RATE } from '../decode.js';

/** Samples by which MP3 is late: 576 of LAME and 529 of any decoder. */
const MP3_DELAY = 1105;
/** Samples by which Opus is late: 6.5 ms. */
const OPUS_DELAY = 104;
/** Samples of an Opus packet: 20 ms. */
const OPUS_FRAME = 320;
const OPUS_SET_BITRATE = 4002; // opus_defines.h

// Both packages are loaded when they are needed: most programs that read audio never encode any.
const require = createRequire(import.meta.url);

interface Mp3Encoder {
  configure(options: { channels: 1; sampleRate: number; outputSampleRate: number; bitrate: number }): void;
  /** The bytes lie in the encoder's memory until the next call. */
  encode(channels: readonly Float32Array[]): Uint8Array;
  finalize(): Uint8Array;
}
interface Mp3Module {
  createMp3Encoder(): Promise<Mp3Encoder>;
}
let mp3Encoder: Promise<Mp3Encoder> | undefined;

interface OpusCoder {
  ctl(command: number, value: number): number;
  drop(): void;
}
interface OpusModule {
  readonly Encoder: new (options: { channels: 1; sample_rate: number; application: 'audio' }) => OpusCoder & {
    encode(pcm: Int16Array): Uint8Array;
  };
  readonly Decoder: new (options: { channels: 1; sample_rate: number }) => OpusCoder & {
    decode(packet: Uint8Array): Uint8Array;
  };
}
let opusModule: OpusModule | undefined;

/** What a codec is given: `samples` followed by silence, at most 1 in size. `gain` undoes the scaling. */
function codecInput(samples: Float32Array, length: number): { input: Float32Array; gain: number } {
  let gain = 1;
  for (const sample of samples) gain = Math.max(gain, Math.abs(sample));
  const input = new Float32Array(length);
  for (let i = 0; i < samples.length; i++) input[i] = samples[i] / gain;
  return { input, gain };
}

/** @param input at most 1 in size */
async function mp3File(input: Float32Array, kbps: number): Promise<Uint8Array> {
  mp3Encoder ??= (require('wasm-media-encoders') as Mp3Module).createMp3Encoder();
  const encoder = await mp3Encoder;
  encoder.configure({ channels: 1, sampleRate: SAMPLE_RATE, outputSampleRate: SAMPLE_RATE, bitrate: kbps });
  return Buffer.concat([Uint8Array.from(encoder.encode([input])), Uint8Array.from(encoder.finalize())]);
}

/**
 * A mono MP3 file at 16 kHz, for players. Samples beyond -1..1 are scaled down together, so that nothing clips.
 * @param samples finite, 16 kHz
 * @param kbps as of `mp3RoundTrip`
 */
export function encodeMp3(samples: Float32Array, kbps: number): Promise<Uint8Array> {
  return mp3File(codecInput(samples, samples.length).input, kbps);
}

/**
 * Mono MP3 at 16 kHz (MPEG-2 layer III, constant bit rate) and back.
 * @param kbps a bit rate of MPEG-2: 8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 128, 160
 */
export async function mp3RoundTrip(samples: Float32Array, kbps: number): Promise<Float32Array> {
  const { input, gain } = codecInput(samples, samples.length + MP3_DELAY);
  const file = await mp3File(input, kbps);
  const [decoded] = (await decodeAudio(file)).channels;
  return Float32Array.from(samples, (_, i) => gain * (decoded[i + MP3_DELAY] ?? 0));
}

/**
 * Mono Opus at 16 kHz (wideband, 20 ms packets, variable bit rate) and back.
 * @param kbps 6 to 128, on average
 */
export function opusRoundTrip(samples: Float32Array, kbps: number): Float32Array {
  opusModule ??= require('@evan/opus/wasm/index.js') as OpusModule;
  const nFrames = Math.ceil((samples.length + OPUS_DELAY) / OPUS_FRAME);
  const { input, gain } = codecInput(samples, nFrames * OPUS_FRAME);
  const encoder = new opusModule.Encoder({ channels: 1, sample_rate: SAMPLE_RATE, application: 'audio' });
  const decoder = new opusModule.Decoder({ channels: 1, sample_rate: SAMPLE_RATE });
  try {
    encoder.ctl(OPUS_SET_BITRATE, Math.round(kbps * 1000));
    const pcm = new Int16Array(OPUS_FRAME);
    const out = new Float32Array(samples.length);
    for (let at = 0; at < input.length; at += OPUS_FRAME) {
      for (let k = 0; k < OPUS_FRAME; k++)
        pcm[k] = Math.max(-32768, Math.min(32767, Math.round(32768 * input[at + k])));
      const bytes = decoder.decode(encoder.encode(pcm));
      const decoded = new Int16Array(bytes.buffer, bytes.byteOffset, OPUS_FRAME);
      for (let k = 0; k < OPUS_FRAME; k++) {
        const i = at + k - OPUS_DELAY;
        if (i >= 0 && i < out.length) out[i] = (gain * decoded[k]) / 32768;
      }
    }
    return out;
  } finally {
    encoder.drop();
    decoder.drop();
  }
}
