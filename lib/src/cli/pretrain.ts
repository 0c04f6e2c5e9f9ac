/** `keymyna pretrain`: masked contrastive pretraining on the embedded corpus or on a user's audio. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { ENCODER_SIZES, encoderConfig } from '../encoder/index.js';
import { InputError } from '../errors.js';
import {
  melBytes,
  PRETRAIN_DEFAULTS,
  pretrain,
  pretrainConfig,
  type PretrainConfig,
  type ShardedTracks,
  shardTracks,
} from '../pretrain/index.js';
import { formatBytes, readJson } from '../store/index.js';
import { initBackend } from '../tensor/index.js';
import { tracksOf } from './audio.js';
import { afterRun, cacheOf, sizeOption } from './cache.js';
import { oneOf, ProgressBars, stopSignal, wholeNumber } from './program.js';

interface PretrainCommandOptions {
  readonly out: string;
  readonly patches: 'vertical' | 'square' | 'hybrid';
  readonly size: keyof typeof ENCODER_SIZES;
  readonly steps: number;
  readonly batch: number;
  readonly seed: number;
  readonly config?: string;
  readonly threads: number;
  readonly cache?: string;
  readonly cacheLimit?: number;
}

export function registerPretrain(program: Command): void {
  const sizes = Object.keys(ENCODER_SIZES) as (keyof typeof ENCODER_SIZES)[];
  program
    .command('pretrain')
    .description('pretrain an encoder on audio; stopped or killed, the same command goes on where it was')
    .argument('<audio>', 'folder of audio files, or manifest CSV')
    .requiredOption('--out <dir>', 'folder of the run: encoder.safetensors, checkpoint.safetensors, log.jsonl')
    .option(
      '--patches <variant>',
      'vertical, square or hybrid',
      oneOf('--patches', ['vertical', 'square', 'hybrid']),
      'vertical',
    )
    .option('--size <size>', `one of ${sizes.join(', ')}`, oneOf('--size', sizes), 'small')
    .option('--steps <n>', 'optimizer steps', wholeNumber('--steps', 1), 300)
    .option('--batch <pairs>', 'pairs of views per step', wholeNumber('--batch', 2), PRETRAIN_DEFAULTS.batchPairs)
    .option('--seed <n>', 'seed', wholeNumber('--seed', 0), PRETRAIN_DEFAULTS.seed)
    .option('--config <json>', 'file with further fields of the pretraining configuration')
    .option('--threads <n>', 'files that are analysed at once', wholeNumber('--threads', 1), availableParallelism())
    .option(
      '--cache <dir>',
      'where mel spectrograms are kept, 16 KB a second of audio (default: KEYMYNA_CACHE, else ~/.cache/keymyna)',
    )
    .option(
      '--cache-limit <size>',
      'size that the cache is cut to afterwards, such as 50GB; what this run used stays (default: KEYMYNA_CACHE_LIMIT)',
      sizeOption('--cache-limit'),
    )
    .action(async (audio: string, options: PretrainCommandOptions) => {
      const signal = stopSignal();
      const bars = new ProgressBars();
      const config = pretrainConfig({
        ...(options.config === undefined ? {} : furtherFields(options.config)),
        encoder: encoderConfig(options.patches, options.size),
        steps: options.steps,
        batchPairs: options.batch,
        seed: options.seed,
      });
      try {
        await initBackend();
        const { tracks, shards } = await melsOf(audio, options, bars, signal);
        const progress = bars.of('pretrain');
        const result = await pretrain(config, tracks, {
          dir: options.out,
          clock: () => performance.now(),
          onStep: (line) => progress(line.step, config.steps, `loss ${line.loss.toFixed(3)}`),
          signal,
        });
        bars.stop();
        shards.close();
        afterRun(cacheOf(options.cache), options.cacheLimit);
        const resumed = result.resumedFrom > 0 ? `, resumed from step ${result.resumedFrom}` : '';
        console.log(`${result.encoderPath}: ${result.steps} steps on ${tracks.length} tracks${resumed}`);
      } finally {
        bars.stop();
      }
    });
}

/** The tracks of a path, their mels in the cache; what cannot be read is named. */
async function melsOf(
  audio: string,
  { cache: folder, threads }: PretrainCommandOptions,
  bars: ProgressBars,
  signal: AbortSignal,
): Promise<ShardedTracks> {
  const cache = cacheOf(folder);
  const { tracks } = await tracksOf(audio, { quick: true, cache, signal });
  const seconds = tracks.reduce((sum, track) => sum + track.durationSeconds, 0);
  if (melBytes(seconds) > NOTED_BYTES)
    console.error(
      `mel spectrograms of ${(seconds / 3600).toFixed(0)} h of audio: ${formatBytes(melBytes(seconds))} in ${cache.root}`,
    );
  const sharded = await shardTracks(tracks, { cache, threads, onProgress: bars.of('mel'), signal });
  for (const { id, problem } of sharded.leftOut) console.error(`left out: ${id}: ${problem}`);
  return sharded;
}

/** What the cache grows by without a word. */
const NOTED_BYTES = 1e9;

function furtherFields(path: string): Partial<PretrainConfig> {
  const value = readJson(path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(path, 'expected a JSON object with fields of the pretraining configuration');
  }
  return value as Partial<PretrainConfig>;
}
