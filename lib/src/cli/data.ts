/** `keymyna data`: the embedded corpus as files, and checks of a user's own. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { encodeWav, SAMPLE_RATE } from '../audio/index.js';
import { EMBEDDED_SIZES, embeddedCorpus, trackAudio, validateCorpus, readManifest } from '../corpus/index.js';
import { InputError } from '../errors.js';
import { KEYS } from '../keys/index.js';
import { formatCsv, writeFileAtomic } from '../store/index.js';
import { melTracks, tracksOf } from './audio.js';
import { oneOf, ProgressBars, stopSignal, wholeNumber } from './program.js';

interface RenderOptions {
  readonly out: string;
  readonly size: keyof typeof EMBEDDED_SIZES;
  readonly seed: number;
}

export function registerData(program: Command): void {
  const data = program.command('data').description('corpora: render the embedded one, check your own');
  const sizes = Object.keys(EMBEDDED_SIZES) as (keyof typeof EMBEDDED_SIZES)[];

  data
    .command('render')
    .description('write the embedded corpus as wav files with a manifest')
    .requiredOption('--out <dir>', 'folder to write')
    .option('--size <preset>', `one of ${sizes.join(', ')}`, oneOf('--size', sizes), 'smoke')
    .option('--seed <n>', 'seed of the composer', wholeNumber('--seed', 0), 0)
    .action(async ({ out, size, seed }: RenderOptions) => {
      const signal = stopSignal();
      const bars = new ProgressBars();
      const corpus = embeddedCorpus({ sizes: EMBEDDED_SIZES[size], seed });
      const rows: Record<string, string>[] = [];
      try {
        for (const [done, track] of corpus.tracks.entries()) {
          signal.throwIfAborted();
          writeFileAtomic(join(out, `${track.id}.wav`), encodeWav(await trackAudio(track), SAMPLE_RATE));
          rows.push({
            path: `${track.id}.wav`,
            key: KEYS[track.keyId!].label,
            split: track.split!,
            artist: track.group,
          });
          bars.of('render')(done + 1, corpus.tracks.length, track.id);
        }
      } finally {
        bars.stop();
      }
      writeFileAtomic(join(out, 'manifest.csv'), formatCsv(['path', 'key', 'split', 'artist'], rows));
      console.log(`${join(out, 'manifest.csv')}: ${rows.length} tracks`);
    });

  data
    .command('verify')
    .description('read every file of a folder or manifest; labels, splits and groups are checked too')
    .argument('<path>', 'folder of audio files, or manifest CSV')
    .action(async (path: string) => {
      const signal = stopSignal();
      const bars = new ProgressBars();
      try {
        if (path.toLowerCase().endsWith('.csv')) validateCorpus(await readManifest(path));
        const found = (await tracksOf(path)).length;
        const { tracks, failures } = await melTracks(path, bars, signal);
        bars.stop();
        console.log(`${path}: ${tracks.length} of ${found} tracks can be read`);
        if (failures > 0)
          throw new InputError(path, `${failures} of ${found} tracks cannot be read; they are named above`);
      } finally {
        bars.stop();
      }
    });
}
