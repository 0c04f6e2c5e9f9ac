/** Splits as files: a CSV `id,split`; a maker that keeps groups together and keys balanced. */
import { InputError } from '../errors.js';
import { NUM_KEYS } from '../keys/index.js';
import { formatCsv, parseCsv, readText, writeFileAtomic } from '../store/index.js';
import { createRng } from '../tensor/index.js';
import { type Split, SPLITS } from './split.js';

/** Shares of the splits, each above 0, adding up to 1. */
export type SplitShares = Readonly<Partial<Record<Split, number>>>;

export const DEFAULT_SHARES: SplitShares = { train: 0.7, valid: 0.15, test: 0.15 };

/** A track as the maker sees it. */
export interface SplitCandidate {
  readonly id: string;
  readonly keyId: number | null;
  /** Tracks that share any of these stay together: artist, checksum, file. */
  readonly groups: readonly string[];
}

/** Reads `id,split`. @throws InputError naming file and line: no such columns, an unknown split, an id twice */
export function readSplitFile(path: string): Map<string, Split> {
  const { columns, rows } = parseCsv(readText(path), path);
  for (const name of ['id', 'split'])
    if (!columns.includes(name))
      throw new InputError(path, `has columns ${columns.join(', ')}; the columns id and split are needed`);
  const splits = new Map<string, Split>();
  for (const { line, fields } of rows) {
    const { id, split } = fields;
    if (id === '') throw new InputError(`${path} line ${line}, column id`, 'is empty, expected the id of a track');
    if (splits.has(id)) throw new InputError(`${path} line ${line}, column id`, `the id "${id}" was used before`);
    if (!SPLITS.includes(split as Split))
      throw new InputError(
        `${path} line ${line}, column split`,
        `"${split}" is no split; expected ${SPLITS.join(', ')}`,
      );
    splits.set(id, split as Split);
  }
  return splits;
}

/** Writes `id,split`, in the order of the map. Atomic. */
export function writeSplitFile(path: string, splits: ReadonlyMap<string, Split>): void {
  writeFileAtomic(path, formatCsv(['id', 'split'], [...splits].map(([id, split]) => ({ id, split })))); // prettier-ignore
}

/** The split of each id; null for an id that the file does not name. @throws InputError if it names ids that are not there */
export function splitsOf(path: string, ids: readonly string[]): (Split | null)[] {
  const splits = readSplitFile(path);
  const known = new Set(ids);
  const strangers = [...splits.keys()].filter((id) => !known.has(id));
  if (strangers.length > 0)
    throw new InputError(
      path,
      `names ${strangers.length} of ${splits.size} tracks that are not there, the first is "${strangers[0]}"; ` +
        'a split is comparable only on the same tracks',
    );
  return ids.map((id) => splits.get(id) ?? null);
}

/**
 * Divides tracks into splits by iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011) over whole groups:
 * the largest group first, each into the split that lacks most of its keys. The same tracks, shares and seed give the
 * same splits, in any order of the tracks.
 * @throws InputError if the shares do not add up to 1, an id occurs twice, or there are fewer groups than splits
 */
export function makeSplits(
  tracks: readonly SplitCandidate[],
  options: { readonly shares?: SplitShares; readonly seed?: number } = {},
): Map<string, Split> {
  const { shares = DEFAULT_SHARES, seed = 0 } = options;
  const names = SPLITS.filter((name) => shares[name] !== undefined);
  assertShares(shares, names);
  const found = groupsOf(tracks);
  if (found.length < names.length)
    throw new InputError(
      'makeSplits',
      `${tracks.length} tracks in ${found.length} groups cannot fill ${names.length} splits`,
    );
  const order = createRng(`splits ${seed}`).permutation(found.length);
  const groups = Array.from(order, (i) => found[i]).sort((a, b) => b.length - a.length);

  const total = countKeys(tracks);
  const lacking = names.map((name) => total.map((count) => shares[name]! * count));
  const lackingAll = names.map((name) => shares[name]! * tracks.length);
  const splitOf = new Map<string, Split>();
  for (const group of groups) {
    const counts = countKeys(group);
    const wanted = lacking.map((own) => counts.reduce((sum, count, key) => sum + count * own[key], 0));
    let best = 0;
    for (let s = 1; s < names.length; s++) {
      const gain = wanted[s] - wanted[best];
      if (gain > 1e-9 || (gain > -1e-9 && lackingAll[s] > lackingAll[best] + 1e-9)) best = s;
    }
    counts.forEach((count, key) => (lacking[best][key] -= count));
    lackingAll[best] -= group.length;
    for (const { id } of group) splitOf.set(id, names[best]);
  }
  return new Map(tracks.map(({ id }) => [id, splitOf.get(id)!]));
}

function assertShares(shares: SplitShares, names: readonly Split[]): void {
  const sum = names.reduce((total, name) => total + shares[name]!, 0);
  if (names.length === 0 || names.some((name) => !(shares[name]! > 0)) || Math.abs(sum - 1) > 1e-6)
    throw new InputError(
      'shares',
      `found ${names.map((name) => `${name}=${shares[name]}`).join(',')}; expected shares above 0 that add up to 1`,
    );
}

/** Tracks of each key; the last place is for tracks without one. */
function countKeys(tracks: readonly SplitCandidate[]): number[] {
  const counts = new Array<number>(NUM_KEYS + 1).fill(0);
  for (const { keyId } of tracks) counts[keyId ?? NUM_KEYS]++;
  return counts;
}

/** Tracks that share a group, directly or through others, together; in the order of their smallest ids. */
function groupsOf(tracks: readonly SplitCandidate[]): SplitCandidate[][] {
  const sorted = [...tracks].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const parent = sorted.map((_, i) => i);
  const rootOf = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  };
  const member = new Map<string, number>();
  sorted.forEach(({ id, groups }, i) => {
    if (i > 0 && sorted[i - 1].id === id) throw new InputError('makeSplits', `the id "${id}" occurs twice`);
    for (const group of groups) {
      const other = member.get(group);
      if (other === undefined) member.set(group, i);
      else parent[Math.max(rootOf(i), rootOf(other))] = Math.min(rootOf(i), rootOf(other));
    }
  });
  const byRoot = new Map<number, SplitCandidate[]>();
  sorted.forEach((track, i) => {
    const root = rootOf(i);
    if (!byRoot.has(root)) byRoot.set(root, []);
    byRoot.get(root)!.push(track);
  });
  return [...byRoot.values()];
}
