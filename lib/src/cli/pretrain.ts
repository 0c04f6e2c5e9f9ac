/** `keymyna pretrain`: masked contrastive pretraining on the embedded corpus or on a user's audio. */
import type { Command } from 'commander';
import { ENCODER_SIZES, encoderConfig } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { PRETRAIN_DEFAULTS, pretrain, pretrainConfig, type PretrainConfig } from '../pretrain/index.js';
import { readJson } from '../store/index.js';
import { initBackend } from '../tensor/index.js';
import { melTracks } from './audio.js';
import { oneOf, ProgressBars, stopSignal, wholeNumber } from './program.js';

interface PretrainCommandOptions {
  readonly out: string;
  readonly patches: 'vertical' | 'square' | 'hybrid';
  readonly size: keyof typeof ENCODER_SIZES;
  readonly steps: number;
  readonly batch: number;
  readonly seed: number;
  readonly config?: string;
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
        const { tracks } = await melTracks(audio, bars, signal);
        const progress = bars.of('pretrain');
        const result = await pretrain(config, tracks, {
          dir: options.out,
          clock: () => performance.now(),
          onStep: (line) => progress(line.step, config.steps, `loss ${line.loss.toFixed(3)}`),
          signal,
        });
        bars.stop();
        const resumed = result.resumedFrom > 0 ? `, resumed from step ${result.resumedFrom}` : '';
        console.log(`${result.encoderPath}: ${result.steps} steps on ${tracks.length} tracks${resumed}`);
      } finally {
        bars.stop();
      }
    });
}

function furtherFields(path: string): Partial<PretrainConfig> {
  const value = readJson(path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(path, 'expected a JSON object with fields of the pretraining configuration');
  }
  return value as Partial<PretrainConfig>;
}
