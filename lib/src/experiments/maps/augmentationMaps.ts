/** 07: the measurements of the augmentation maps: what the stage left of each encoder and seed, with intervals. */
import { CIRCLE_OF_FIFTHS, KEYS } from '../../keys/index.js';
import {
  rankForShare,
  shiftStatistics,
  type TrackStatistic,
  trackStatistics,
  type TrackSums,
} from '../../maps/index.js';
import { bootstrapInterval, mean, type Resamples } from '../../stats/index.js';
import { chainName, chainShift } from '../augmented/augmentedSets.js';
import { augmentedEncoders } from '../augmented/augmentedTables.js';
import type { CycleResult, KeyShiftResult, StoredShiftSums } from './mapAlgebra.js';
import type { StoredSums } from './mapFits.js';
import type {
  CompositionKind,
  CompositionMeasurement,
  CompositionRow,
  CycleRow,
  FittedKind,
  GradientMeasurement,
  InverseRow,
  KeyMoveMatrix,
  KeyShiftRow,
  MapMeasures,
  MapAccuracyMeasurement,
  MapRankMeasurement,
  MapRankRow,
  MapRow,
  PairCounts,
  PowerRow,
  ShiftMeasurement,
} from './mapMeasurements.js';
import { mainEncoders, mapResult, type MapUnitResult } from './mapUnits.js';
import type { EncoderName, Interval } from '../measurements.js';
import { measured, rounded, type Run } from '../run/run.js';
import { drawnFor } from '../probing/scores.js';

/** Of some hundred intervals each; more resamples would move them by less than their third digit. */
const RESAMPLES = 2000;

/** Names every encoder once, with the results of its seeds. */
interface EncoderResults {
  readonly encoder: EncoderName;
  readonly seeds: readonly MapUnitResult[];
}

function resultsOf(run: Run): EncoderResults[] {
  const groups = new Map<string, { encoder: EncoderName; seeds: MapUnitResult[] }>();
  for (const one of augmentedEncoders(run)) {
    const group = groups.get(one.name.id) ?? { encoder: one.name, seeds: [] };
    group.seeds.push(mapResult(run, one));
    groups.set(one.name.id, group);
  }
  // The paper's encoder first.
  return [...groups.values()].sort((a, b) => Number(isMain(b.encoder)) - Number(isMain(a.encoder)));
}

const isMain = ({ id }: EncoderName): boolean => id === 'vertical-pretrained';

function pairsOf(results: readonly EncoderResults[]): PairCounts {
  return results[0].seeds[0].pairs;
}

/** The mean of a statistic over seeds, with its interval over tracks; what is passed says it of a sample of tracks. */
function intervalOf(run: Run, nTracks: number, perSeed: readonly TrackStatistic[]): Interval {
  const all = drawnFor(run, nTracks);
  const resamples = Math.min(all.resamples, RESAMPLES);
  const drawn: Resamples = { n: nTracks, resamples, draws: all.draws.subarray(0, resamples * nTracks) };
  const places = Float64Array.from({ length: nTracks }, (_, place) => place);
  const statistic: TrackStatistic = (tracks) => mean(perSeed.map((one) => one(tracks)));
  const { estimate, low, high } = bootstrapInterval(places, { drawn, statistic });
  // Six digits: of an R² near 1 it is the distance from 1 that is read.
  return { estimate: rounded(estimate, 6), low: rounded(low, 6), high: rounded(high, 6) };
}

type Measure = keyof MapMeasures;

/** A measure of the same map of every seed; minus that of another one if given. */
function measureOf(run: Run, measure: Measure, sums: readonly StoredSums[], minus?: readonly StoredSums[]): Interval {
  const of = (one: StoredSums): TrackStatistic => trackStatistics(one as TrackSums)[measure];
  return intervalOf(
    run,
    sums[0].clips.length,
    sums.map((one, seed) => {
      const [a, b] = [of(one), minus && of(minus[seed])];
      return b ? (tracks) => a(tracks) - b(tracks) : a;
    }),
  );
}

