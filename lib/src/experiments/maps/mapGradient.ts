/** 07: the paper's form of the fit, a bias-free layer trained by gradient steps, against the closed form. */
import { applyMap, fitMapByGradient, type GradientFitConfig, matrixOf, type RidgeTarget } from '../../maps/index.js';
import { trackStatistics, trackSums, type AugmentationMap } from '../../maps/index.js';
import { ratioOfDistances } from './mapAlgebra.js';
import type { FittedChain } from './mapFits.js';
import type { GradientRow } from './mapMeasurements.js';
import { rounded } from '../run/run.js';

/** Full batches: what is left between the two is then the optimizer alone. */
const OPTIMIZERS: readonly Partial<GradientFitConfig>[] = [
  { optimizer: 'adam', learningRate: 1e-2, epochs: 1000 },
  { optimizer: 'sgd', learningRate: 1, epochs: 1000 },
];

/** Each map by Adam and by SGD, with the ridge and target of its closed form. */
export async function fitByGradient(fitted: readonly FittedChain[]): Promise<GradientRow[]> {
  const rows: GradientRow[] = [];
  for (const { pairs, maps } of fitted)
    for (const optimizer of OPTIMIZERS) {
      const closed = maps.linear;
      const { ridge, towards } = closed.fit!;
      const start: RidgeTarget = towards;
      const { map } = await fitMapByGradient(pairs.train, {
        name: closed.name,
        config: { ...optimizer, batchSize: pairs.train.n, ridge, towards, start },
      });
      const { clean } = pairs.test;
      const explained = (one: AugmentationMap): number => {
        const sums = trackSums(one, pairs.test, { train: pairs.train, similarity: null });
        return rounded(trackStatistics(sums).explainedChange(Array.from(sums.clips, (_, track) => track)));
      };
      const eye = matrixOf({ ...closed, matrix: null });
      rows.push({
        augmentation: closed.name,
        optimizer: optimizer.optimizer!,
        ridge,
        towards,
        epochs: optimizer.epochs!,
        matrixGap: ratioOfDistances(matrixOf(map), matrixOf(closed), eye),
        predictionGap: ratioOfDistances(applyMap(map, clean), applyMap(closed, clean), clean),
        explainedChangeGradient: explained(map),
        explainedChangeClosed: explained(closed),
      });
    }
  return rows;
}
