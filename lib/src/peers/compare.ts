/**
 * Systems side by side on the same tracks: scores by both rulers with intervals, and each system against a baseline with
 * paired statistics. Pure: answers in, numbers out. All shares and scores are in 0..1.
 */
import { InputError } from '../errors.js';
import { type KeyScore, scoreKeys, type Shares } from '../keys/index.js';
import { scoreIntervals, trackScores } from '../probe/index.js';
import {
  type BootstrapInterval,
  drawResamples,
  holm,
  mcnemar,
  pairedBootstrap,
  type Resamples,
  riskCoverage,
  scoreAtCoverage,
} from '../stats/index.js';
import { createRng } from '../tensor/index.js';
import type { FailedSystem, SystemAnswers } from './detectTracks.js';

/** A track and the key that the annotation gives it. */
export interface ReferenceKey {
  readonly id: string;
  readonly keyId: number;
}

export type Interval = Pick<BootstrapInterval, 'estimate' | 'low' | 'high'>;

/** One system's scores on the tracks that it answered. */
export interface PeerRow {
  readonly name: string;
  /** tracks with an answer, and without */
  readonly n: number;
  readonly unanswered: number;
  /** MIREX, a fifth counts above the reference only (mir_eval to 0.8.2) */
  readonly weighted: Interval;
  /** MIREX, fifths count in both directions (MIREX since 2017) */
  readonly weightedBothFifths: Interval;
  readonly accuracy: Interval;
  /** by the first ruler */
  readonly shares: Shares;
  /** `weighted` over all tracks, one without an answer counting 0 */
  readonly weightedOfAll: number;
  /** `weighted` of the half of its answers that it is surest of; null without confidence */
  readonly weightedSurestHalf: number | null;
}

export interface Difference extends Interval {
  readonly p: number;
  /** Holm's correction over the systems that are compared with the baseline */
  readonly pHolm: number;
}

/** A system against the baseline, on the tracks that both answered. */
export interface PeerPair {
  readonly name: string;
  readonly baseline: string;
  /** tracks that both answered */
  readonly n: number;
  /** system minus baseline, paired bootstrap over tracks */
  readonly weighted: Difference;
  readonly weightedBothFifths: Difference;
  /** exact matches: McNemar's exact test */
  readonly exact: {
    readonly onlySystem: number;
    readonly onlyBaseline: number;
    readonly p: number;
    readonly pHolm: number;
  };
}

export interface PeerComparison {
  readonly nTracks: number;
  /** tracks that every row's system answered */
  readonly nCommon: number;
  readonly baseline: string | null;
  readonly rows: readonly PeerRow[];
  readonly pairs: readonly PeerPair[];
  /** systems without any answer, with the reason */
  readonly failed: readonly FailedSystem[];
  readonly resamples: number;
  readonly seed: number;
  readonly level: number;
}

export interface CompareOptions {
  /** name of a system; default the first that has answers */
  readonly baseline?: string;
  /** score every system on the tracks that all of them answered, and on no others */
  readonly common?: boolean;
  /** of the bootstrap, default 0 */
  readonly seed?: number;
  /** default 2000 */
  readonly resamples?: number;
  /** default .95 */
  readonly level?: number;
}

/** Answers of a system on some tracks, in their order. */
interface Answered {
  readonly name: string;
  readonly reference: readonly number[];
  readonly estimated: readonly number[];
  readonly confidence: readonly (number | null)[];
}

/**
 * @param failed systems that could not be asked, to be reported with the others
 * @throws InputError for no tracks, two systems of one name, or a baseline that is none of the systems
 */
export function comparePeers(
  reference: readonly ReferenceKey[],
  systems: readonly SystemAnswers[],
  { baseline, common = false, seed = 0, resamples = 2000, level = 0.95 }: CompareOptions = {},
  failed: readonly FailedSystem[] = [],
): PeerComparison {
  if (reference.length === 0) throw new InputError('comparison', 'no track has a reference key; expected at least one');
  const names = [...systems, ...failed].map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new InputError('comparison', `two systems are called "${twice}"; name them, such as csv:first=a.csv`);
  if (baseline !== undefined && !names.includes(baseline))
    throw new InputError('baseline', `found "${baseline}", expected one of ${names.join(', ')}`);
  const heard = systems.filter(({ answers }) => reference.some(({ id }) => answers.has(id)));
  const silent = systems
    .filter((system) => !heard.includes(system))
    .map(({ name, problems }) => ({ name, reason: [...problems.values()].at(0) ?? 'answers none of the tracks' }));
  const shared = reference.filter(({ id }) => heard.every(({ answers }) => answers.has(id)));
  const tracks = common ? shared : reference;
  if (tracks.length === 0)
    throw new InputError('comparison', 'no track has an answer of every system; compare without common');
  const drawn = resamplesBy(seed, resamples);
  const answered = heard.map((system) => answersOn(tracks, system));
  const against = baseline === undefined ? answered.at(0) : answered.find(({ name }) => name === baseline);
  return {
    nTracks: reference.length,
    nCommon: shared.length,
    baseline: against?.name ?? null,
    rows: answered.map((one) => rowOf(one, tracks.length, seed, resamples, level)),
    pairs: against ? pairsOf(tracks, heard, against.name, drawn, level) : [],
    failed: [...failed, ...silent],
    resamples,
    seed,
    level,
  };
}

