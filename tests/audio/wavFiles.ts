/** Wav files for the tests, written from the format's description. */
export interface WavOptions {
  readonly channels?: number;
  readonly sampleRate?: number;
  /** 1 = whole numbers, 3 = float */
  readonly format?: 1 | 3;
  readonly bits?: 8 | 16 | 24 | 32;
}

/** Interleaves nothing: every channel c gets `sampleAt(i, c)`. */
export function wavFile(
  nSamples: number,
  sampleAt: (i: number, c: number) => number,
  options: WavOptions = {},
): Uint8Array {
  const { channels = 1, sampleRate = 16000, format = 1, bits = 16 } = options;
  const block = (channels * bits) / 8;
  const bytes = new Uint8Array(44 + nSamples * block);
  const view = new DataView(bytes.buffer);
  const ascii = (at: number, text: string): void => bytes.set(new TextEncoder().encode(text), at);
  ascii(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  ascii(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, format, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * block, true);
  view.setUint16(32, block, true);
  view.setUint16(34, bits, true);
  ascii(36, 'data');
  view.setUint32(40, nSamples * block, true);
  for (let i = 0; i < nSamples; i++) {
    for (let c = 0; c < channels; c++) {
      const at = 44 + i * block + (c * bits) / 8;
      const value = sampleAt(i, c);
      if (format === 3) view.setFloat32(at, value, true);
      else if (bits === 8) view.setUint8(at, Math.round(value * 127) + 128);
      else if (bits === 16) view.setInt16(at, Math.round(value * 32767), true);
      else if (bits === 32) view.setInt32(at, Math.round(value * 2147483647), true);
      else {
        const whole = Math.round(value * 8388607);
        view.setUint16(at, whole & 0xffff, true);
        view.setInt8(at + 2, whole >> 16);
      }
    }
  }
  return bytes;
}
