/** The mel spectrogram of many minutes at 16 kHz. */
import { join } from 'node:path';
import { type MelSpectrogram, melSpectrogram } from 'keymyna/mel';
import { readNpy, writeNpy } from 'keymyna/store';
import { chords } from './audioInputs.js';
import { type Setting, timed } from './measure.js';

export function writeInputs(folder: string, { seconds }: Setting): void {
  const samples = chords(seconds, 16000, 'mel');
  writeNpy(join(folder, 'samples.npy'), { shape: [samples.length], data: samples });
}

export async function measure(folder: string, { repeats }: Setting): Promise<{ ms: number[]; check: number[] }> {
  const samples = readNpy(join(folder, 'samples.npy')).data as Float32Array;
  let mel: MelSpectrogram | undefined;
  const ms = await timed(() => (mel = melSpectrogram(samples)), { warmUp: 1, repeats });
  const { nMels, nFrames, data } = mel!;
  const bandSums = Array.from({ length: nMels }, (_, m) => {
    return Math.log(data.subarray(m * nFrames, (m + 1) * nFrames).reduce((sum, x) => sum + x, 0));
  });
  return { ms, check: [nMels, nFrames, ...bandSums] };
}
