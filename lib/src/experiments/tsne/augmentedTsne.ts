/** 06: maps of clean clips with augmented copies on them: how good the maps are, and where the copies land. */
import { transposeKey } from '../../keys/index.js';
import { mean, meanAndDeviation, meanOfArrays, pairedBootstrap } from '../../stats/index.js';
import { neighbourPreservation, type Points, trustworthiness } from '../../tsne/index.js';
import { augmentedEncoders } from '../augmented/augmentedTables.js';
import {
  type CopyValues,
  copyValues,
  meansOfTracks,
  medianOf,
  NEIGHBOURS,
  otherTrackAccuracy,
  otherTrackNeighbours,
} from './augmentedTsneMeasures.js';
import { type ClipIndex, clipIndex, copyKind, type MapPoints, mapPointsOf } from './augmentedTsnePoints.js';
import { finishedMap, type FinishedMap, LOOKS, mappedEncoders, mapRequests, type MapRequest, PERPLEXITY } from './augmentedTsneStage.js'; // prettier-ignore
import type { EncoderOfSeed } from '../pretraining/jobs.js';
import type { EncoderName, Interval } from '../measurements.js';
import { measured, rounded, type Run } from '../run/run.js';
import { drawnFor, intervalOver } from '../probing/scores.js';
import type {
  CopyDistanceMeasurement,
  CopyDistances,
  KeyShares,
  MapQualityMeasurement,
  PitchNeighbourMeasurement,
  Spread,
} from './tsneMeasurements.js';

/** Mean and standard deviation over repetitions. */
export function spreadOf(values: readonly number[]): Spread {
  const { mean, deviation } = meanAndDeviation(values);
  return { mean: rounded(mean), deviation: rounded(deviation ?? 0) };
}

/** Requests of maps with copies of one encoder. */
const wholeMaps = (run: Run, { name }: EncoderOfSeed): MapRequest[] =>
  mapRequests(run).filter(({ encoder, content }) => content === 'clips and copies' && encoder.name.id === name.id);

/** The random starts of an encoder: those that measures are averaged over. */
const repeatedMaps = (run: Run, encoder: EncoderOfSeed): FinishedMap[] =>
  wholeMaps(run, encoder)
    .filter(({ start }) => start === 'random')
    .map((request) => finishedMap(run, request));

const last = <T>(items: readonly T[]): T => items[items.length - 1];

/** KL and neighbours on the way from the start to the finished map, and how well the finished map keeps neighbours. */
export function mapQuality(run: Run): Promise<MapQualityMeasurement> {
  return measured(run, 'map-quality', { NEIGHBOURS, LOOKS, PERPLEXITY }, async (base) => {
    const encoders = mappedEncoders(run);
    const index = clipIndex(run, encoders[0]);
    const { trackOf, keyIds, tracks } = index;
    const accuracy = (points: Points): Promise<number> => otherTrackAccuracy(points, trackOf, keyIds);
    const rows: MapQualityMeasurement['rows'][number][] = [];
    for (const encoder of encoders) {
      const { clean } = mapPointsOf(run, encoder);
      const embeddingAccuracy = rounded(await accuracy(clean));
      for (const start of ['pca', 'random'] as const) {
        const maps = wholeMaps(run, encoder)
          .filter((request) => request.start === start)
          .map((request) => finishedMap(run, request));
        const each = await Promise.all(
          maps.map(async ({ maps: looks }) => ({
            accuracy: await Promise.all(looks.map(accuracy)),
            trustworthiness: await trustworthiness(clean, last(looks), NEIGHBOURS),
            preservation: await neighbourPreservation(clean, last(looks), NEIGHBOURS),
          })),
        );
        rows.push({
          encoder: encoder.name,
          start,
          seeds: maps.length,
          klDivergence: LOOKS.map((_, i) => spreadOf(maps.map(({ klDivergence }) => klDivergence[i]))),
          keyAccuracy: LOOKS.map((_, i) => spreadOf(each.map((one) => one.accuracy[i]))),
          embeddingAccuracy,
          trustworthiness: spreadOf(each.map((one) => one.trustworthiness)),
          preservation: spreadOf(each.map((one) => one.preservation)),
        });
      }
    }
    return {
      ...base,
      nClips: trackOf.length,
      nTracks: tracks.length,
      perplexity: PERPLEXITY,
      k: NEIGHBOURS,
      iterations: LOOKS,
      rows,
    };
  });
}

/** Values of copies, one entry a seed of pretraining or a start of a map. */
interface SpaceValues {
  readonly embedding: readonly CopyValues[];
  readonly map: readonly CopyValues[];
}