/** How good the map of every chain is, beside its baselines. */
export function mapAccuracy(run: Run): Promise<MapAccuracyMeasurement> {
  return measured(run, 'map-accuracy', {}, (base) => {
    const results = resultsOf(run);
    return { ...base, pairs: pairsOf(results), rows: results.flatMap((one) => qualityRows(run, one)) };
  });
}

function qualityRows(run: Run, { encoder, seeds }: EncoderResults): MapRow[] {
  return seeds[0].chains.map(({ chain }, i) => {
    const ofSeeds = seeds.map(({ chains }) => chains[i]);
    const sums = (kind: FittedKind): StoredSums[] => ofSeeds.map((one) => one.sums[kind]);
    const measures = (kind: FittedKind): MapMeasures => {
      const of = (measure: Measure): Interval => measureOf(run, measure, sums(kind));
      return {
        r2: of('r2'),
        explainedChange: of('explainedChange'),
        cosine: of('cosine'),
        centredCosine: of('centredCosine'),
        top1: of('top1'),
        meanReciprocalRank: of('meanReciprocalRank'),
      };
    };
    const gain = (measure: Measure, over: FittedKind) => measureOf(run, measure, sums('linear'), sums(over));
    return {
      encoder,
      seeds: seeds.length,
      augmentation: chainName(chain),
      group: chain.length > 1 ? 'chain' : chainShift(chain) === 0 ? 'augmentation' : 'shift',
      labelShift: chainShift(chain),
      kinds: {
        identity: measures('identity'),
        meanShift: measures('meanShift'),
        linear: measures('linear'),
        affine: measures('affine'),
      },
      gains: (['identity', 'meanShift', 'affine'] as const).map((over) => ({
        over,
        explainedChange: gain('explainedChange', over),
        centredCosine: gain('centredCosine', over),
      })),
      ridges: ofSeeds.map(({ ridge }) => ridge),
      towards: ofSeeds.map(({ towards }) => towards),
    };
  });
}

/** Singular values, effective rank, and what is left of a map that is cut to fewer directions. */
export function mapRank(run: Run): Promise<MapRankMeasurement> {
  return measured(run, 'map-rank', {}, (base) => {
    const results = resultsOf(run);
    return { ...base, pairs: pairsOf(results), rows: results.flatMap((one) => rankRows(run, one)) };
  });
}

function rankRows(run: Run, { encoder, seeds }: EncoderResults): MapRankRow[] {
  return seeds[0].chains.flatMap(({ chain, ranks, singularValues }, i): MapRankRow[] => {
    if (ranks.length === 0) return [];
    const ofSeeds = seeds.map(({ chains }) => chains[i]);
    const sums = (place: number): StoredSums[] => ofSeeds.map((one) => one.ranks[place].sums);
    const explained = ranks.map((_, place) => measureOf(run, 'explainedChange', sums(place)));
    const whole = explained[explained.length - 1].estimate;
    const enough = explained.findIndex(({ estimate }) => estimate >= 0.95 * whole);
    return [
      {
        encoder,
        augmentation: chainName(chain),
        group: chainShift(chain) === 0 ? 'augmentation' : 'shift',
        singularValues: singularValues.map((value) => rounded(value / (singularValues[0] || 1))),
        effectiveRankOfChange: rounded(mean(ofSeeds.map((one) => one.effectiveRankOfChange))),
        effectiveRank: rounded(mean(ofSeeds.map((one) => one.effectiveRank))),
        rankOfSquares: rankForShare(singularValues, 0.9),
        ranks: ranks.map(({ rank }) => rank),
        explainedChange: explained,
        r2: ranks.map((_, place) => measureOf(run, 'r2', sums(place))),
        rankNeeded: whole > 0 ? ranks[enough].rank : null,
      },
    ];
  });
}

/** The closed form against gradient steps, on the first seed of the paper's encoder. */
export function gradientFits(run: Run): Promise<GradientMeasurement> {
  return measured(run, 'map-gradient', {}, (base) => {
    const [encoder] = mainEncoders(run);
    const { pairs, gradient } = mapResult(run, encoder);
    return { ...base, encoder: encoder.name, pairs, rows: gradient };
  });
}

