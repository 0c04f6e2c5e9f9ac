/** What a worker thread does for probes with and without maps: all variants with one encoder, head and seed. */
import type { EmbeddingTable } from '../../embeddings/index.js';
import { createMapBank, drawMaps, fitMeanShift, PAPER_AUGMENT, pairTables } from '../../maps/index.js';
import {
  type BatchOf,
  chooseRun,
  type Probe,
  PROBE_DEFAULTS,
  type ProbeConfig,
  type ProbeData,
  probeRun,
  trainProbe,
  variantBatches,
} from '../../probe/index.js';
import { writeJson } from '../../store/index.js';
import { initBackend } from '../../tensor/index.js';
import type { ProbeTestId } from './mapProbeMeasurements.js';
import {
  type KeyedTable,
  type MapProbeResult,
  type MapProbeUnit,
  PROBE_VARIANTS,
  type ProbeVariant,
} from './mapProbes.js';
import { type Span, type StageItem, stageTask, Stopped } from '../run/stages.js';

/** Factory for `runStage`: a backend of its own for this thread. */
export async function mapProbeTask(init: unknown): Promise<(message: StageItem<MapProbeUnit>) => Promise<Span>> {
  await initBackend();
  return stageTask<MapProbeUnit>(init, async (unit, count, isStopped) => {
    const result: Record<string, MapProbeResult[string]> = {};
    for (const [done, variant] of PROBE_VARIANTS.entries()) {
      if (isStopped()) throw new Stopped('map probes');
      const probe = await chosenProbe(unit, variant);
      result[variant.id] = Object.fromEntries(
        Object.entries(unit.tests).map(([id, tables]) => [
          id,
          tables.map(({ table }) => Array.from(probe.decide(table).estimated)),
        ]),
      ) as Record<ProbeTestId, number[][]>;
      count(done + 1);
    }
    writeJson(unit.path, result);
  });
}

/** Every configuration trained, the best chosen on clean validation tracks. */
async function chosenProbe(unit: MapProbeUnit, variant: ProbeVariant): Promise<Probe> {
  const train = dataOf(unit[variant.trainOn]);
  const valid = dataOf(unit.valid);
  const batchOf = batchesOf(unit, variant, train.table);
  const probes: Probe[] = [];
  for (const config of unit.configs)
    probes.push(
      await trainProbe(
        { ...config, seed: unit.seed, epochs: epochsFor(config, unit, train.table) },
        { train, valid },
        { batchOf },
      ),
    );
  const runs = probes.map((probe) => probeRun(probe, valid));
  const best = chooseRun(
    probes.map(({ config }) => config),
    new Map(runs.map((run) => [run.configId, run])),
  );
  return probes[runs.findIndex((run) => run.configId === best.configId)];
}

/** As many epochs as give the steps of the whole train split, so that a smaller one is not trained less. */
function epochsFor(config: Partial<ProbeConfig>, { whole }: MapProbeUnit, table: EmbeddingTable): number {
  const { batchSize, epochs } = { ...PROBE_DEFAULTS, ...config };
  const stepsOf = (nClips: number): number => Math.ceil(nClips / batchSize);
  return Math.round((epochs * stepsOf(whole.table.nClips)) / stepsOf(table.nClips));
}

/** With probability .8 one augmentation for the whole batch: as audio, as its linear map, or as its mean shift. */
function batchesOf(
  { heard, part }: MapProbeUnit,
  { by, what }: ProbeVariant,
  table: EmbeddingTable,
): BatchOf | undefined {
  // prettier-ignore
  const ways = heard[what];
  if (by === 'none' || ways.length === 0) return undefined;
  if (by === 'audio')
    return variantBatches(
      table,
      ways.map(({ audio, labelShift }) => ({ table: audio, labelShift })),
      (nRows, nMaps, rng) => drawMaps(nRows, nMaps, PAPER_AUGMENT, rng),
    );
  const maps =
    by === 'map'
      ? ways.map(({ map }) => map)
      : ways.map(({ audio, map }) => fitMeanShift(pairTables(part.table, audio), map.name, map.labelShift));
  const bank = createMapBank(table, maps);
  return (clips, keyIds, rng) => bank.batch(clips, keyIds, PAPER_AUGMENT, rng);
}

function dataOf({ table, keyIds }: KeyedTable): ProbeData {
  return { table, keyOfTrack: Int32Array.from(keyIds) };
}