/** The values of one kind of copies. */
const ofKind = <T extends Float64Array | Int32Array>(values: T, kind: number, { originals }: ClipIndex): T =>
  values.subarray(kind * originals.length, (kind + 1) * originals.length) as T;

/** Means over tracks for one measure, one kind: [tracks], averaged over repetitions. */
function trackValues(
  repetitions: readonly CopyValues[],
  kind: number,
  measure: 'ratio' | 'rankFirst',
  index: ClipIndex,
): Float64Array {
  return meanOfArrays(
    repetitions.map(({ ratios, ranks }) =>
      measure === 'ratio'
        ? meansOfTracks(ofKind(ratios, kind, index), index)
        : meansOfTracks(
            Float64Array.from(ofKind(ranks, kind, index), (rank) => (rank === 0 ? 1 : 0)),
            index,
          ),
    ),
  );
}

function distancesOfKind(run: Run, values: readonly CopyValues[], kind: number, index: ClipIndex): CopyDistances {
  return {
    ratio: intervalOver(run, trackValues(values, kind, 'ratio', index)),
    rankFirst: intervalOver(run, trackValues(values, kind, 'rankFirst', index)),
    medianRank: rounded(medianOf(values.flatMap(({ ranks }) => Array.from(ofKind(ranks, kind, index))))),
  };
}

/** Distance of copies to their originals and ranks of the originals, among embeddings and on maps. */
export function copyDistances(run: Run): Promise<CopyDistanceMeasurement> {
  return measured(run, 'copy-distances', { PERPLEXITY }, async (base) => {
    const mapped = mappedEncoders(run);
    const index = clipIndex(run, mapped[0]);
    const kinds = index.chains.map(copyKind);
    const values = new Map<string, SpaceValues>();
    for (const encoder of mapped) {
      const repeats = ofEverySeed(run, encoder).map((one) => mapPointsOf(run, one));
      values.set(encoder.name.id, {
        embedding: await eachCopyValues(repeats, index),
        map: await eachCopyValues(repeatedMaps(run, encoder).map(mapAsPoints), index),
      });
    }
    const sameTrack = (repetitions: readonly CopyValues[]): Interval | null => {
      const means = meanOfArrays(repetitions.map((one) => meansOfTracks(one.sameTrack, index))).filter(Number.isFinite);
      return means.length === 0 ? null : intervalOver(run, means);
    };
    const encoders = mapped.map(({ name }) => {
      const { embedding, map } = values.get(name.id)!;
      return {
        encoder: name,
        sameTrack: { embedding: sameTrack(embedding), map: sameTrack(map) },
        embedding: kinds.map((_, kind) => distancesOfKind(run, embedding, kind, index)),
        map: kinds.map((_, kind) => ({
          ...distancesOfKind(run, map, kind, index),
          spread: {
            ratio: spreadOf(map.map((one) => mean(trackValues([one], kind, 'ratio', index)))).deviation,
            rankFirst: spreadOf(map.map((one) => mean(trackValues([one], kind, 'rankFirst', index)))).deviation,
          },
        })),
      };
    });
    const keeping = kinds.flatMap(({ semitones, augmentation }, kind) =>
      semitones === 0 && augmentation !== 'composition' ? [kind] : [],
    );
    return {
      ...base,
      nTracks: new Set(Array.from(index.originals, (original) => index.trackOf[original])).size,
      nClips: index.originals.length,
      nCandidates: index.trackOf.length,
      seeds: values.get(mapped[0].name.id)!.embedding.length,
      mapSeeds: values.get(mapped[0].name.id)!.map.length,
      kinds,
      encoders,
      differences: differencesOf(run, mapped, values, keeping, index),
    };
  });
}

/** An encoder with every seed of pretraining that has copies. */
const ofEverySeed = (run: Run, { name }: EncoderOfSeed): EncoderOfSeed[] =>
  augmentedEncoders(run).filter((encoder) => encoder.name.id === name.id);

const mapAsPoints = ({ maps, copies }: FinishedMap): MapPoints => ({ clean: last(maps), copies });

async function eachCopyValues(spaces: readonly MapPoints[], index: ClipIndex): Promise<CopyValues[]> {
  const values: CopyValues[] = [];
  for (const { clean, copies } of spaces) values.push(await copyValues(clean, copies, index));
  return values;
}

