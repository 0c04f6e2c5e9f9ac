/** From a stereo wav file at 44.1 kHz to its embedding table: decode, mono, 16 kHz, mel, clips, encoder. */
import { join } from 'node:path';
import { loadAudio } from 'keymyna/audio';
import { type EmbeddingTable, embedTracks } from 'keymyna/embeddings';
import { Encoder, encoderConfig, loadCheckpoint, saveCheckpoint } from 'keymyna/encoder';
import { melSpectrogram } from 'keymyna/mel';
import { writeFileAtomic } from 'keymyna/store';
import { createRng, initBackend } from 'keymyna/tensor';
import { chords, stereoWav } from './audioInputs.js';
import { type Answer, compareChecks, type Comparison, type Setting, timed } from './measure.js';

const FILE_RATE = 44100; // Hz

export async function writeInputs(folder: string, { seconds, width, depth }: Setting): Promise<void> {
  await initBackend();
  const [left, right] = ['left', 'right'].map((side) => chords(seconds, FILE_RATE, side));
  writeFileAtomic(join(folder, 'audio.wav'), stereoWav(left, right, FILE_RATE));
  const size = { width, depth, numHeads: width / 64, headDim: 64, mlpDim: 4 * width };
  const encoder = Encoder.init(encoderConfig('vertical', 'S', size), createRng('encoder'));
  saveCheckpoint(join(folder, 'weights.safetensors'), encoder);
}

export async function measure(folder: string, { repeats }: Setting): Promise<{ ms: number[]; check: number[] }> {
  await initBackend();
  const { encoder } = loadCheckpoint(join(folder, 'weights.safetensors'));
  let table: EmbeddingTable | undefined;
  const embedFile = async (): Promise<void> => {
    const mel = melSpectrogram(await loadAudio(join(folder, 'audio.wav')));
    table = await embedTracks(encoder, [{ id: 'audio.wav', mel }]);
  };
  const ms = await timed(embedFile, { warmUp: 1, repeats });
  const { embeddings, nClips, width } = table!;
  const [first, last] = [embeddings.slice(0, 16), embeddings.slice(-16)];
  const meanSize = embeddings.reduce((sum, x) => sum + Math.abs(x), 0) / embeddings.length;
  return { ms, check: [nClips, width, meanSize, ...first, ...last] };
}

export function compare(ours: Answer, peer: Answer): Comparison {
  return compareChecks(ours, peer, 5e-3); // resampled in float64 here, in float32 there
}
