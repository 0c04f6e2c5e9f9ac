/** `keymyna probe`: trains a probe on an embedding table whose tracks a manifest labels, chooses on valid, reads test. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { readManifest, type Split, SPLITS } from '../corpus/index.js';
import { readPrecomputed, selectTracks, type EmbeddingTable } from '../embeddings/index.js';
import { InputError } from '../errors.js';
import { evaluateProbe, type HiddenEntry, type ProbeData, saveProbe, trainProbe } from '../probe/index.js';
import { initBackend } from '../tensor/index.js';
import { GRID_NAMES, type GridName, probeGrid, PROTOCOL_NAMES, scoreLine } from './probeGrid.js';
import { oneOf, ProgressBars, stopSignal, wholeNumber } from './program.js';

interface ProbeOptions {
  readonly manifest: string;
  readonly splits?: string;
  readonly allowLeakage?: boolean;
  readonly hidden: readonly HiddenEntry[];
  readonly epochs: number;
  readonly seed: number;
  readonly out?: string;
  readonly grid?: GridName;
  readonly protocol: (typeof PROTOCOL_NAMES)[number];
  readonly runs?: string;
  readonly threads: number;
}

export function registerProbe(program: Command): void {
  program
    .command('probe')
    .description('train a probe on frozen embeddings; the epoch is chosen on valid, test is read once')
    .argument('<embeddings>', 'table of the manifest’s tracks: what keymyna embed wrote, or .npz of another program')
    .requiredOption('--manifest <csv>', 'path,key,split,... of the same tracks')
    .option('--splits <csv>', 'id,split; takes the place of the manifest’s')
    .option('--allow-leakage', 'take splits that share artists or recordings')
    .option(
      '--hidden <layers>',
      'empty: linear probe (with --grid trainings: "2048 d0.75"); as "4096 d0.9": an MLP',
      hiddenLayers,
      [],
    )
    .option('--epochs <n>', 'passes over train', wholeNumber('--epochs', 1), 100)
    .option('--seed <n>', 'seed', wholeNumber('--seed', 0), 0)
    .option('--out <safetensors>', 'where to keep the probe (of a grid: the chosen one)')
    .option(
      '--grid <name>',
      'run one of the paper’s grids: 28 architectures, or 160 trainings; architectures | trainings',
      oneOf('--grid', GRID_NAMES),
    )
    .option(
      '--protocol <name>',
      'of a grid: corrected (run and epoch chosen on valid) | as-published (chosen by test as well, side by side)',
      oneOf('--protocol', PROTOCOL_NAMES),
      'corrected',
    )
    .option(
      '--runs <folder>',
      'of a grid: where its runs are kept; the same command goes on there (default <embeddings>.runs)',
    )
    .option('--threads <n>', 'of a grid: runs at once', wholeNumber('--threads', 1), availableParallelism())
    .action(async (embeddings: string, options: ProbeOptions) => {
      const { grid } = options;
      if (!grid && options.protocol !== 'corrected')
        throw new InputError('option --protocol', `found "${options.protocol}" without --grid; it is about grids`);
      const signal = stopSignal();
      const bars = new ProgressBars();
      try {
        await initBackend();
        const data = await splitData(readPrecomputed(embeddings), options, embeddings);
        const train = data.get('train');
        const valid = data.get('valid');
        if (!train || !valid) {
          throw new InputError(options.manifest, 'a probe needs labelled tracks in the splits train and valid');
        }
        if (grid) {
          const runs = options.runs ?? `${embeddings}.runs`;
          await probeGrid(data, { ...options, grid, runs }, bars, signal);
          return;
        }
        const config = { hidden: options.hidden, epochs: options.epochs, seed: options.seed };
        const probe = await trainProbe(config, { train, valid }, { onProgress: bars.of('probe'), signal });
        bars.stop();
        if (options.out) saveProbe(options.out, probe);
        console.log(`epoch ${probe.epoch} of ${options.epochs}, chosen on valid`);
        for (const [split, own] of data) {
          if (split === 'train') continue;
          const { score, intervals } = evaluateProbe(probe, own);
          console.log(scoreLine(split, score, intervals));
        }
      } finally {
        bars.stop();
      }
    });
}

function hiddenLayers(text: string): HiddenEntry[] {
  return text
    .split(/\s+/)
    .filter((entry) => entry !== '')
    .map((entry) => (entry.startsWith('d') ? (entry as HiddenEntry) : Number(entry)));
}

/** The table's tracks by split, with the manifest's keys; tracks without a key are left out. */
async function splitData(
  table: EmbeddingTable,
  { manifest, splits, allowLeakage }: Pick<ProbeOptions, 'manifest' | 'splits' | 'allowLeakage'>,
  name: string,
): Promise<Map<Split, ProbeData>> {
  const index = new Map(table.trackIds.map((id, i) => [id, i]));
  const out = new Map<Split, ProbeData>();
  const { tracks } = await readManifest(manifest, { splits, allowLeakage });
  for (const split of SPLITS) {
    const own = tracks.filter((track) => track.split === split && track.keyId !== null);
    if (own.length === 0) continue;
    const positions = own.map((track) => {
      const position = index.get(track.id);
      if (position === undefined) {
        throw new InputError(manifest, `track ${track.id} is not in ${name}; embed this manifest first`);
      }
      return position;
    });
    out.set(split, {
      table: selectTracks(table, positions),
      keyOfTrack: Int32Array.from(own, (track) => track.keyId!),
    });
  }
  return out;
}