function answersOn(tracks: readonly ReferenceKey[], { name, answers }: SystemAnswers): Answered {
  const own = tracks.filter(({ id }) => answers.has(id));
  return {
    name,
    reference: own.map(({ keyId }) => keyId),
    estimated: own.map(({ id }) => answers.get(id)!.keyId),
    confidence: own.map(({ id }) => answers.get(id)!.confidence),
  };
}

function rowOf(
  { name, reference, estimated, confidence }: Answered,
  nTracks: number,
  seed: number,
  resamples: number,
  level: number,
): PeerRow {
  const score: KeyScore = scoreKeys(reference, estimated);
  const intervals = scoreIntervals(reference, estimated, { seed, resamples, level });
  const scores = trackScores(reference, estimated, false);
  const isSure = confidence.every((value): value is number => value !== null);
  return {
    name,
    n: reference.length,
    unanswered: nTracks - reference.length,
    weighted: intervals.weighted,
    weightedBothFifths: intervals.weightedBothFifths,
    accuracy: intervals.accuracy,
    shares: score.shares,
    weightedOfAll: (score.weighted * reference.length) / nTracks,
    weightedSurestHalf: isSure ? scoreAtCoverage(riskCoverage(confidence, scores), 0.5) : null,
  };
}

/** Every other system against the baseline; p-values of one kind are corrected together. */
function pairsOf(
  tracks: readonly ReferenceKey[],
  systems: readonly SystemAnswers[],
  baseline: string,
  drawn: (n: number) => Resamples,
  level: number,
): PeerPair[] {
  const base = systems.find(({ name }) => name === baseline)!;
  const raw = systems
    .filter((system) => system !== base)
    .flatMap((system) => {
      const both = tracks.filter(({ id }) => system.answers.has(id) && base.answers.has(id));
      if (both.length === 0) return [];
      const [own, other] = [answersOn(both, system), answersOn(both, base)];
      const difference = (bothFifths: boolean) =>
        pairedBootstrap(
          trackScores(own.reference, own.estimated, bothFifths),
          trackScores(other.reference, other.estimated, bothFifths),
          { drawn: drawn(both.length), level },
        );
      const isRight = ({ estimated, reference }: Answered) => estimated.map((keyId, i) => keyId === reference[i]);
      const test = mcnemar(isRight(own), isRight(other));
      return [{ name: system.name, n: both.length, weighted: difference(false), both: difference(true), test }];
    });
  const holmOf = (pOf: (pair: (typeof raw)[number]) => number): number[] => holm(raw.map(pOf));
  const [weighted, both, exact] = [
    holmOf((pair) => pair.weighted.pValue),
    holmOf((pair) => pair.both.pValue),
    holmOf((pair) => pair.test.pValue),
  ];
  return raw.map(({ name, n, test, ...differences }, i) => ({
    name,
    baseline,
    n,
    weighted: differenceOf(differences.weighted, weighted[i]),
    weightedBothFifths: differenceOf(differences.both, both[i]),
    exact: { onlySystem: test.b, onlyBaseline: test.c, p: test.pValue, pHolm: exact[i] },
  }));
}

function differenceOf(
  { difference, low, high, pValue }: ReturnType<typeof pairedBootstrap>,
  pHolm: number,
): Difference {
  return { estimate: difference, low, high, p: pValue, pHolm };
}

/** The same resamples for every pair of as many tracks. */
function resamplesBy(seed: number, resamples: number): (n: number) => Resamples {
  const known = new Map<number, Resamples>();
  return (n) => {
    const rng = createRng(seed);
    const drawn = known.get(n) ?? drawResamples(n, { uniform: () => rng.uniform(), resamples });
    known.set(n, drawn);
    return drawn;
  };
}
