/** `keymyna compare`: key detectors side by side on the same tracks, with paired statistics. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { DATASETS, SPLITS } from '../corpus/index.js';
import { InputError } from '../errors.js';
import { peerPairsTable, peerTable, type Table } from '../figures/index.js';
import { KEYS } from '../keys/index.js';
import {
  comparePeers,
  type DetectorSpec,
  detectTracks,
  estimatesSystems,
  type EstimatesSpec,
  type FailedSystem,
  parseSystem,
  type PeerComparison,
  type SystemAnswers,
} from '../peers/index.js';
import { formatCsv, writeFileAtomic } from '../store/index.js';
import { cacheOf } from './cache.js';
import { type Compared, comparedTracks } from './comparedTracks.js';
import { oneOf, ProgressBars, stopSignal, wholeNumber } from './program.js';
import { textTable } from './textTable.js';

interface CompareCommandOptions {
  readonly systems: readonly string[];
  readonly dataset?: string;
  readonly subset?: string;
  readonly reference?: string;
  readonly splits?: string;
  readonly split?: string;
  readonly baseline?: string;
  readonly common?: boolean;
  readonly format: 'table' | 'json' | 'csv';
  readonly answers?: string;
  readonly threads: number;
  readonly cache?: string;
  readonly seed: number;
  readonly resamples: number;
}

/** Lines about one system on standard error before the rest is only counted. */
const SHOWN_PROBLEMS = 3;

export function registerCompare(program: Command): void {
  const names = DATASETS.map(({ name }) => name);
  program
    .command('compare')
    .description(
      'key detectors side by side on the same tracks: scores by both rulers, each against a baseline, paired',
    )
    .argument('<tracks>', 'manifest CSV, folder of audio files, folder of a data set, or CSV of keys alone (id,key)')
    .requiredOption(
      '--systems <list>',
      'by commas, or given several times: bgate, krumhansl, temperley, edma; essentia:PROFILE; onnx:[NAME=]MODEL.onnx; ' +
        'model (the one that ships); model:[NAME=]ENCODER+HEAD; csv:[NAME=]ESTIMATES.csv',
      (text: string, before: readonly string[] = []) => [...before, ...text.split(',').filter((one) => one !== '')],
    )
    .option('--reference <csv>', 'keys of the tracks as id,key (default: those of the manifest or data set)')
    .option('--dataset <name>', `what the folder is: ${names.join(', ')}`, oneOf('--dataset', names))
    .option('--subset <name>', 'subset of the data set')
    .option('--splits <csv>', 'id,split; takes the place of the manifest’s')
    .option('--split <name>', 'compare on this split only', oneOf('--split', SPLITS))
    .option('--baseline <system>', 'the system that the others are compared with (default: the first)')
    .option('--common', 'score on the tracks that every system answered')
    .option('--format <format>', 'table, json or csv', oneOf('--format', ['table', 'json', 'csv']), 'table')
    .option('--answers <csv>', 'file to write: the key and confidence that each system gives each track')
    .option(
      '--threads <n>',
      'tracks at a time (default: all cores)',
      wholeNumber('--threads', 1),
      availableParallelism(),
    )
    .option('--cache <dir>', 'where answers are remembered (default: KEYMYNA_CACHE, else ~/.cache/keymyna)')
    .option('--seed <n>', 'seed of the bootstrap', wholeNumber('--seed', 0), 0)
    .option('--resamples <n>', 'resamples of the bootstrap', wholeNumber('--resamples', 1, 1_000_000), 2000)
    .action(compare);
}

async function compare(path: string, options: CompareCommandOptions): Promise<void> {
  const { baseline, common, seed, resamples, format, answers } = options;
  const signal = stopSignal();
  const bars = new ProgressBars();
  const failed: FailedSystem[] = [];
  const specs = options.systems.flatMap((text) => {
    try {
      return [parseSystem(text)];
    } catch (error) {
      return failing(failed, text, error);
    }
  });
  let compared: Compared;
  let systems: SystemAnswers[];
  try {
    const cache = cacheOf(options.cache);
    compared = await comparedTracks(path, { ...options, cache, onProgress: bars.of('read'), signal });
    const detectors = specs.filter((spec): spec is DetectorSpec => spec.kind !== 'csv');
    if (detectors.length > 0 && compared.audio.length === 0)
      throw new InputError(path, `has no audio (no column path); ${detectors[0].name} needs it`);
    // What is written is read before anything is heard, so that a name that comes twice is known at once.
    const asked = specs.map((spec) => ({ spec, written: spec.kind === 'csv' ? written(spec, compared, failed) : [] }));
    const names = asked.flatMap(({ spec, written: own }) =>
      spec.kind === 'csv' ? own.map(({ name }) => name) : [spec.name],
    );
    assertNames(names, [...names, ...failed.map(({ name }) => name)], baseline);
    const heard = await detectTracks(compared.audio, detectors, {
      threads: options.threads,
      cache,
      onProgress: bars.of('compare'),
      signal,
    });
    failed.push(...heard.failed);
    systems = asked.flatMap(({ spec, written: own }) =>
      spec.kind === 'csv' ? own : heard.systems.filter(({ name }) => name === spec.name),
    );
  } finally {
    bars.stop();
  }
  const result = comparePeers(compared.reference, systems, { baseline, common, seed, resamples }, failed);
  if (answers !== undefined) writeFileAtomic(answers, answersCsv(compared, systems));
  report(compared, systems, result);
  if (format === 'json') console.log(JSON.stringify(jsonOf(compared, systems, result), null, 2));
  else if (format === 'csv') process.stdout.write(comparisonCsv(result));
  else console.log(comparisonText(result));
  if (result.failed.length > 0 || result.rows.some(({ unanswered }) => unanswered > 0)) process.exitCode = 1;
}

