/**
 * A reader's own data sets and published weights in the place of the embedded corpus and of pretraining: one JSON file
 * that names them, so that a run can be repeated and shown.
 */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import {
  checksumOf,
  type Corpus,
  embeddedCorpus,
  readDataset,
  readManifest,
  type Split,
  SPLITS,
  type Track,
  validateCorpus,
} from '../../corpus/index.js';
import { loadCheckpoint, saveCheckpoint, weightsId } from '../../encoder/index.js';
import { InputError } from '../../errors.js';
import { type Cache, readJson } from '../../store/index.js';
import { PATCHINGS, type PatchVariant } from '../../views/index.js';
import type { ExperimentPreset, PublishedEncoder } from './presets.js';

/** A published data set in its layout (see `DATASETS`), or a manifest. Paths start at the file that names them. */
interface DataSource {
  readonly dataset?: string;
  readonly root?: string;
  readonly subset?: string;
  readonly manifest?: string;
  /** CSV `id,split`, as `keymyna data split` writes it. */
  readonly splits?: string;
  /** The split of all its tracks: GiantSteps key, for one, is a test set as a whole. */
  readonly split?: Split;
}

interface DataFile {
  readonly sets?: readonly DataSource[];
  /** Checkpoints by patches. */
  readonly weights?: { readonly [P in PatchVariant]?: string };
  /** Lets an artist or a recording stand in several splits, for those who must repeat such a split. */
  readonly allowLeakage?: boolean;
}

export interface ReadersData {
  /** The tracks of all sets; unseen timbre is the embedded corpus', unless a set has tracks of its own for it. */
  readonly corpus: Corpus | null;
  readonly published: ExperimentPreset['published'];
}

