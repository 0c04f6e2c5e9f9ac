/**
 * tsne/: maps of embeddings, cut at the joints of the algorithm: affinities, initialization, optimization in stages,
 * transform of new points onto a fixed map, neighbour measures. `tsne(points)` does it all. Imports tensor only.
 */
export { tsne, type TsneMap, type TsneOptions } from './tsne.js';
export { type Points } from './points.js';
export { type Neighbours, nearestNeighbours } from './neighbours.js';
export { forestNeighbours, type ForestOptions } from './forest.js';
export {
  type Affinities,
  affinities,
  type AffinityOptions,
  conditionalProbabilities,
  jointProbabilities,
  type SparseMatrix,
} from './affinities.js';
export { type PrincipalComponents, principalComponents } from './principal.js';
export { pcaInitialization, randomInitialization, rescale, START_DEVIATION } from './initialization.js';
export { type Repulsion } from './forces.js';
export { exactGradient, fastGradient, klDivergence } from './objective.js';
export {
  type MapProgress,
  type MapState,
  optimize,
  type OptimizeOptions,
  type Stage,
  STAGES,
  startState,
} from './optimize.js';
export { type FittedMap, transform, type Transformed, type TransformOptions } from './transform.js';
export { tsneJs, type TsneJsMap, type TsneJsOptions } from './tsneJs.js';
export { asPoints, neighbourAccuracy, neighbourPreservation, partnerRanks, trustworthiness } from './measures.js';