/** The base encoder against the others, on the same tracks. */
function differencesOf(
  run: Run,
  mapped: readonly EncoderOfSeed[],
  values: ReadonlyMap<string, SpaceValues>,
  kinds: readonly number[],
  index: ClipIndex,
): CopyDistanceMeasurement['differences'] {
  const [base, ...others] = mapped;
  return others.flatMap((other) =>
    (['embedding', 'map'] as const).flatMap((space) =>
      (['ratio', 'rankFirst'] as const).map((measure) => {
        const means = (name: EncoderName): Float64Array =>
          meanOfArrays(kinds.map((kind) => trackValues(values.get(name.id)![space], kind, measure, index)));
        const [a, b] = [means(base.name), means(other.name)];
        const { difference, low, high, pValue } = pairedBootstrap(a, b, { drawn: drawnFor(run, a.length) });
        return {
          a: base.name,
          b: other.name,
          space,
          measure,
          meanA: rounded(mean(a)),
          meanB: rounded(mean(b)),
          difference: { estimate: rounded(difference), low: rounded(low), high: rounded(high) },
          p: rounded(pValue),
        };
      }),
    ),
  );
}

/** Shares of neighbours in the original's key and in the shifted one, for pitch-shifted copies. */
export function pitchNeighbours(run: Run): Promise<PitchNeighbourMeasurement> {
  return measured(run, 'pitch-neighbours', { NEIGHBOURS, PERPLEXITY }, async (base) => {
    const mapped = mappedEncoders(run);
    const index = clipIndex(run, mapped[0]);
    const { keyIds, originals, chains } = index;
    const shifts = chains
      .map((chain, kind) => ({ ...copyKind(chain), kind }))
      .filter(({ augmentation }) => augmentation === 'pitchShift')
      .map(({ semitones, kind }) => ({ semitones, kind: kind as number | null }))
      .concat({ semitones: 0, kind: null })
      .sort((a, b) => a.semitones - b.semitones);
    const sharesOf = async (spaces: readonly MapPoints[]): Promise<KeyShares[]> => {
      const shares: KeyShares[] = [];
      for (const { semitones, kind } of shifts) {
        const each = [];
        for (const space of spaces) each.push(await keySharesOf(space, kind, semitones, index));
        const own = meanOfArrays(each.map((one) => one.own));
        const moved = meanOfArrays(each.map((one) => one.moved));
        shares.push({
          own: intervalOver(run, own),
          moved: intervalOver(run, moved),
          difference: intervalOver(
            run,
            moved.map((share, track) => share - own[track]),
          ),
        });
      }
      return shares;
    };
    const encoders = [];
    for (const encoder of mapped)
      encoders.push({
        encoder: encoder.name,
        embedding: await sharesOf(ofEverySeed(run, encoder).map((one) => mapPointsOf(run, one))),
        map: await sharesOf(repeatedMaps(run, encoder).map(mapAsPoints)),
      });
    const inKey = (key: number): number => keyIds.filter((other) => other === key).length / keyIds.length;
    return {
      ...base,
      k: NEIGHBOURS,
      nTracks: new Set(Array.from(originals, (original) => index.trackOf[original])).size,
      seeds: ofEverySeed(run, mapped[0]).length,
      mapSeeds: run.preset.tsne.seeds.length,
      chance: rounded(mean(Float64Array.from(originals, (original) => inKey(keyIds[original])))),
      semitones: shifts.map(({ semitones }) => semitones),
      encoders,
    };
  });
}

/** Shares of each track for one shift; `kind` null: the clean clips. */
async function keySharesOf(
  { clean, copies }: MapPoints,
  kind: number | null,
  semitones: number,
  { originals, trackOf, keyIds }: ClipIndex & { readonly originals: Int32Array },
): Promise<{ own: Float64Array; moved: Float64Array }> {
  const width = clean.shape[1];
  const count = originals.length;
  const data = new Float32Array(count * width);
  originals.forEach((original, i) => {
    const from = kind === null ? clean.data : copies.data;
    const row = kind === null ? original : kind * count + i;
    data.set(from.subarray(row * width, (row + 1) * width), i * width);
  });
  const tracks = originals.map((original) => trackOf[original]);
  const { k, indices } = await otherTrackNeighbours(clean, { data, shape: [count, width] }, tracks, trackOf);
  const share = (shift: number): Float64Array =>
    Float64Array.from(originals, (original, i) => {
      const key = transposeKey(keyIds[original], shift);
      return indices.subarray(i * k, (i + 1) * k).filter((row) => keyIds[row] === key).length / k;
    });
  const index = { originals, trackOf } as ClipIndex;
  return { own: meansOfTracks(share(0), index), moved: meansOfTracks(share(semitones), index) };
}