/** The programs of a CSV file. */
function written(spec: EstimatesSpec, { tracks }: Compared, failed: FailedSystem[]): SystemAnswers[] {
  try {
    return estimatesSystems(spec, tracks);
  } catch (error) {
    return failing(failed, spec.name ?? spec.path, error);
  }
}

function assertNames(names: readonly string[], all: readonly string[], baseline: string | undefined): void {
  if (baseline !== undefined && !all.includes(baseline))
    throw new InputError('option --baseline', `found "${baseline}", expected one of ${all.join(', ')}`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new InputError('option --systems', `two systems are called "${twice}"; name them, such as csv:first=a.csv`);
}

function failing(failed: FailedSystem[], name: string, error: unknown): [] {
  if (!(error instanceof InputError)) throw error;
  failed.push({ name, reason: error.message });
  return [];
}

/** What did not go as asked, on standard error. */
function report({ notes, tracks }: Compared, systems: readonly SystemAnswers[], { failed }: PeerComparison): void {
  for (const note of notes) console.error(note);
  for (const { name, reason } of failed) console.error(`left out: ${name}: ${reason}`);
  for (const { name, problems, notes: ofSystem } of systems) {
    for (const note of ofSystem) console.error(`${name}: ${note}`);
    if (problems.size === 0 || failed.some((one) => one.name === name)) continue;
    console.error(`${name}: no answer for ${problems.size} of ${tracks.length} tracks`);
    for (const [id, reason] of [...problems].slice(0, SHOWN_PROBLEMS)) console.error(`  ${id}: ${reason}`);
    if (problems.size > SHOWN_PROBLEMS) console.error('  and others (--format json lists all)');
  }
}

function comparisonText(result: PeerComparison): string {
  const text = ({ caption, columns, rows }: Table): string =>
    [...textTable([columns, ...rows.map((row) => row.map(String))]), '', caption].join('\n');
  const tables = [peerTable(result), ...(result.pairs.length > 0 ? [peerPairsTable(result)] : [])];
  return tables.map(text).join('\n\n');
}

function jsonOf(compared: Compared, systems: readonly SystemAnswers[], result: PeerComparison): unknown {
  const problems = systems.map(({ name, problems: own }) => [name, Object.fromEntries(own)] as const);
  return { ...result, notes: compared.notes, problems: Object.fromEntries(problems) };
}

/** One row a system: its scores, then what tells it from the baseline. */
function comparisonCsv({ rows, pairs, baseline, failed }: PeerComparison): string {
  const scores = ['weighted', 'weightedBothFifths', 'accuracy'] as const;
  const records = rows.map((row) => {
    const pair = pairs.find(({ name }) => name === row.name);
    const record: Record<string, string | number | null | undefined> = {
      system: row.name,
      n: row.n,
      unanswered: row.unanswered,
    };
    for (const score of scores) {
      record[score] = row[score].estimate;
      record[`${score}Low`] = row[score].low;
      record[`${score}High`] = row[score].high;
    }
    Object.assign(record, row.shares, { weightedOfAll: row.weightedOfAll, weightedSurestHalf: row.weightedSurestHalf });
    record.baseline = baseline;
    record.nPaired = pair?.n;
    for (const score of ['weighted', 'weightedBothFifths'] as const) {
      record[`${score}Difference`] = pair?.[score].estimate;
      record[`${score}DifferenceLow`] = pair?.[score].low;
      record[`${score}DifferenceHigh`] = pair?.[score].high;
      record[`${score}P`] = pair?.[score].p;
      record[`${score}PHolm`] = pair?.[score].pHolm;
    }
    record.onlySystem = pair?.exact.onlySystem;
    record.onlyBaseline = pair?.exact.onlyBaseline;
    record.exactP = pair?.exact.p;
    record.exactPHolm = pair?.exact.pHolm;
    return record;
  });
  const without = failed.map(({ name }) => ({ system: name, n: 0 }));
  return formatCsv(Object.keys(records.at(0) ?? { system: '', n: 0 }), [...records, ...without]);
}

/** One row a track; `keymyna compare --systems csv:` reads it again. */
function answersCsv({ reference }: Compared, systems: readonly SystemAnswers[]): string {
  const columns = ['id', 'reference', ...systems.flatMap(({ name }) => [name, `${name} confidence`])];
  const rows = reference.map(({ id, keyId }) => {
    const row: Record<string, string | number | null> = { id, reference: KEYS[keyId].label };
    for (const { name, answers } of systems) {
      const answer = answers.get(id);
      row[name] = answer ? KEYS[answer.keyId].label : null;
      row[`${name} confidence`] = answer?.confidence ?? null;
    }
    return row;
  });
  return formatCsv(columns, rows);
}