/** Two maps one after the other against both augmentations really applied. */
export function mapComposition(run: Run): Promise<CompositionMeasurement> {
  return measured(run, 'map-composition', {}, (base) => {
    const results = resultsOf(run);
    return { ...base, pairs: pairsOf(results), rows: results.flatMap((one) => compositionRows(run, one)) };
  });
}

const COMPOSITION_KINDS: readonly CompositionKind[] = ['identity', 'first', 'second', 'reversed', 'composed', 'direct'];

function compositionRows(run: Run, { encoder, seeds }: EncoderResults): CompositionRow[] {
  return seeds[0].compositions.map(({ chain }, i) => {
    const ofSeeds = seeds.map(({ compositions, chains }) => {
      const { identity, linear } = chains.find((one) => chainName(one.chain) === chainName(chain))!.sums;
      return { ...compositions[i], sums: { ...compositions[i].sums, identity, direct: linear } };
    });
    const sums = (kind: CompositionKind): StoredSums[] => ofSeeds.map((one) => one.sums[kind]);
    const all = (measure: Measure) =>
      Object.fromEntries(COMPOSITION_KINDS.map((kind) => [kind, measureOf(run, measure, sums(kind))])) as Record<
        CompositionKind,
        Interval
      >;
    const [first, second] = chain.map((one) => chainName([one]));
    const overSeeds = (of: (one: (typeof ofSeeds)[number]) => number): number => rounded(mean(ofSeeds.map(of)));
    return {
      encoder,
      seeds: seeds.length,
      first,
      second,
      explainedChange: all('explainedChange'),
      centredCosine: all('centredCosine'),
      differences: (['identity', 'first', 'second', 'reversed', 'direct'] as const).map((to) => ({
        to,
        difference: measureOf(run, 'explainedChange', sums('composed'), sums(to)),
      })),
      predictionGap: overSeeds((one) => one.predictionGap),
      matrixGap: overSeeds((one) => one.matrixGap),
      commutator: overSeeds((one) => one.commutator),
      orderGapOfMaps: overSeeds((one) => one.orderGapOfMaps),
      orderGapOfAudio: ofSeeds[0].orderGapOfAudio === null ? null : overSeeds((one) => one.orderGapOfAudio!),
    };
  });
}

/** The semitone maps: repeated, undone, round in a circle, and as the key probe sees them. */
export function mapShifts(run: Run): Promise<ShiftMeasurement> {
  return measured(run, 'map-shifts', {}, (base) => {
    const results = resultsOf(run);
    return {
      ...base,
      pairs: pairsOf(results),
      powers: results.flatMap((one) => powerRows(run, one)),
      inverses: results.flatMap((one) => inverseRows(run, one)),
      cycles: results.flatMap((one) => cycleRows(run, one)),
      keyShifts: results.flatMap((one) => keyShiftRows(run, one)),
      keys: CIRCLE_OF_FIFTHS.map((keyId) => KEYS[keyId].label),
      moves: moveMatrices(results[0]),
    };
  });
}

function powerRows(run: Run, { encoder, seeds }: EncoderResults): PowerRow[] {
  return seeds[0].powers.map(({ semitones }, i) => {
    const power = seeds.map(({ powers }) => powers[i].sums);
    const chains = seeds.map(
      (one) => one.chains.find(({ chain }) => chain.length === 1 && chainShift(chain) === semitones)!.sums,
    );
    const [direct, identity] = [chains.map((one) => one.linear), chains.map((one) => one.identity)];
    return {
      encoder,
      semitones,
      explainedChange: {
        power: measureOf(run, 'explainedChange', power),
        direct: measureOf(run, 'explainedChange', direct),
      },
      centredCosine: {
        identity: measureOf(run, 'centredCosine', identity),
        power: measureOf(run, 'centredCosine', power),
        direct: measureOf(run, 'centredCosine', direct),
      },
      difference: measureOf(run, 'explainedChange', power, direct),
      predictionGap: rounded(mean(seeds.map(({ powers }) => powers[i].predictionGap))),
    };
  });
}

