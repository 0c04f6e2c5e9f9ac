/** What a worker thread does for one probe: train every configuration, choose on validation, then read test once. */
import type { Split } from '../corpus/index.js';
import { loadEmbeddingTable } from '../embeddings/index.js';
import { Probe, type ProbeConfig, type ProbeData, selectProbe, trainProbe } from '../probe/index.js';
import { writeJson } from '../store/index.js';
import { initBackend } from '../tensor/index.js';
import type { TestSplit } from './measurements.js';
import type { ProbeOutcome, ProbeUnit } from './probing.js';
import { stageTask } from './stages.js';

/** Factory for `runStage`: a backend of its own for this thread (MLP probes need one), then probe after probe. */
export async function probeTask(
  init: unknown,
): Promise<(message: { unit: number; item: ProbeUnit; weight: number }) => Promise<void>> {
  await initBackend();
  return stageTask<ProbeUnit>(init, async (unit) => {
    const data = Object.fromEntries(
      (Object.keys(unit.tables) as Split[]).map((split) => [
        split,
        { table: loadEmbeddingTable(unit.tables[split]!), keyOfTrack: Int32Array.from(unit.keys[split]!) },
      ]),
    ) as Partial<Record<Split, ProbeData>>;
    writeJson(unit.path, await outcomeOf(unit, data));
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
  const { probe } = await selectProbe(configs, { train, valid });
  const tests = { test, testTimbre };
  return {
    config: probe.config,
    epoch: probe.epoch,
    estimates: { valid: estimate(probe, valid), test: estimate(probe, test), testTimbre: estimate(probe, testTimbre) },
    flaws: unit.withFlaws
      ? {
          chosenByTest: {
            test: await chosenByTest(configs, { train, valid, tests }, 'test'),
            testTimbre: await chosenByTest(configs, { train, valid, tests }, 'testTimbre'),
          },
          scalerPerSplit: { test: scaledByItself(probe, test), testTimbre: scaledByItself(probe, testTimbre) },
        }
      : null,
  };
}

/** The published flaw: epoch and configuration are those that score best on the split that is then reported. */
async function chosenByTest(
  configs: readonly Partial<ProbeConfig>[],
  data: { train: ProbeData; valid: ProbeData; tests: Record<TestSplit, ProbeData> },
  split: TestSplit,
): Promise<number[]> {
  const flawed = configs.map((config) => ({ ...config, selection: 'test' as const }));
  const { probe } = await selectProbe(flawed, data, { chooseBy: { test: split } });
  return Array.from(probe.decide(data.tests[split].table).estimated);
}

/** The published flaw: the same weights, but the split standardized by its own mean and deviation. */
function scaledByItself(probe: Probe, data: ProbeData): number[] {
  const flawed = new Probe({ ...probe.config, standardize: 'perSplit' }, probe.width, probe.weights, null);
  return Array.from(flawed.decide(data.table).estimated);
}
