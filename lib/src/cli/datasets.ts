/** What `keymyna data verify NAME --root DIR` and `keymyna data split` do and print. */
import {
  DATASETS,
  type DatasetProblem,
  type DatasetReport,
  makeSplits,
  type OtherModes,
  PROBLEM_KINDS,
  type ProblemKind,
  readManifest,
  type Split,
  SPLITS,
  type SplitShares,
  verifyDataset,
  writeManifest,
  writeSplitFile,
} from '../corpus/index.js';
import { readPrecomputed, saveEmbeddingTable } from '../embeddings/index.js';
import { InputError } from '../errors.js';
import { cacheOf } from './cache.js';
import { ProgressBars, stopSignal } from './program.js';
import { textTable } from './textTable.js';

export interface VerifyCommandOptions {
  readonly root?: string;
  readonly subset?: string;
  readonly modes: OtherModes;
  readonly quick?: boolean;
  readonly out?: string;
  readonly splits?: string;
  readonly allowLeakage?: boolean;
  readonly cache?: string;
  readonly rows: number;
}

/** Names that `data verify` takes with --root beside the published sets. */
export const OTHER_SETS = ['embeddings', 'manifest', 'folder'] as const;

export const isSetName = (name: string): boolean =>
  DATASETS.some((reader) => reader.name === name) || (OTHER_SETS as readonly string[]).includes(name);

/** Verifies a published data set, prints what was found, writes the manifest. Exit code 1 if something is wrong. */
export async function verifyNamed(name: string, root: string, options: VerifyCommandOptions): Promise<void> {
  const bars = new ProgressBars();
  let report: DatasetReport;
  try {
    report = await verifyDataset(name, root, {
      subset: options.subset,
      otherModes: options.modes,
      quick: options.quick,
      splits: options.splits,
      allowLeakage: options.allowLeakage,
      cache: cacheOf(options.cache),
      onProgress: bars.of('verify'),
      signal: stopSignal(),
    });
  } finally {
    bars.stop();
  }
  console.log(reportText(report, options.rows));
  if (options.out !== undefined) {
    writeManifest(options.out, report, { quick: options.quick });
    console.log(`${options.out}: ${report.tracks.length} tracks`);
  }
  if (report.isWrong) process.exitCode = 1;
}

/** A report for a person: counts, durations, labels, problems by kind, at most `maxRows` of each. */
export function reportText(report: DatasetReport, maxRows: number): string {
  const { reader, subset, root, counts, quirks, leftOut, problems, tracks } = report;
  const lines = [`${reader.title}, subset ${subset.name}: ${root}`, ''];
  const known = counts.map(({ what, found, published }) => [
    what,
    String(found),
    published === null ? 'unknown' : String(published),
    published === null ? '' : found === published ? 'ok' : 'differs',
  ]);
  lines.push(...textTable([['', 'found', 'published', ''], ...known]));
  const seconds = tracks.flatMap((track) => track.seconds ?? []).sort((a, b) => a - b);
  if (seconds.length > 0) {
    const total = seconds.reduce((sum, value) => sum + value, 0) / 3600;
    const [low, middle, high] = [seconds[0], seconds[seconds.length >> 1], seconds[seconds.length - 1]];
    lines.push(
      '',
      `durations: ${low.toFixed(1)} to ${high.toFixed(1)} s, median ${middle.toFixed(1)} s, ${total.toFixed(2)} h`,
    );
  }
  if (quirks.length > 0) {
    const rows = quirks.map(({ quirk, count, example }) => [quirk, String(count), JSON.stringify(example)]);
    lines.push('', 'labels:', ...textTable([['', 'tracks', 'such as'], ...rows]));
  }
  if (leftOut.length > 0) lines.push('', ...section(`left out: ${leftOut.length}`, leftOut, maxRows));
  for (const kind of Object.keys(PROBLEM_KINDS) as ProblemKind[]) {
    const own = problems.filter((problem) => problem.kind === kind);
    if (own.length > 0) lines.push('', ...section(`${kind}: ${own.length}`, own, maxRows));
  }
  lines.push('', `${tracks.length} tracks can be used; ${report.isWrong ? 'something is wrong' : 'nothing is wrong'}`);
  return lines.join('\n');
}

function section(title: string, rows: readonly Pick<DatasetProblem, 'id' | 'reason'>[], maxRows: number): string[] {
  const shown = rows.slice(0, maxRows);
  const more = rows.length > shown.length ? [`  and ${rows.length - shown.length} more (--rows ${rows.length})`] : [];
  return [title, ...(shown.length > 0 ? textTable(shown.map(({ id, reason }) => [id, reason])) : []), ...more];
}

/** Reads embeddings of another program, says what they are, and writes them as our table. */
export function verifyEmbeddings(path: string, out: string | undefined): void {
  const table = readPrecomputed(path);
  console.log(`${path}: ${table.nClips} clips of ${table.trackIds.length} tracks, width ${table.width}`);
  if (out !== undefined) {
    saveEmbeddingTable(out, table);
    console.log(`${out}: written as keymyna embed writes it`);
  }
}

export interface SplitCommandOptions {
  readonly out: string;
  readonly seed: number;
  readonly shares: SplitShares;
  readonly cache?: string;
}

/** Reads `train=.7,valid=.15,test=.15`. @throws InputError naming the option */
export function readShares(text: string): SplitShares {
  const entries = text.split(',').map((part): [Split, number] => {
    const [name, share] = part.split('=').map((side) => side.trim());
    if (!SPLITS.includes(name as Split) || !(Number(share) > 0))
      throw new InputError('option --shares', `found "${text}", expected such as train=.7,valid=.15,test=.15`);
    return [name as Split, Number(share)];
  });
  return Object.fromEntries(entries);
}

/** Divides the tracks of a manifest into splits, by artist and by checksum, and says how they came out. */
export async function splitManifest(manifest: string, options: SplitCommandOptions): Promise<void> {
  const { out, seed, shares } = options;
  const bars = new ProgressBars();
  try {
    // A manifest may come with splits of its own, leaking ones too; they are about to be replaced.
    const { tracks } = await readManifest(manifest, {
      allowLeakage: true,
      cache: cacheOf(options.cache),
      onProgress: bars.of('read'),
      signal: stopSignal(),
    });
    bars.stop();
    const candidates = tracks.map(({ id, keyId, group, labels, source }) => ({
      id,
      keyId,
      groups: [
        `artist ${group}`,
        ...(source.kind === 'file' ? [`file ${source.path}`] : []),
        ...(labels.checksum ? [`checksum ${labels.checksum}`] : []),
      ],
    }));
    const splits = makeSplits(candidates, { shares, seed });
    writeSplitFile(out, splits);
    const counts = SPLITS.filter((name) => shares[name] !== undefined).map((name) => {
      const own = tracks.filter(({ id }) => splits.get(id) === name);
      return `${name} ${own.length} (${new Set(own.map(({ keyId }) => keyId)).size} keys)`;
    });
    console.log(`${out}: ${tracks.length} tracks, ${counts.join(', ')}`);
  } finally {
    bars.stop();
  }
}
