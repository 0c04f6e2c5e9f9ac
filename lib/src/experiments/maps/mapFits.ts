/** 07: what one encoder's tables give: the maps of every chain, measured beside their baselines, and their rank. */
import { type EmbeddingTable } from '../../embeddings/index.js';
import {
  type AugmentationMap,
  type EmbeddingPairs,
  fitMap,
  fitMeanShift,
  identityMap,
  mapSpectrum,
  pairTables,
  reducedRankMaps,
  RIDGES,
  type RidgeTarget,
  trackSums,
  type TrackSums,
} from '../../maps/index.js';
import { type Chain, chainName, chainShift } from '../augmented/augmentedSets.js';
import type { FittedKind } from './mapMeasurements.js';
import { rounded } from '../run/run.js';

export type MapSplit = 'train' | 'valid' | 'test';

/** The tables of one encoder: `augmented[i]` under `chains[i]`, rows as in `clean`. */
export interface MapTables {
  /** without the clean one */
  readonly chains: readonly Chain[];
  readonly clean: Readonly<Record<MapSplit, EmbeddingTable>>;
  readonly augmented: Readonly<Record<MapSplit, readonly EmbeddingTable[]>>;
}

/** Sums as they are kept in a file, rounded. */
export type StoredOf<Sums> = { readonly [Name in keyof Sums]: readonly number[] };
export type StoredSums = StoredOf<TrackSums>;

/** The maps of a chain, with the pairs that they are fitted and measured on. */
export interface FittedChain {
  readonly chain: Chain;
  readonly pairs: Readonly<Record<MapSplit, EmbeddingPairs>>;
  readonly maps: Readonly<Record<FittedKind, AugmentationMap>>;
  /** the linear map with its ridge towards the identity, whatever validation prefers: what rank is asked about */
  readonly aboutIdentity: AugmentationMap;
}

export interface ChainResult {
  readonly chain: Chain;
  readonly sums: Readonly<Record<FittedKind, StoredSums>>;
  readonly ridge: number;
  readonly towards: RidgeTarget;
  /** of W - 1, largest first; of the map towards the identity, so that directions without data count as unchanged */
  readonly singularValues: readonly number[];
  readonly effectiveRankOfChange: number;
  readonly effectiveRank: number;
  readonly ranks: readonly { readonly rank: number; readonly sums: StoredSums }[];
}

const TARGETS: readonly RidgeTarget[] = ['identity', 'zero'];
const RANKS: readonly number[] = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Fits the four maps of every chain; ridge and target are chosen on the validation pairs. */
export function fitChains({ chains, clean, augmented }: MapTables): FittedChain[] {
  return chains.map((chain, i) => {
    const pairsOf = (split: MapSplit): EmbeddingPairs => pairTables(clean[split], augmented[split][i]);
    const pairs = { train: pairsOf('train'), valid: pairsOf('valid'), test: pairsOf('test') };
    const [name, labelShift] = [chainName(chain), chainShift(chain)];
    const linear = TARGETS.map((towards) => fitTowards(pairs, name, labelShift, 'linear', towards));
    const affine = TARGETS.map((towards) => fitTowards(pairs, name, labelShift, 'affine', towards));
    return {
      chain,
      pairs,
      maps: {
        identity: { ...identityMap(pairs.train.width, name), labelShift },
        meanShift: fitMeanShift(pairs.train, name, labelShift),
        linear: betterOnValid(linear),
        affine: betterOnValid(affine),
      },
      aboutIdentity: linear[0],
    };
  });
}

/** A bias-free map whose ridge and target are chosen on validation pairs. */
export function fitLinear(
  pairs: Pick<FittedChain['pairs'], 'train' | 'valid'>,
  name: string,
  labelShift: number,
): AugmentationMap {
  // prettier-ignore
  return betterOnValid(TARGETS.map((towards) => fitTowards(pairs, name, labelShift, 'linear', towards)));
}

function fitTowards(
  { train, valid }: Pick<FittedChain['pairs'], 'train' | 'valid'>,
  name: string,
  labelShift: number,
  kind: 'linear' | 'affine',
  towards: RidgeTarget,
): AugmentationMap {
  return fitMap(train, { name, labelShift, kind, towards, ridge: { candidates: RIDGES, valid } });
}

function betterOnValid([identity, zero]: readonly AugmentationMap[]): AugmentationMap {
  const score = ({ fit }: AugmentationMap): number => fit!.ridgePath.find(({ ridge }) => ridge === fit!.ridge)!.validR2;
  return score(zero) > score(identity) ? zero : identity;
}

/** Measures the maps of a chain on test. @param hasRank whether singular values and the rank curve are wanted */
export function measureChain(fitted: FittedChain, hasRank: boolean): ChainResult {
  const { chain, pairs, maps, aboutIdentity } = fitted;
  const sums = (map: AugmentationMap): StoredSums => stored(trackSums(map, pairs.test, { train: pairs.train }));
  const { width } = pairs.train;
  const ranks = [...RANKS.filter((rank) => rank < width), width];
  const ofChange = hasRank ? mapSpectrum(aboutIdentity, 'identity') : null;
  return {
    chain,
    sums: {
      identity: sums(maps.identity),
      meanShift: sums(maps.meanShift),
      linear: sums(maps.linear),
      affine: sums(maps.affine),
    },
    ridge: maps.linear.fit!.ridge,
    towards: maps.linear.fit!.towards,
    singularValues: Array.from(ofChange?.singularValues ?? [], (value) => rounded(value)),
    effectiveRankOfChange: rounded(ofChange?.effectiveRank ?? 0),
    effectiveRank: hasRank ? rounded(mapSpectrum(maps.linear, 'zero').effectiveRank) : 0,
    ranks: hasRank
      ? reducedRankMaps(aboutIdentity, pairs.train, ranks).map(({ rank, map }) => ({
          rank,
          sums: stored(trackSums(map, pairs.test, { train: pairs.train, similarity: null })),
        }))
      : [],
  };
}

/** Sums rounded for a file. */
export function stored<Sums extends { readonly [Name in keyof Sums]: ArrayLike<number> }>(sums: Sums): StoredOf<Sums> {
  const out: { [Name in keyof Sums]?: readonly number[] } = {};
  for (const name of Object.keys(sums) as (keyof Sums)[])
    out[name] = Array.from(sums[name], (value: number) => rounded(value, 7));
  return out as StoredOf<Sums>;
}
