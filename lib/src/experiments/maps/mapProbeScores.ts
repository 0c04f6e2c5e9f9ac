/** 07: scores of the probes trained with and without maps. */
import { PAPER_AUGMENT } from '../../maps/index.js';
import { mean, meanOfArrays, pairedBootstrap } from '../../stats/index.js';
import { CLEAN, robustnessChains, chainShift } from '../augmented/augmentedSets.js';
import { augmentedTracks, loadAugmented } from '../augmented/augmentedTables.js';
import { loadTable } from '../features/embeddingTables.js';
import type { MapProbeDifference, MapProbeMeasurement, MapProbeRow, ProbeTestId } from './mapProbeMeasurements.js';
import {
  heardChains,
  keysUnder,
  mapProbeResult,
  type MapProbeMethod,
  type MapProbeResult,
  mapProbeSeeds,
  PROBE_VARIANTS,
  type ProbeVariant,
} from './mapProbes.js';
import { keysOf, measured, rounded, type Run } from '../run/run.js';
import { drawnFor, FIFTH_ABOVE, intervalOver, trackMeans } from '../probing/scores.js';

const TESTS: readonly ProbeTestId[] = ['test', 'testTimbre', 'augmented', 'shifted', 'timbreAugmented'];
const METHODS: readonly MapProbeMethod[] = ['linear', 'mlp'];

/** Each variant against training on clean clips alone, and what stands in for audio against audio. */
const COMPARED: readonly (readonly [string, string])[] = [
  ['part-audio', 'part-none'],
  ['part-maps', 'part-none'],
  ['part-means', 'part-none'],
  ['part-maps', 'part-audio'],
  ['part-maps', 'part-means'],
  ['part-audio-shifts', 'part-none'],
  ['part-map-shifts', 'part-none'],
  ['part-map-shifts', 'part-audio-shifts'],
  ['whole-maps', 'whole-none'],
  ['whole-map-shifts', 'whole-none'],
];

/** Probes of every variant on clean and on augmented test audio. */
export function mapProbes(run: Run): Promise<MapProbeMeasurement> {
  return measured(run, 'map-probes', { PROBE_VARIANTS, COMPARED }, (base) => {
    const seeds = mapProbeSeeds(run);
    const references = referencesOf(run);
    const byMethod = METHODS.map((method) => ({ method, results: seeds.map((of) => mapProbeResult(run, method, of)) }));
    const [{ encoder }] = seeds;
    const [part, whole] = [loadAugmented(run, encoder, 'train', CLEAN), loadTable(run, encoder, 'train')];
    return {
      ...base,
      encoder: encoder.name.label,
      seeds: seeds.length,
      part: { clips: part.nClips, tracks: augmentedTracks(run, 'train').length },
      whole: { clips: whole.nClips, tracks: whole.trackIds.length },
      probability: PAPER_AUGMENT.probability,
      rows: byMethod.flatMap(({ method, results }) =>
        PROBE_VARIANTS.flatMap((variant) =>
          TESTS.map((test) => rowOf(run, method, variant, test, results, references[test])),
        ),
      ),
      differences: byMethod.flatMap(({ method, results }) =>
        COMPARED.flatMap(([a, b]) =>
          TESTS.map((test) => differenceOf(run, method, [a, b], test, results, references[test])),
        ),
      ),
    };
  });
}

type References = Readonly<Record<ProbeTestId, readonly (readonly number[])[]>>;

/** The key of each track of every table. */
function referencesOf(run: Run): References {
  const timbreChains = robustnessChains(run.preset).filter((chain) => chain.length > 0 && chainShift(chain) === 0);
  return {
    test: [[...keysOf(run, 'test')]],
    testTimbre: [[...keysOf(run, 'testTimbre')]],
    augmented: heardChains(run, 'augmentations').map((chain) => keysUnder(run, 'test', chain)),
    shifted: heardChains(run, 'shifts').map((chain) => keysUnder(run, 'test', chain)),
    timbreAugmented: timbreChains.map((chain) => keysUnder(run, 'testTimbre', chain)),
  };
}

/** [T] mean score of each track over the ways of hearing it. */
function scoresOf(
  result: MapProbeResult,
  variant: string,
  test: ProbeTestId,
  references: References[ProbeTestId],
): Float64Array {
  const perTable = result[variant][test].map((estimated, i) => trackMeans(references[i], [estimated], FIFTH_ABOVE));
  return meanOfArrays(perTable);
}

function rowOf(
  run: Run,
  method: MapProbeMethod,
  { id, label, trainOn }: ProbeVariant,
  test: ProbeTestId,
  results: readonly MapProbeResult[],
  references: References[ProbeTestId],
): MapProbeRow {
  const perSeed = results.map((result) => scoresOf(result, id, test, references));
  return {
    method,
    variant: id,
    label,
    trainOn,
    test,
    n: references[0].length,
    ways: references.length,
    weighted: intervalOver(run, meanOfArrays(perSeed)),
    perSeed: perSeed.map((one) => rounded(mean(one))),
  };
}

function differenceOf(
  run: Run,
  method: MapProbeMethod,
  [a, b]: readonly [string, string],
  test: ProbeTestId,
  results: readonly MapProbeResult[],
  references: References[ProbeTestId],
): MapProbeDifference {
  const scores = [a, b].map((variant) => meanOfArrays(results.map((result) => scoresOf(result, variant, test, references)))); // prettier-ignore
  const { difference, low, high, pValue } = pairedBootstrap(scores[0], scores[1], {
    drawn: drawnFor(run, scores[0].length),
  });
  return {
    method,
    trainOn: PROBE_VARIANTS.find(({ id }) => id === a)!.trainOn,
    a,
    b,
    test,
    n: scores[0].length,
    difference: { estimate: rounded(difference), low: rounded(low), high: rounded(high) },
    pValue: rounded(pValue),
  };
}