export interface ReadersDataOptions {
  readonly cache: Cache;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

const FIELDS = {
  file: ['sets', 'weights', 'allowLeakage'],
  set: ['dataset', 'root', 'subset', 'manifest', 'splits', 'split'],
} as const;

/**
 * Reads the file and everything that it names. Weights are kept in the cache under their content.
 * @throws InputError naming file and field: unknown fields, sets that cannot be read, tracks without a split, a split
 *   without tracks, leaks between splits, weights that are no encoder of those patches
 */
export async function readersData(
  path: string,
  preset: ExperimentPreset,
  options: ReadersDataOptions,
): Promise<ReadersData> {
  const file = readJson(path) as DataFile;
  assertFields(path, file, FIELDS.file);
  const { sets = [], weights = {}, allowLeakage = false } = file;
  if (sets.length === 0 && Object.keys(weights).length === 0)
    throw new InputError(path, 'names neither sets nor weights; see "Your own data" in README.md');
  return {
    corpus: sets.length === 0 ? null : await corpusOf(path, sets, allowLeakage, preset, options),
    published: publishedOf(path, weights, options.cache),
  };
}

function assertFields(where: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InputError(where, `an object with the fields ${known.join(', ')} was expected`);
  for (const name of Object.keys(value))
    if (!known.includes(name))
      throw new InputError(where, `field "${name}" is unknown; expected of ${known.join(', ')}`);
}

const from = (file: string, path: string): string => (isAbsolute(path) ? path : join(dirname(file), path));

async function corpusOf(
  path: string,
  sets: readonly DataSource[],
  allowLeakage: boolean,
  preset: ExperimentPreset,
  options: ReadersDataOptions,
): Promise<Corpus> {
  const read: Corpus[] = [];
  for (const [i, set] of sets.entries())
    read.push(await readSet(`${path}, sets[${i}]`, path, set, allowLeakage, options));
  const ownTracks = read.flatMap(({ name, tracks }) =>
    tracks.map((track) => ({ ...track, id: `${name}/${track.id}` })),
  );
  const hasUnseen = ownTracks.some(({ split }) => split === 'testTimbre');
  const { sizes, ...drawn } = preset.corpus;
  const composed = embeddedCorpus({
    ...drawn,
    sizes: { train: 0, valid: 0, test: 0, testTimbre: hasUnseen ? 0 : sizes.testTimbre },
  });
  const tracks = [...ownTracks, ...composed.tracks];
  for (const split of SPLITS)
    if (!tracks.some((track) => track.split === split))
      throw new InputError(path, `no track is in split ${split}; give a set the field splits or split`);
  const corpus = {
    name: [...new Set(read.map(({ name }) => name)), ...(hasUnseen ? [] : ['unseen timbre: embedded corpus'])].join(
      ', ',
    ),
    tracks,
    config: { sets: read.map(({ name, config }) => ({ name, config })), composed: composed.config },
    skipped: read.flatMap(({ skipped }) => skipped),
  };
  validateCorpus(corpus, { allowLeakage });
  return corpus;
}

/** The labelled tracks of a set with their splits, each with the checksum of its file. */
async function readSet(
  where: string,
  path: string,
  set: DataSource,
  allowLeakage: boolean,
  { cache, onProgress, signal }: ReadersDataOptions,
): Promise<Corpus> {
  assertFields(where, set, FIELDS.set);
  const splits = set.splits === undefined ? undefined : from(path, set.splits);
  if (set.split !== undefined && !SPLITS.includes(set.split))
    throw new InputError(`${where}, split`, `"${set.split}" is no split; expected one of ${SPLITS.join(', ')}`);
  const common = { splits, allowLeakage, cache, onProgress, signal };
  let corpus: Corpus;
  if (set.dataset !== undefined && set.root !== undefined && set.manifest === undefined)
    corpus = await readDataset(set.dataset, from(path, set.root), { ...common, subset: set.subset });
  else if (set.manifest !== undefined && set.dataset === undefined && set.root === undefined)
    corpus = { ...(await readManifest(from(path, set.manifest), common)), name: 'manifest' };
  else throw new InputError(where, 'expected either dataset and root, or manifest');
  const tracks: Track[] = [];
  for (const track of corpus.tracks) {
    const split = set.split ?? track.split;
    if (split === null)
      throw new InputError(
        where,
        `track ${track.id} has no split; give the set the field split, or splits with a CSV of keymyna data split`,
      );
    if (track.keyId === null || track.source.kind !== 'file') continue; // a manifest's row without a key
    const checksum = track.labels.checksum ?? (await checksumOf(track.source.path, { cache, signal }));
    tracks.push({ ...track, split, labels: { ...track.labels, checksum } });
  }
  return { ...corpus, tracks, config: { of: corpus.config, contents: tracks.map(({ labels, split }) => [labels.checksum, split]) } }; // prettier-ignore
}

function publishedOf(
  path: string,
  weights: NonNullable<DataFile['weights']>,
  cache: Cache,
): ExperimentPreset['published'] {
  const where = `${path}, weights`;
  assertFields(where, weights, Object.keys(PATCHINGS));
  const published: { [P in PatchVariant]?: PublishedEncoder } = {};
  for (const [patches, file] of Object.entries(weights) as [PatchVariant, string][]) {
    const { encoder } = loadCheckpoint(from(path, file), { patches });
    try {
      const id = weightsId(encoder);
      const kept = join(publishedFolder(cache, id), 'encoder.safetensors');
      if (!existsSync(kept)) saveCheckpoint(kept, encoder);
      published[patches] = { id, config: encoder.config };
    } finally {
      encoder.dispose();
    }
  }
  return published;
}

/** Where published weights lie in the cache. */
export function publishedFolder(cache: Cache, id: string): string {
  return cache.folder('published', id);
}

function sizesOf({ tracks }: Corpus): ExperimentPreset['corpus']['sizes'] {
  const count = (split: Split): number => tracks.filter((track) => track.split === split).length;
  return { train: count('train'), valid: count('valid'), test: count('test'), testTimbre: count('testTimbre') };
}

/** The preset as it runs on a reader's data: the sizes as they are, one seed where weights have but one. */
export function presetFor(preset: ExperimentPreset, { corpus, published }: ReadersData): ExperimentPreset {
  const onData = corpus ? { ...preset, corpus: { ...preset.corpus, sizes: sizesOf(corpus) } } : preset;
  if (!published || Object.keys(published).length === 0) return onData;
  const seeds = preset.seeds.slice(0, 1);
  return {
    ...onData,
    published,
    patches: [...new Set([...(Object.keys(published) as PatchVariant[]), ...preset.patches])],
    seeds,
    layerSeeds: seeds,
    augmented: { ...preset.augmented, seeds },
    variants: [],
  };
}
