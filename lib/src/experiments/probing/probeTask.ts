/** What a worker thread does for one probe: train every configuration, choose on validation, then read test once. */
import type { Split } from '../../corpus/index.js';
import { loadEmbeddingTable } from '../../embeddings/index.js';
import {
  chooseRun,
  Probe,
  type ProbeConfig,
  type ProbeData,
  probeRun,
  saveProbe,
  trainProbe,
  trainProbeEachWay,
} from '../../probe/index.js';
import { writeJson } from '../../store/index.js';
import { initBackend } from '../../tensor/index.js';
import { type ProbeOutcome, probePath, type ProbeUnit } from './probing.js';
import { type Span, type StageItem, stageTask } from '../run/stages.js';

/** Factory for `runStage`: a backend of its own for this thread (MLP probes need one), then probe after probe. */
export async function probeTask(init: unknown): Promise<(message: StageItem<ProbeUnit>) => Promise<Span>> {
  await initBackend();
  return stageTask<ProbeUnit>(init, async (unit) => {
    const data = Object.fromEntries(
      (Object.keys(unit.tables) as Split[]).map((split) => [
        split,
        { table: loadEmbeddingTable(unit.tables[split]!), keyOfTrack: Int32Array.from(unit.keys[split]!) },
      ]),
    ) as Partial<Record<Split, ProbeData>>;
    writeJson(unit.path, await outcomeOf(unit, data)); // last: its presence says that the probe is there too
  });
}

async function outcomeOf(unit: ProbeUnit, data: Partial<Record<Split, ProbeData>>): Promise<ProbeOutcome> {
  const { train, valid, test, testTimbre } = data as Record<Split, ProbeData>;
  const configs = unit.configs.map((config) => ({ ...config, seed: unit.seed }));
  const estimate = (probe: Probe, split: ProbeData): number[] => Array.from(probe.decide(split.table).estimated);
  if (configs.length === 1 && configs[0].selection === 'last') {
    const probe = await trainProbe(configs[0], { train });
    return { config: probe.config, epoch: probe.epoch, estimates: { valid: estimate(probe, valid) }, flaws: null };
  }
  const [probe, byTest, byTestTimbre] = await chosenEachWay(
    configs,
    train,
    unit.withFlaws ? [valid, test, testTimbre] : [valid],
  );
  saveProbe(probePath(unit.path), probe);
  return {
    config: probe.config,
    epoch: probe.epoch,
    estimates: { valid: estimate(probe, valid), test: estimate(probe, test), testTimbre: estimate(probe, testTimbre) },
    flaws: unit.withFlaws
      ? {
          chosenByTest: { test: estimate(byTest, test), testTimbre: estimate(byTestTimbre, testTimbre) },
          scalerPerSplit: { test: scaledByItself(probe, test), testTimbre: scaledByItself(probe, testTimbre) },
        }
      : null,
  };
}

/**
 * For each split the probe whose epoch and configuration score best on it: the first is validation, further ones are
 * test splits (the published flaw: they are the ones reported). Each configuration is trained once.
 */
async function chosenEachWay(
  configs: readonly Partial<ProbeConfig>[],
  train: ProbeData,
  splits: readonly ProbeData[],
): Promise<Probe[]> {
  const choices = splits.map((data, i) => ({ selection: i === 0 ? ('valid' as const) : ('test' as const), data }));
  const trained: Probe[][] = [];
  for (const config of configs) trained.push(await trainProbeEachWay(config, train, choices));
  return splits.map((data, i) => {
    const probes = trained.map((each) => each[i]);
    const runs = probes.map((probe) => probeRun(probe, data));
    const best = chooseRun(
      probes.map(({ config }) => config),
      new Map(runs.map((run) => [run.configId, run])),
    );
    return probes[runs.findIndex((run) => run.configId === best.configId)];
  });
}

/** The published flaw: the same weights, but the split standardized by its own mean and deviation. */
function scaledByItself(probe: Probe, data: ProbeData): number[] {
  const flawed = new Probe({ ...probe.config, standardize: 'perSplit' }, probe.width, probe.weights, null);
  return Array.from(flawed.decide(data.table).estimated);
}
