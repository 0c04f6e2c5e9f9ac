/** `keymyna mel` and `keymyna embed`: from audio files to spectrograms and embedding tables. */
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { loadAudio } from '../audio/index.js';
import { type ManifestOptions, readFolder, readManifest, trackAudioStream, type Track } from '../corpus/index.js';
import { embedCorpus } from '../embeddings/index.js';
import { loadCheckpoint } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { melSpectrogram, type MelSpectrogram, streamMel } from '../mel/index.js';
import { writeNpy } from '../store/index.js';
import { initBackend } from '../tensor/index.js';
import {
  type CheckpointOptions,
  oneOf,
  ProgressBars,
  stopSignal,
  wholeNumber,
  withCheckpointOptions,
} from './program.js';

interface MelOptions {
  readonly out: string;
  readonly scale: 'power' | 'log1p';
}

interface EmbedOptions extends CheckpointOptions {
  readonly weights: string;
  readonly out: string;
  readonly clipFrames?: number;
  readonly clipHop?: number;
  readonly layer?: number;
  readonly allowLeakage?: boolean;
  readonly threads: number;
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

  withCheckpointOptions(program.command('embed'))
    .description('embedding table of a file, a folder or a manifest, as safetensors')
    .argument('<audio>', 'audio file, folder of audio files, or manifest CSV (path,key,split,artist,start,duration)')
    .requiredOption(
      '--weights <file>',
      'checkpoint of an encoder: safetensors, its index of shards or their folder, or .pth',
    )
    .requiredOption('--out <safetensors>', 'file to write: embeddings [nClips, width], track_of [nClips]')
    .option('--clip-frames <n>', 'frames of a clip (default: the checkpoint’s)', wholeNumber('--clip-frames', 1))
    .option('--clip-hop <n>', 'frames between clips (default: contiguous)', wholeNumber('--clip-hop', 1))
    .option('--layer <n>', 'mean over tokens after that many blocks (default: the output)', wholeNumber('--layer', 0))
    .option('--allow-leakage', 'take a manifest whose splits share artists or recordings')
    .option('--threads <n>', 'files at once', wholeNumber('--threads', 1), availableParallelism())
    .action(async (audio: string, { weights, out, layer, allowLeakage, ...options }: EmbedOptions) => {
      const signal = stopSignal();
      const bars = new ProgressBars();
      await initBackend();
      const { numHeads, clipFrames, patches, clipHop, threads } = options;
      const overrides = {
        ...(numHeads !== undefined && { numHeads }),
        ...(clipFrames !== undefined && { clipFrames }),
        ...(patches !== undefined && { patches }),
      };
      // Before any audio is read: a checkpoint that does not fit is known at once.
      loadCheckpoint(weights, overrides).encoder.dispose();
      try {
        const { tracks, nSkipped } = await tracksOf(audio, { quick: true, allowLeakage, signal });
        const result = await embedCorpus(weights, tracks, out, {
          ...(layer !== undefined && { layer }),
          clipHop,
          overrides,
          threads,
          signal,
          onProgress: bars.of('embed'),
          onLeftOut: ({ id, problem }) => tracks.length > 1 && console.error(`left out: ${id}: ${problem}`),
        });
        bars.stop();
        console.log(`${out}: ${result.nClips} clips of ${result.nTracks} tracks, width ${result.width}`);
        if (result.leftOut.length + nSkipped > 0) process.exitCode = 1;
      } finally {
        bars.stop();
      }
    });
}

/** The tracks that a path stands for, one file, a folder, or a manifest; files that are skipped are named. */
export async function tracksOf(
  path: string,
  options: ManifestOptions = {},
): Promise<{ tracks: readonly Track[]; nSkipped: number }> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new InputError(path, 'there is no such file or folder');
  if (stat.isDirectory()) {
    const { tracks, skipped } = await readFolder(path, options);
    for (const { path: file, reason } of skipped) console.error(`left out: ${file}: ${reason}`);
    return { tracks, nSkipped: skipped.length };
  }
  if (path.toLowerCase().endsWith('.csv')) return { tracks: (await readManifest(path, options)).tracks, nSkipped: 0 };
  const source = { kind: 'file', path } as const;
  const track = { id: path, keyId: null, split: null, group: path, durationSeconds: 0, labels: {}, source };
  return { tracks: [track], nSkipped: 0 };
}

/** A mel spectrogram; samples that give none are reported under the name of their file. */
function melOf(name: string, samples: Float32Array, scale: 'power' | 'log1p'): MelSpectrogram {
  try {
    return melSpectrogram(samples, { scale });
  } catch (error) {
    throw error instanceof InputError ? new InputError(name, error.problem, { cause: error }) : error;
  }
}

/** Decodes and analyses every track and keeps nothing; what cannot be read is named and does not stop the rest. */
export async function readAllTracks(
  tracks: readonly Track[],
  bars: ProgressBars,
  signal: AbortSignal,
): Promise<{ failures: number }> {
  const progress = bars.of('read');
  let failures = 0;
  for (const [done, track] of tracks.entries()) {
    signal.throwIfAborted();
    try {
      const pieces = streamMel(trackAudioStream(track, { signal }));
      while (!(await pieces.next()).done) signal.throwIfAborted();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (tracks.length === 1) throw error;
      console.error(`left out: ${track.id}: ${error.message}`);
      failures++;
    }
    progress(done + 1, tracks.length);
  }
  return { failures };
}
