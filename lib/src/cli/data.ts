/** `keymyna data`: the embedded corpus as files, and checks of a user's own. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { encodeWav, SAMPLE_RATE } from '../audio/index.js';
import {
  DATASETS,
  DEFAULT_SHARES,
  EMBEDDED_SIZES,
  embeddedCorpus,
  type ManifestOptions,
  type OtherModes,
  readManifest,
  trackAudio,
} from '../corpus/index.js';
import { InputError } from '../errors.js';
import { KEYS } from '../keys/index.js';
import { formatCsv, writeFileAtomic } from '../store/index.js';
import { readAllTracks, tracksOf } from './audio.js';
import {
  isSetName,
  OTHER_SETS,
  readShares,
  splitManifest,
  type VerifyCommandOptions,
  verifyEmbeddings,
  verifyNamed,
} from './datasets.js';
import { oneOf, ProgressBars, stopSignal, wholeNumber } from './program.js';

interface RenderOptions {
  readonly out: string;
  readonly size: keyof typeof EMBEDDED_SIZES;
  readonly seed: number;
}

const MODES: readonly OtherModes[] = ['left-out', 'by-third'];

export function registerData(program: Command): void {
  const data = program.command('data').description('corpora: render the embedded one, check your own');
  const setNames = [...DATASETS.map(({ name }) => name), ...OTHER_SETS];
  const subsetNames = DATASETS.filter(({ subsets }) => subsets.length > 1)
    .map(({ name, subsets }) => `${name} ${subsets.map((subset) => subset.name).join(', ')}`)
    .join('; ');
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
    .description('check labels, counts, checksums, splits and every audio file of a data set, a folder or a manifest')
    .argument('<set>', `one of ${setNames.join(', ')} with --root; or the path of a folder or of a manifest CSV`)
    .option('--root <dir>', 'where the data set lies (embeddings, manifest: the file)')
    .option('--subset <name>', `subset of the data set: ${subsetNames}`)
    .option('--modes <rule>', 'dorian and others: left-out, or by-third', oneOf('--modes', MODES), 'left-out')
    .option('--quick', 'lengths from headers, nothing is decoded')
    .option('--out <csv>', 'manifest to write (embeddings: table to write, safetensors)')
    .option('--splits <csv>', 'id,split; takes the place of the manifest’s')
    .option('--allow-leakage', 'take splits that share artists or recordings')
    .option(
      '--cache <dir>',
      'where lengths and checksums are remembered (default: KEYMYNA_CACHE, else ~/.cache/keymyna)',
    )
    .option('--rows <n>', 'rows of each list that are printed', wholeNumber('--rows', 0), 20)
    .action(async (set: string, options: VerifyCommandOptions) => {
      const { root, out, splits, allowLeakage } = options;
      if (root === undefined && isSetName(set) && !existsSync(set))
        throw new InputError(`data verify ${set}`, 'needs --root, the place where the data set lies');
      if (root === undefined) return verifyPath(set, { splits, allowLeakage });
      if (set === 'embeddings') return verifyEmbeddings(root, out);
      if (set === 'manifest' || set === 'folder') return verifyPath(root, { splits, allowLeakage });
      await verifyNamed(set, root, options);
    });

  data
    .command('split')
    .description('divide a manifest into splits that share no artist and no recording, keys balanced: id,split')
    .argument('<manifest>', 'CSV as data verify --out writes it')
    .requiredOption('--out <csv>', 'file to write')
    .option('--seed <n>', 'seed', wholeNumber('--seed', 0), 0)
    .option('--shares <list>', 'such as train=.7,valid=.15,test=.15', readShares, DEFAULT_SHARES)
    .option('--cache <dir>', 'where lengths of files are remembered')
    .action(splitManifest);
}

/** Reads every file of a folder or manifest; labels, splits and groups of a manifest are checked first. */
async function verifyPath(path: string, options: ManifestOptions): Promise<void> {
  const signal = stopSignal();
  const bars = new ProgressBars();
  try {
    if (path.toLowerCase().endsWith('.csv')) await readManifest(path, { ...options, quick: true, signal });
    const { tracks, nSkipped } = await tracksOf(path, { quick: true, allowLeakage: true, signal });
    const found = tracks.length + nSkipped;
    const { failures } = await readAllTracks(tracks, bars, signal);
    bars.stop();
    console.log(`${path}: ${tracks.length - failures} of ${found} tracks can be read`);
    if (failures > 0) throw new InputError(path, `${failures} of ${found} tracks cannot be read; they are named above`);
  } finally {
    bars.stop();
  }
}
