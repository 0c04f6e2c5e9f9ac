/** `keymyna mel` and `keymyna embed`: from audio files to spectrograms and embedding tables. */
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { loadAudio } from '../audio/index.js';
import { type ManifestOptions, readFolder, readManifest, trackAudio, type Track } from '../corpus/index.js';
import { embedLayers, embedLayersInThreads, saveEmbeddingTable } from '../embeddings/index.js';
import { loadCheckpoint } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { melSpectrogram, type MelSpectrogram, type MelTrack } from '../mel/index.js';
import { writeNpy } from '../store/index.js';
import { initBackend } from '../tensor/index.js';
import { oneOf, ProgressBars, stopSignal, wholeNumber } from './program.js';

interface MelOptions {
  readonly out: string;
  readonly scale: 'power' | 'log1p';
}

interface EmbedOptions {
  readonly weights: string;
  readonly out: string;
  readonly clipFrames?: number;
  readonly clipHop?: number;
  readonly numHeads?: number;
  readonly patches?: 'vertical' | 'square' | 'hybrid';
  readonly layer?: number;
  readonly allowLeakage?: boolean;
}

export function registerAudioCommands(program: Command): void {
  program
    .command('mel')
    .description('mel spectrogram of an audio file, float32 [128, nFrames], as npy')
    .argument('<audio>', 'wav, flac, mp3 or ogg file')
    .requiredOption('--out <npy>', 'file to write')
    .option('--scale <scale>', 'power (the reference) or log1p', oneOf('--scale', ['power', 'log1p']), 'power')
    .action(async (audio: string, { out, scale }: MelOptions) => {
      const { nMels, nFrames, data } = melOf(audio, await loadAudio(audio), scale);
      writeNpy(out, { shape: [nMels, nFrames], data });
      console.log(`${out}: ${nMels} mel bands x ${nFrames} frames`);
    });

  program
    .command('embed')
    .description('embedding table of a file, a folder or a manifest, as safetensors')
    .argument('<audio>', 'audio file, folder of audio files, or manifest CSV (path,key,split,artist,start,duration)')
    .requiredOption(
      '--weights <file>',
      'checkpoint of an encoder: safetensors, its index of shards or their folder, or .pth',
    )
    .requiredOption('--out <safetensors>', 'file to write: embeddings [nClips, width], track_of [nClips]')
    .option('--clip-frames <n>', 'frames of a clip (default: the checkpoint’s)', wholeNumber('--clip-frames', 1))
    .option('--clip-hop <n>', 'frames between clips (default: contiguous)', wholeNumber('--clip-hop', 1))
    .option('--num-heads <n>', 'attention heads, where the checkpoint does not say', wholeNumber('--num-heads', 1))
    .option(
      '--patches <variant>',
      'where the checkpoint does not say',
      oneOf('--patches', ['vertical', 'square', 'hybrid']),
    )
    .option('--layer <n>', 'mean over tokens after that many blocks (default: the output)', wholeNumber('--layer', 0))
    .option('--allow-leakage', 'take a manifest whose splits share artists or recordings')
    .action(async (audio: string, options: EmbedOptions) => {
      const signal = stopSignal();
      const bars = new ProgressBars();
      await initBackend();
      const { weights, numHeads, clipFrames, patches, clipHop, layer = 'output', allowLeakage } = options;
      const overrides = {
        ...(numHeads !== undefined && { numHeads }),
        ...(clipFrames !== undefined && { clipFrames }),
        ...(patches !== undefined && { patches }),
      };
      // Before any audio is read: a checkpoint that does not fit is known at once.
      const { encoder } = loadCheckpoint(weights, overrides);
      try {
        const { tracks, failures } = await melTracks(audio, bars, signal, { allowLeakage });
        const onProgress = bars.of('embed');
        const common = { clipHop, onProgress, signal };
        const threads = Math.min(availableParallelism(), tracks.length);
        const tables =
          threads === 1
            ? await embedLayers(encoder, tracks, [layer], common)
            : await embedLayersInThreads(weights, tracks, [layer], { ...common, threads, overrides });
        const table = tables.get(layer)!;
        saveEmbeddingTable(options.out, table);
        bars.stop();
        console.log(`${options.out}: ${table.nClips} clips of ${tracks.length} tracks, width ${table.width}`);
        if (failures > 0) process.exitCode = 1;
      } finally {
        encoder.dispose();
        bars.stop();
      }
    });
}

/** The tracks that a path stands for: one file, a folder, or a manifest. */
export async function tracksOf(path: string, options: ManifestOptions = {}): Promise<readonly Track[]> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new InputError(path, 'there is no such file or folder');
  if (stat.isDirectory()) {
    const corpus = await readFolder(path);
    for (const { path: file, reason } of corpus.skipped) console.error(`left out: ${file}: ${reason}`);
    return corpus.tracks;
  }
  if (path.toLowerCase().endsWith('.csv')) return (await readManifest(path, options)).tracks;
  const source = { kind: 'file', path } as const;
  return [{ id: path, keyId: null, split: null, group: path, durationSeconds: 0, labels: {}, source }];
}

/** A mel spectrogram; samples that give none are reported under the name of their file or track. */
function melOf(name: string, samples: Float32Array, scale: 'power' | 'log1p' = 'power'): MelSpectrogram {
  try {
    return melSpectrogram(samples, { scale });
  } catch (error) {
    throw error instanceof InputError ? new InputError(name, error.problem, { cause: error }) : error;
  }
}

/** Decodes and analyses; a file that cannot be read is reported and does not stop the rest. */
export async function melTracks(
  path: string,
  bars: ProgressBars,
  signal: AbortSignal,
  options: ManifestOptions = {},
): Promise<{ tracks: MelTrack[]; failures: number }> {
  const all = await tracksOf(path, options);
  const progress = bars.of('mel');
  const tracks: MelTrack[] = [];
  let failures = 0;
  for (const [done, track] of all.entries()) {
    signal.throwIfAborted();
    try {
      tracks.push({ id: track.id, mel: melOf(track.id, await trackAudio(track)) });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (all.length === 1) throw error;
      console.error(`left out: ${error.message}`);
      failures++;
    }
    progress(done + 1, all.length);
  }
  if (tracks.length === 0) throw new InputError(path, 'none of its audio files can be read');
  return { tracks, failures };
}
