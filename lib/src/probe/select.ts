/** Choosing among configurations: all run, the choice is made on validation, and only then is test read, once. */
import { InputError } from '../errors.js';
import { type KeyScore, scoreKeys } from '../keys/index.js';
import { configId } from '../store/index.js';
import type { Progress } from '../workers/index.js';
import { type ProbeConfig, probeConfig } from './config.js';
import { type Evaluation, evaluateProbe, type IntervalOptions } from './evaluate.js';
import type { Probe, ProbeData } from './probe.js';
import { trainProbe } from './train.js';

/** What a run leaves behind for the choice; plain JSON. */
export interface ProbeRun {
  readonly configId: string;
  readonly config: ProbeConfig;
  /** the epoch whose weights were kept */
  readonly epoch: number;
  /** of the split that the choice goes by, at that epoch */
  readonly score: KeyScore;
}

export interface SelectData {
  readonly train: ProbeData;
  readonly valid: ProbeData;
  /** test splits by name; read after the choice */
  readonly tests?: Readonly<Record<string, ProbeData>>;
}

export interface SelectOptions extends IntervalOptions {
  /**
   * `valid` (default), or the name of a test split: the published flaw, choosing by test (and reporting it).
   * Configurations with `selection: 'test'` take their epoch by the same split.
   */
  readonly chooseBy?: 'valid' | { readonly test: string };
  /** runs that are known already, by `configId`; they are not run again */
  readonly known?: ReadonlyMap<string, ProbeRun>;
  /** called with each finished run, to store it */
  readonly onRun?: (run: ProbeRun) => void;
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

export interface Selected {
  readonly best: ProbeRun;
  readonly probe: Probe;
  /** in the order of the configurations */
  readonly runs: readonly ProbeRun[];
  /** of the chosen probe on each test split */
  readonly evaluations: Readonly<Record<string, Evaluation>>;
}

/**
 * Trains every configuration, chooses one, evaluates it on every test split.
 * @throws InputError if a split is missing; whatever a run throws ends the selection
 */
export async function selectProbe(
  configs: readonly Partial<ProbeConfig>[],
  data: SelectData,
  options: SelectOptions = {},
): Promise<Selected> {
  const { chooseBy = 'valid', known, onRun, onProgress, signal } = options;
  const complete = configs.map((config) => probeConfig(config));
  const choiceData = chooseBy === 'valid' ? data.valid : data.tests?.[chooseBy.test];
  if (choiceData === undefined)
    throw new InputError(
      'selectProbe',
      `chooseBy is ${JSON.stringify(chooseBy)}, but there is no such split in the data`,
    );
  // Test reaches the training only where the published flaw was asked for by name.
  const splits = { train: data.train, valid: data.valid, test: chooseBy === 'valid' ? undefined : choiceData };

  const runs = new Map<string, ProbeRun>();
  let kept: { id: string; probe: Probe } | null = null;
  for (const [done, config] of complete.entries()) {
    const id = configId(config);
    let run = known?.get(id);
    if (run === undefined) {
      const probe = await trainProbe(config, splits, { signal });
      run = probeRun(probe, choiceData);
      onRun?.(run);
      runs.set(id, run);
      const sofar = complete.slice(0, done + 1);
      if (chooseRun(sofar, runs).configId === id) kept = { id, probe };
    }
    runs.set(id, run);
    onProgress?.(done + 1, complete.length, id);
  }
  const best = chooseRun(complete, runs);
  // The best run may have been known from earlier; training is deterministic, so it is made again.
  const probe = kept?.id === best.configId ? kept.probe : await trainProbe(best.config, splits, { signal });
  const evaluations = Object.fromEntries(
    Object.entries(data.tests ?? {}).map(([name, test]) => [name, evaluateProbe(probe, test, options)]),
  );
  return { best, probe, runs: complete.map((config) => runs.get(configId(config))!), evaluations };
}

/** What a trained probe leaves for a choice that goes by the split `data`. */
export function probeRun(probe: Probe, data: ProbeData): ProbeRun {
  const { config, epoch } = probe;
  const { estimated } = probe.decide(data.table);
  return { configId: configId(config), config, epoch, score: scoreKeys(data.keyOfTrack, estimated) };
}

/**
 * The run with the best weighted score by its configuration's ruler (the first of equals).
 * @throws InputError naming every configuration without a run: a choice among those that happened to finish is none
 */
export function chooseRun(configs: readonly ProbeConfig[], runs: ReadonlyMap<string, ProbeRun>): ProbeRun {
  if (configs.length === 0) throw new InputError('chooseRun', 'no configurations; expected at least one');
  const missing = configs.map((config) => configId(config)).filter((id) => !runs.has(id));
  if (missing.length > 0)
    throw new InputError(
      'chooseRun',
      `${missing.length} of ${configs.length} runs are missing (${missing.slice(0, 5).join(', ')}); finish them first`,
    );
  const scoreOf = ({ config, score }: ProbeRun): number =>
    config.allowDescendingFifths ? score.weightedBothFifths : score.weighted;
  return configs
    .map((config) => runs.get(configId(config))!)
    .reduce((best, run) => (scoreOf(run) > scoreOf(best) ? run : best));
}
