/** What a worker thread does for one probe with or without transposed copies: train, choose on validation, read test. */
import type { Split } from '../../corpus/index.js';
import { loadEmbeddingTable } from '../../embeddings/index.js';
import { chooseRun, type Probe, type ProbeData, probeRun, trainProbe, variantBatches } from '../../probe/index.js';
import { writeJson } from '../../store/index.js';
import { initBackend } from '../../tensor/index.js';
import type { PitchUnit } from './pitchAugmentation.js';
import type { ProbeOutcome } from '../probing/probing.js';
import { type Span, type StageItem, stageTask } from '../run/stages.js';

/** Factory for `runStage`. */
export async function pitchTask(init: unknown): Promise<(message: StageItem<PitchUnit>) => Promise<Span>> {
  await initBackend();
  return stageTask<PitchUnit>(init, async ({ train, variants, tables, keys, configs, path }, count) => {
    const dataOf = (split: Split): ProbeData => ({
      table: loadEmbeddingTable(tables[split]!),
      keyOfTrack: Int32Array.from(keys[split]!),
    });
    const valid = dataOf('valid');
    const batchOf = variants.length > 0 ? variantBatches(train.table, variants) : undefined;
    const probes: Probe[] = [];
    for (const config of configs) {
      count(probes.length);
      probes.push(await trainProbe(config, { train, valid }, { batchOf }));
    }
    const runs = probes.map((probe) => probeRun(probe, valid));
    const best = chooseRun(
      probes.map(({ config }) => config),
      new Map(runs.map((run) => [run.configId, run])),
    );
    const probe = probes[runs.findIndex(({ configId }) => configId === best.configId)];
    const estimate = (data: ProbeData): number[] => Array.from(probe.decide(data.table).estimated);
    writeJson(path, {
      config: probe.config,
      epoch: probe.epoch,
      estimates: { valid: estimate(valid), test: estimate(dataOf('test')), testTimbre: estimate(dataOf('testTimbre')) },
      flaws: null,
    } satisfies ProbeOutcome);
  });
}
