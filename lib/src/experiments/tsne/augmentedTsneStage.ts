/** Stage of 06: maps of every encoder from several starts, with the copies placed on them; each map is a unit. */
import { existsSync } from 'node:fs';
import { configId, readSafetensors } from '../../store/index.js';
import type { Points } from '../../tsne/index.js';
import { augmentedEncoders } from '../augmented/augmentedTables.js';
import { clipIndex, copyChains, mapPointsOf, rowsOf, shuffledColumns, writePoints } from './augmentedTsnePoints.js';
import { tablePath } from '../features/embeddingTables.js';
import type { EncoderOfSeed } from '../pretraining/jobs.js';
import { type Run, STAGES_VERSION } from '../run/run.js';
import { runStage } from '../run/stages.js';

/** Neighbours that a map looks at, unless perplexity is what is looked at. */
export const PERPLEXITY = 30;

/** Which clips of an encoder are mapped. */
export type MapContent = 'clips and copies' | 'clips' | 'shuffled' | 'few';

/** One map to make. */
export interface MapRequest {
  readonly encoder: EncoderOfSeed;
  readonly content: MapContent;
  readonly program: 'keymyna' | 'tsne-js';
  readonly start: 'pca' | 'random';
  readonly seed: number;
  readonly perplexity: number;
}

/** A request as a worker thread sees it. */
export interface TsneUnit {
  /** A file of `writePoints`. */
  readonly points: string;
  readonly program: 'keymyna' | 'tsne-js';
  readonly start: 'pca' | 'random';
  readonly seed: number;
  readonly perplexity: number;
  /** Iterations after which the map is kept; the last is the map. */
  readonly iterations: readonly number[];
  readonly path: string;
}

/** Iterations at which a map is looked at. */
export const LOOKS = [0, 50, 100, 250, 300, 400, 500, 750, 1000] as const;

/** A finished map. */
export interface FinishedMap {
  readonly iterations: readonly number[];
  /** KL in nats at each of `iterations` */
  readonly klDivergence: readonly number[];
  /** Per iteration [n, 2] */
  readonly maps: readonly Points[];
  /** [m, 2] */
  readonly copies: Points;
}

/** The encoders whose maps are made: of the first seed of pretraining. */
export function mappedEncoders(run: Run): EncoderOfSeed[] {
  const encoders = augmentedEncoders(run);
  const first = encoders[0].seed;
  return ORDER.flatMap((id) => encoders.filter(({ name, seed }) => name.id === id && seed === first));
}

/** The order in which they are shown; the first is the one that single maps are of. */
const ORDER = ['vertical-pretrained', 'square-pretrained', 'vertical-random'];

/** Every map of a run. */
export function mapRequests(run: Run): MapRequest[] {
  const { seeds, tsneJsSeeds, perplexities } = run.preset.tsne;
  const encoders = mappedEncoders(run);
  const ours = { program: 'keymyna', perplexity: PERPLEXITY } as const;
  const wholes = encoders.flatMap((encoder) => [
    { ...ours, encoder, content: 'clips and copies' as const, start: 'pca' as const, seed: 0 },
    ...seeds.map((seed) => ({
      ...ours,
      encoder,
      content: 'clips and copies' as const,
      start: 'random' as const,
      seed,
    })),
  ]);
  const encoder = encoders[0];
  const perplexity = (['clips', 'shuffled'] as const).flatMap((content) =>
    perplexities.map((value) => ({ ...ours, encoder, content, start: 'pca' as const, seed: 0, perplexity: value })),
  );
  const few = tsneJsSeeds.flatMap((seed) =>
    (['tsne-js', 'keymyna'] as const).map((program) => ({
      ...ours,
      encoder,
      content: 'few' as const,
      program,
      start: 'random' as const,
      seed,
    })),
  );
  return [...few, { ...ours, encoder, content: 'few', start: 'pca', seed: 0 }, ...wholes, ...perplexity];
}

/** Everything that the points of an encoder depend on. */
function pointsId(run: Run, encoder: EncoderOfSeed, content: MapContent): string {
  return configId({
    tsnePoints: STAGES_VERSION,
    tables: ['train', 'valid', 'test'].map((split) =>
      tablePath(run, encoder, split as 'train').slice(run.cache.root.length),
    ),
    augmented: run.preset.augmented,
    chains: copyChains(run),
    content,
    few: content === 'few' ? run.preset.tsne.tsneJsClips : null,
    backend: run.backend,
  });
}

function unitOf(run: Run, request: MapRequest): TsneUnit {
  const { encoder, content, program, start, seed, perplexity } = request;
  const iterations = program === 'keymyna' && content === 'clips and copies' ? LOOKS : [0, 1000];
  const points = run.cache.path('tsne-points', pointsId(run, encoder, content), 'safetensors');
  const how = { program, start, seed, perplexity, iterations };
  const id = configId({ tsne: STAGES_VERSION, points: points.slice(run.cache.root.length), ...how });
  return { points, ...how, path: run.cache.path('tsne', id, 'safetensors') };
}

/** The clips of `few`: the first of each test track, as many as the preset says. */
export function fewClips(run: Run): number[] {
  const { tracks, trackOf, clipOf } = clipIndex(run, mappedEncoders(run)[0]);
  const rows = Array.from(trackOf, (_, row) => row).filter((row) => clipOf[row] === 0 && tracks[trackOf[row]].split === 'test'); // prettier-ignore
  return rows.slice(0, run.preset.tsne.tsneJsClips);
}

function makePoints(run: Run, { encoder, content }: MapRequest, path: string): void {
  if (existsSync(path)) return;
  const { clean, copies } = mapPointsOf(run, encoder);
  const none: Points = { data: new Float32Array(0), shape: [0, clean.shape[1]] };
  if (content === 'clips and copies') writePoints(path, { clean, copies });
  else if (content === 'clips') writePoints(path, { clean, copies: none });
  else if (content === 'shuffled') writePoints(path, { clean: shuffledColumns(clean), copies: none });
  else writePoints(path, { clean: rowsOf(clean, fewClips(run)), copies: none });
}

/** Makes every map that is missing. The stage `augmented` must have run. */
export async function computeTsne(run: Run): Promise<void> {
  const units = mapRequests(run).map((request) => {
    const item = unitOf(run, request);
    const isDone = existsSync(item.path);
    if (!isDone) makePoints(run, request, item.points);
    return { item, weight: request.content === 'clips and copies' ? 2 : 1, isDone };
  });
  await runStage(run, 'tsne', units, new URL('./augmentedTsneTask.js', import.meta.url), 'augmentedTsneTask');
}

/** A map that the stage made. */
export function finishedMap(run: Run, request: MapRequest): FinishedMap {
  const { tensors, metadata } = readSafetensors(unitOf(run, request).path);
  const iterations = JSON.parse(metadata.iterations) as number[];
  const cloud = (name: string): Points => {
    const { data, shape } = tensors.get(name)!;
    return { data: data as Float32Array, shape: [shape[0], shape[1]] };
  };
  return {
    iterations,
    klDivergence: JSON.parse(metadata.klDivergence) as number[],
    maps: iterations.map((iteration) => cloud(`map-${iteration}`)),
    copies: cloud('copies'),
  };
}
