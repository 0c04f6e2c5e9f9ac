/** What a worker thread does for one map: fit it on the clean clips, look at it on the way, place the copies. */
import { float32, type StoredTensor, writeSafetensors } from '../../store/index.js';
import { initBackend } from '../../tensor/index.js';
import {
  affinities,
  type Affinities,
  klDivergence,
  optimize,
  pcaInitialization,
  type Points,
  randomInitialization,
  type Stage,
  STAGES,
  startState,
  transform,
  tsneJs,
} from '../../tsne/index.js';
import { readPoints } from './augmentedTsnePoints.js';
import type { TsneUnit } from './augmentedTsneStage.js';
import { type Span, type StageItem, stageTask } from '../run/stages.js';

/** Factory for `runStage`: a backend of its own for this thread, then map after map. */
export async function augmentedTsneTask(init: unknown): Promise<(message: StageItem<TsneUnit>) => Promise<Span>> {
  await initBackend();
  return stageTask<TsneUnit>(init, async (unit) => {
    const { clean, copies } = readPoints(unit.points);
    const p = await affinities(clean, { perplexity: unit.perplexity });
    const maps = await mapsOf(unit, clean, p);
    const mapPoints = maps.get(unit.iterations.at(-1)!)!;
    const placed = await transform({ points: clean, mapPoints }, copies);
    const tensors = new Map<string, StoredTensor>([
      ...[...maps].map(([at, map]) => [`map-${at}`, float32([map.length / 2, 2], map)] as const),
      ['copies', float32([placed.mapPoints.length / 2, 2], placed.mapPoints)],
    ]);
    writeSafetensors(unit.path, tensors, {
      iterations: JSON.stringify(unit.iterations),
      klDivergence: JSON.stringify([...maps.values()].map((map) => klDivergence(p.matrix, map))),
    });
  });
}

/** The map at each of the unit's iterations, in ascending order. */
async function mapsOf(unit: TsneUnit, points: Points, p: Affinities): Promise<Map<number, Float32Array>> {
  const { start, seed, iterations, program } = unit;
  const begin = start === 'pca' ? pcaInitialization(points) : randomInitialization(points.shape[0], seed);
  const maps = new Map([[0, begin]]);
  const last = iterations.at(-1)!;
  if (program === 'tsne-js') {
    const { mapPoints } = await tsneJs(points, { seed, perplexity: p.perplexity, iterations: last });
    return maps.set(last, mapPoints);
  }
  let state = startState(begin);
  for (const to of iterations.slice(1)) {
    // The early stage ends at 250, which is one of the looks or before the only one.
    const parts = state.iteration < STAGES.early.iterations ? [Math.min(to, STAGES.early.iterations), to] : [to];
    for (const end of parts) {
      const stage: Stage = state.iteration < STAGES.early.iterations ? STAGES.early : STAGES.main;
      if (end > state.iteration) state = await optimize(p, state, { ...stage, iterations: end - state.iteration });
    }
    maps.set(to, state.mapPoints);
  }
  return maps;
}
