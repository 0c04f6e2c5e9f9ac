/** Audio that benchmarks make for themselves: chords under noise, the same bytes on every machine. */
import { createRng } from 'keymyna/tensor';

/** Seconds after which the piece repeats. */
const LOOP_SECONDS = 20;

/** One channel of chords that change every two seconds, under noise; within -1..1. */
export function chords(seconds: number, sampleRate: number, seed: string): Float32Array {
  const rng = createRng(seed);
  const loop = new Float32Array(LOOP_SECONDS * sampleRate);
  let tones: number[] = [];
  for (let i = 0; i < loop.length; i++) {
    if (i % (2 * sampleRate) === 0) tones = Array.from({ length: 4 }, () => 110 * 2 ** (rng.int(37) / 12));
    let sum = 0.05 * (2 * rng.uniform() - 1);
    for (const hz of tones) sum += 0.2 * Math.sin((2 * Math.PI * hz * i) / sampleRate);
    loop[i] = sum;
  }
  const samples = new Float32Array(Math.round(seconds * sampleRate));
  for (let at = 0; at < samples.length; at += loop.length) {
    samples.set(loop.subarray(0, Math.min(loop.length, samples.length - at)), at);
  }
  return samples;
}

/** A 16-bit wav file of two channels. */
export function stereoWav(left: Float32Array, right: Float32Array, sampleRate: number): Uint8Array {
  const header = Buffer.alloc(44);
  const dataBytes = 4 * left.length;
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + dataBytes, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(2, 22); // channels
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(4 * sampleRate, 28); // bytes a second
  header.writeUInt16LE(4, 32); // bytes of both channels' sample
  header.writeUInt16LE(16, 34); // bits
  header.write('data', 36);
  header.writeUInt32LE(dataBytes, 40);
  const samples = new Int16Array(2 * left.length);
  for (let i = 0; i < left.length; i++) {
    samples[2 * i] = Math.round(32767 * left[i]);
    samples[2 * i + 1] = Math.round(32767 * right[i]);
  }
  return Buffer.concat([header, new Uint8Array(samples.buffer)]);
}