function inverseRows(run: Run, { encoder, seeds }: EncoderResults): InverseRow[] {
  return seeds[0].inverses.map(({ semitones }, i) => {
    const ofSeeds = seeds.map(({ inverses }) => inverses[i]);
    const explained = (way: keyof (typeof ofSeeds)[number]['sums']): Interval =>
      measureOf(run, 'explainedChange', ofSeeds.map(({ sums }) => sums[way])); // prettier-ignore
    return {
      encoder,
      semitones,
      roundTrip: explained('roundTrip'),
      byOpposite: explained('byOpposite'),
      byInverse: explained('byInverse'),
      byDirect: explained('byDirect'),
      conditionNumber: rounded(mean(ofSeeds.map((one) => one.conditionNumber))),
      inverseRank: rounded(mean(ofSeeds.map((one) => one.inverseRank))),
    };
  });
}

type ShiftMeasure = 'keyAgreement' | 'logitCorrelation';

function shiftMeasureOf(run: Run, measure: ShiftMeasure, sums: readonly StoredShiftSums[]): Interval {
  return intervalOf(run, sums[0].clips.length, sums.map((one) => shiftStatistics(one)[measure])); // prettier-ignore
}

function cycleRows(run: Run, { encoder, seeds }: EncoderResults): CycleRow[] {
  return seeds[0].cycles.map(({ label, semitones, sums }, i) => {
    const ofSeeds = seeds.map(({ cycles }) => cycles[i]);
    const shift = ofSeeds.map((one) => one.shift);
    const toClean = (measure: Measure) => sums && measureOf(run, measure, ofSeeds.map((one) => one.sums!)); // prettier-ignore
    return {
      encoder,
      label,
      semitones,
      r2: toClean('r2'),
      centredCosine: toClean('centredCosine'),
      keyAgreement: shiftMeasureOf(run, 'keyAgreement', shift),
      logitCorrelation: shiftMeasureOf(run, 'logitCorrelation', shift),
    };
  });
}

function keyShiftRows(run: Run, { encoder, seeds }: EncoderResults): KeyShiftRow[] {
  return seeds[0].keyShifts.map(({ semitones }, i) => {
    const all = (measure: ShiftMeasure) => {
      const of = (by: keyof KeyShiftResult['shift']): Interval =>
        shiftMeasureOf(run, measure, seeds.map(({ keyShifts }) => keyShifts[i].shift[by])); // prettier-ignore
      return { map: of('map'), audio: of('audio'), none: of('none') };
    };
    return { encoder, semitones, keyAgreement: all('keyAgreement'), logitCorrelation: all('logitCorrelation') };
  });
}

/** Where keys go by +1 and by a fifth: by maps, and of really shifted audio where it is rendered. */
function moveMatrices({ seeds }: EncoderResults): KeyMoveMatrix[] {
  const together = (counts: readonly (readonly (readonly number[])[])[]): number[][] =>
    counts[0].map((row, from) => {
      const sums = row.map((_, to) => counts.reduce((sum, one) => sum + one[from][to], 0));
      const whole = sums.reduce((sum, value) => sum + value, 0);
      return sums.map((value) => (whole > 0 ? rounded(value / whole) : 0));
    });
  const shift = (semitones: number, by: 'map' | 'audio', label: string): KeyMoveMatrix[] => {
    const found = seeds.map((one) => one.keyShifts.find((row) => row.semitones === semitones));
    return found[0] ? [{ label, semitones, share: together(found.map((one) => one!.moves[by])) }] : [];
  };
  const cycle = (wanted: CycleResult['label'], label: string): KeyMoveMatrix[] => {
    const found = seeds.map((one) => one.cycles.find((row) => row.label === wanted));
    return found[0] ? [{ label, semitones: found[0].semitones, share: together(found.map((one) => one!.moves)) }] : [];
  };
  return [
    ...shift(1, 'map', 'map of +1'),
    ...shift(1, 'audio', 'audio shifted by +1'),
    ...cycle('+1 then +6', 'map of +1, then map of +6 (= +7)'),
    ...shift(-5, 'audio', 'audio shifted by −5 (= +7)'),
  ];
}
