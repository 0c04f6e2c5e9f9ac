/** `keymyna probe`: trains a probe on an embedding table whose tracks a manifest labels, chooses on valid, reads test. */
import type { Command } from 'commander';
import { readManifest, type Split, SPLITS } from '../corpus/index.js';
import { readPrecomputed, selectTracks, type EmbeddingTable } from '../embeddings/index.js';
import { InputError } from '../errors.js';
import { evaluateProbe, type HiddenEntry, type ProbeData, saveProbe, trainProbe } from '../probe/index.js';
import { initBackend } from '../tensor/index.js';
import { ProgressBars, stopSignal, wholeNumber } from './program.js';

interface ProbeOptions {
  readonly manifest: string;
  readonly splits?: string;
  readonly allowLeakage?: boolean;
  readonly hidden: readonly HiddenEntry[];
  readonly epochs: number;
  readonly seed: number;
  readonly out?: string;
}

export function registerProbe(program: Command): void {
  program
    .command('probe')
    .description('train a probe on frozen embeddings; the epoch is chosen on valid, test is read once')
    .argument('<embeddings>', 'table of the manifest’s tracks: what keymyna embed wrote, or .npz of another program')
    .requiredOption('--manifest <csv>', 'path,key,split,... of the same tracks')
    .option('--splits <csv>', 'id,split; takes the place of the manifest’s')
    .option('--allow-leakage', 'take splits that share artists or recordings')
    .option('--hidden <layers>', 'empty: linear probe; as "4096 d0.9": an MLP', hiddenLayers, [])
    .option('--epochs <n>', 'passes over train', wholeNumber('--epochs', 1), 100)
    .option('--seed <n>', 'seed', wholeNumber('--seed', 0), 0)
    .option('--out <safetensors>', 'where to keep the probe')
    .action(async (embeddings: string, options: ProbeOptions) => {
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
        const config = { hidden: options.hidden, epochs: options.epochs, seed: options.seed };
        const probe = await trainProbe(config, { train, valid }, { onProgress: bars.of('probe'), signal });
        bars.stop();
        if (options.out) saveProbe(options.out, probe);
        console.log(`epoch ${probe.epoch} of ${options.epochs}, chosen on valid`);
        for (const [split, own] of data) {
          if (split === 'train') continue;
          const { score, intervals } = evaluateProbe(probe, own);
          const { low, high } = intervals.weightedBothFifths;
          console.log(
            `${split.padEnd(11)} n ${score.n}  weighted ${percent(score.weightedBothFifths)} [${percent(low)}, ${percent(high)}]` +
              ` (fifth above only ${percent(score.weighted)})  exact ${percent(score.accuracy)}`,
          );
        }
      } finally {
        bars.stop();
      }
    });
}

const percent = (share: number): string => (100 * share).toFixed(2);

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
