import { InputError } from '../errors.js';

/**
 * A mono 16-bit wav file, for players. Samples beyond -1..1 are clipped.
 * @param sampleRate Hz, a whole number
 * @throws InputError for a sample that is no number
 */
export function encodeWav(samples: Float32Array, sampleRate: number): Uint8Array {
  if (!Number.isInteger(sampleRate) || sampleRate < 1)
    throw new InputError('encodeWav', `the sample rate is ${sampleRate} Hz, a whole number was expected.`);
  const dataBytes = samples.length * 2;
  const bytes = new Uint8Array(44 + dataBytes);
  const view = new DataView(bytes.buffer);
  const ascii = (offset: number, name: string): void => bytes.set(new TextEncoder().encode(name), offset);
  ascii(0, 'RIFF');
  view.setUint32(4, 36 + dataBytes, true);
  ascii(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * 2, true);
  view.setUint16(32, 2, true); // bytes a block
  view.setUint16(34, 16, true); // bits
  ascii(36, 'data');
  view.setUint32(40, dataBytes, true);
  for (let i = 0; i < samples.length; i++) {
    if (Number.isNaN(samples[i])) throw new InputError('encodeWav', `sample ${i} is NaN.`);
    view.setInt16(44 + 2 * i, Math.round(Math.max(-1, Math.min(1, samples[i])) * 32767), true);
  }
  return bytes;
}
