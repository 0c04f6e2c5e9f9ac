/** What a worker thread does for one way of training: every configuration with every seed, chosen on validation. */
import type { Split } from '../../corpus/index.js';
import { loadEmbeddingTable, selectTracks } from '../../embeddings/index.js';
import { NUM_KEYS } from '../../keys/index.js';
import { type Probe, type ProbeData, saveProbe, trainProbe } from '../../probe/index.js';
import { mean } from '../../stats/index.js';
import { float32, writeSafetensors } from '../../store/index.js';
import { initBackend } from '../../tensor/index.js';
import { type MixUpUnit, OUTCOME_SPLITS } from './mixUp.js';
import { type Span, type StageItem, stageTask, Stopped } from '../run/stages.js';

/** Factory for `runStage`. */
export async function mixUpTask(init: unknown): Promise<(message: StageItem<MixUpUnit>) => Promise<Span>> {
  await initBackend();
  return stageTask<MixUpUnit>(init, async (unit, count, isStopped) => {
    const data = Object.fromEntries(
      (Object.keys(unit.tables) as Split[]).map((split) => [
        split,
        { table: loadEmbeddingTable(unit.tables[split]!), keyOfTrack: Int32Array.from(unit.keys[split]!) },
      ]),
    ) as Record<Split, ProbeData>;
    const train = firstTracks(data.train, unit.nTrain);
    const trained: Probe[][] = [];
    for (const config of unit.configs) {
      const probes: Probe[] = [];
      for (const seed of unit.seeds) {
        if (isStopped()) throw new Stopped('mixUp');
        // The seed gives initial weights, order of clips and dropout: the same for every way of mixing.
        probes.push(await trainProbe({ ...config, seed, selection: 'valid' }, { train, valid: data.valid }));
        count((trained.length * unit.seeds.length + probes.length) * unit.cost);
      }
      trained.push(probes);
    }
    const scores = trained.map((probes) => mean(probes.map(({ history, epoch }) => history[epoch].selectionScore!)));
    const chosen = trained[scores.indexOf(Math.max(...scores))];
    if (unit.probePath !== null) saveProbe(unit.probePath, chosen[0]);
    const tensors = OUTCOME_SPLITS.map((split) => [split, logitsOf(chosen, data[split])] as const);
    writeSafetensors(unit.path, new Map(tensors), {
      config: JSON.stringify(chosen[0].config),
      epochs: JSON.stringify(chosen.map(({ epoch }) => epoch)),
    });
  });
}

function firstTracks({ table, keyOfTrack }: ProbeData, n: number): ProbeData {
  if (n === table.trackIds.length) return { table, keyOfTrack };
  const tracks = Array.from({ length: n }, (_, track) => track);
  return { table: selectTracks(table, tracks), keyOfTrack: keyOfTrack.slice(0, n) };
}

/** Track logits of every seed, [seeds, nTracks, 24]. */
function logitsOf(probes: readonly Probe[], { table, keyOfTrack }: ProbeData): ReturnType<typeof float32> {
  const length = keyOfTrack.length * NUM_KEYS;
  const logits = new Float32Array(probes.length * length);
  probes.forEach((probe, i) => logits.set(probe.trackLogits(table), i * length));
  return float32([probes.length, keyOfTrack.length, NUM_KEYS], logits);
}
