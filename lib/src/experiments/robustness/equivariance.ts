/** 08: does the answer move with the music, and does it help to ask at twelve pitches? Letters: T tracks, K = 24 keys. */
import { NUM_KEYS, transposeKey } from '../../keys/index.js';
import { holm, mean, pairedBootstrap, rankCorrelation, softmax } from '../../stats/index.js';
import { type Chain, CLEAN } from '../augmented/augmentedSets.js';
import { TEST_SPLITS } from '../probing/comparison.js';
import type { Interval, TestSplit } from '../measurements.js';
import type {
  Averaging,
  Described,
  EquivarianceCurve,
  EquivarianceMeasurement,
  EquivariancePoint,
  RobustnessSystem,
  TestTimeMeasurement,
  TestTimeRow,
} from './robustnessMeasurements.js';
import { type HeardSplit, largest, referenceKeys, robustnessSystems, type SystemAnswers } from './robustnessSystems.js';
import { measured, rounded, type Run } from '../run/run.js';
import { drawnFor, FIFTH_ABOVE, intervalOver, trackHits, trackMeans, weightedInterval } from '../probing/scores.js';

/** Of each track, averaged over seeds: does the answer move, does it stay, do the logits move. */
interface Agreement {
  readonly moves: Float64Array;
  readonly stays: Float64Array;
  readonly correlation: Float64Array;
  readonly unrelated: number;
}

/** Every probe and template at every shift of the preset. The stage 'robustness' must have run. */
export function equivariance(run: Run): Promise<EquivarianceMeasurement> {
  return measured(run, 'equivariance', {}, (base) => {
    const { semitones } = run.preset.augmented;
    const curves: EquivarianceCurve[] = [];
    const points: EquivariancePoint[] = [];
    for (const split of TEST_SPLITS) {
      for (const { system, logits } of robustnessSystems(run)) {
        const before = logits(split, CLEAN);
        const shifted = semitones.map((shift) => logits(split, shiftBy(shift)));
        const all = semitones.map((shift, s) => agreementOf(before, shifted[s], shift));
        curves.push({
          ...described(system),
          split,
          semitones,
          moves: all.map(({ moves }) => intervalOver(run, moves)),
          stays: all.map(({ stays }) => intervalOver(run, stays)),
          unrelated: all.map(({ unrelated }) => rounded(unrelated)),
          correlation: all.map(({ correlation }) => intervalOver(run, correlation)),
        });
        before.forEach((own, seed) => {
          const each = semitones.map((shift, s) => agreementOf([own], [shifted[s][seed]], shift));
          points.push({
            ...described(system),
            seed: run.preset.augmented.seeds[seed] ?? 0,
            split,
            moves: rounded(mean(each.map(({ moves }) => mean(moves)))),
            correlation: rounded(mean(each.map(({ correlation }) => mean(correlation)))),
            score: weightedInterval(run, referenceKeys(run, split, 0), [largest(own)]),
          });
        });
      }
    }
    return { ...base, nTracks: counts(run), curves, points, ranks: ranksOf(points) };
  });
}

const shiftBy = (strength: number): Chain => (strength === 0 ? CLEAN : [{ id: 'pitchShift', strength }]);

/** What figures need to know of a system. */
function described({ id, label, family, method, patches, isDrawn }: RobustnessSystem): Described {
  return { system: id, label, family, method, patches, isDrawn };
}

function counts(run: Run): Record<TestSplit, number> {
  return { test: referenceKeys(run, 'test', 0).length, testTimbre: referenceKeys(run, 'testTimbre', 0).length };
}

/**
 * Answers before and after a shift.
 *
 * @param before, after [seed] of [T, K]
 */
export function agreementOf(
  before: readonly Float32Array[],
  after: readonly Float32Array[],
  semitones: number,
): Agreement {
  const nTracks = before[0].length / NUM_KEYS;
  const [moves, stays, correlation] = [0, 1, 2].map(() => new Float64Array(nTracks));
  let unrelated = 0;
  before.forEach((own, seed) => {
    const [was, is] = [largest(own), largest(after[seed])];
    const moved = moveLogits(own, semitones);
    for (let track = 0; track < nTracks; track++) {
      if (is[track] === transposeKey(was[track], semitones)) moves[track] += 1 / before.length;
      if (is[track] === was[track]) stays[track] += 1 / before.length;
      const row = [track * NUM_KEYS, (track + 1) * NUM_KEYS] as const;
      correlation[track] += correlationOf(after[seed].subarray(...row), moved.subarray(...row)) / before.length;
    }
    for (const one of was)
      unrelated += is.filter((other) => other === transposeKey(one, semitones)).length / (nTracks ** 2 * before.length);
  });
  return { moves, stays, correlation, unrelated };
}

/** Logits [T, K] with each key's moved to the key so many semitones above. */
export function moveLogits(logits: Float32Array, semitones: number): Float32Array {
  const moved = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += NUM_KEYS)
    for (let keyId = 0; keyId < NUM_KEYS; keyId++)
      moved[start + transposeKey(keyId, semitones)] = logits[start + keyId];
  return moved;
}

/** Pearson's correlation; 0 if either is flat. */
function correlationOf(a: Float32Array, b: Float32Array): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - meanA) * (b[i] - meanB);
    aa += (a[i] - meanA) ** 2;
    bb += (b[i] - meanB) ** 2;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}

/** Templates are left out: their chroma is equivariant by construction, and they have no seeds. */
function ranksOf(points: readonly EquivariancePoint[]): EquivarianceMeasurement['ranks'] {
  return TEST_SPLITS.flatMap((split) =>
    (['linear probes', 'all probes'] as const).map((over) => {
      const own = points.filter(
        (point) => point.split === split && (over === 'all probes' ? point.method !== 'template' : point.method === 'linear'), // prettier-ignore
      );
      const scores = own.map(({ score }) => score.estimate);
      const rank = (values: readonly number[]): number | null => {
        const rho = values.length < 3 ? null : rankCorrelation(values, scores);
        return rho === null ? null : rounded(rho, 3);
      };
      return {
        split,
        over,
        n: own.length,
        moves: rank(own.map(({ moves }) => moves)),
        correlation: rank(own.map(({ correlation }) => correlation)),
      };
    }),
  );
}

/**
 * Each track asked at up to twelve pitches, -6 to +5 semitones; the answers are moved back and averaged. What is averaged,
 * logits or probabilities, is chosen on validation.
 */
export function testTimeAveraging(run: Run): Promise<TestTimeMeasurement> {
  return measured(run, 'test-time-averaging', {}, (base) => {
    const shifts = copiesOf(run.preset.augmented.semitones);
    const copies = shifts.map((_, i) => i + 1).filter((n) => n % 2 === 1 || n === shifts.length);
    const rows = robustnessSystems(run).flatMap((one) => {
      const { system } = one;
      const averaging = chosenAveraging(run, one, shifts);
      return TEST_SPLITS.map((split): Omit<TestTimeRow, 'pHolm'> => {
        const reference = referenceKeys(run, split, 0);
        const scoreOf = (n: number, by: Averaging): Float64Array =>
          trackMeans(reference, averaged(one, split, shifts.slice(0, n), by), FIFTH_ABOVE);
        const against = (by: Averaging): { interval: Interval; p: number } => {
          const { difference, low, high, pValue } = pairedBootstrap(scoreOf(shifts.length, by), scoreOf(1, by), {
            drawn: drawnFor(run, reference.length),
          });
          return { interval: { estimate: rounded(difference), low: rounded(low), high: rounded(high) }, p: pValue };
        };
        const { interval, p } = against(averaging);
        return {
          ...described(system),
          split,
          averaging,
          weighted: copies.map((n) => intervalOver(run, scoreOf(n, averaging))),
          accuracy: copies.map((n) =>
            intervalOver(run, trackHits(reference, averaged(one, split, shifts.slice(0, n), averaging))),
          ),
          difference: interval,
          p: rounded(p),
          otherDifference: against(averaging === 'logits' ? 'probabilities' : 'logits').interval,
        };
      });
    });
    const pHolm = holm(rows.map(({ p }) => p));
    return {
      ...base,
      nTracks: counts(run),
      copies,
      rows: rows.map((row, i) => ({ ...row, pHolm: rounded(pHolm[i]) })),
    };
  });
}

/** One shift a pitch class (-6 and not +6), the smallest first, 0 among them. */
export function copiesOf(semitones: readonly number[]): number[] {
  return [0, ...semitones.filter((shift) => shift >= -6 && shift <= 5)].sort(
    (a, b) => Math.abs(a) - Math.abs(b) || b - a,
  );
}

/** Estimated keys [seed][track] from the copies of each track. */
function averaged({ logits }: SystemAnswers, split: HeardSplit, shifts: readonly number[], by: Averaging): number[][] {
  const copies = shifts.map((shift) => logits(split, shiftBy(shift)));
  return copies[0].map((_, seed) =>
    largest(
      averageCopies(
        copies.map((ofSeeds) => ofSeeds[seed]),
        shifts,
        by,
      ),
    ),
  );
}

/** [T, K] sums over copies, each moved back by its shift. @param copies [copy] of [T, K] */
export function averageCopies(copies: readonly Float32Array[], shifts: readonly number[], by: Averaging): Float64Array {
  const sums = new Float64Array(copies[0].length);
  copies.forEach((logits, copy) => {
    const back = moveLogits(logits, -shifts[copy]);
    for (let start = 0; start < back.length; start += NUM_KEYS) {
      const row = back.subarray(start, start + NUM_KEYS);
      const votes = by === 'logits' ? row : softmax(row);
      for (let k = 0; k < NUM_KEYS; k++) sums[start + k] += votes[k];
    }
  });
  return sums;
}

/** Templates have no probabilities; the others take what scores higher on validation (logits if equal). */
function chosenAveraging(run: Run, one: SystemAnswers, shifts: readonly number[]): Averaging {
  if (one.system.method === 'template') return 'logits';
  const reference = referenceKeys(run, 'valid', 0);
  const [logits, probabilities] = (['logits', 'probabilities'] as const).map((by) =>
    mean(trackMeans(reference, averaged(one, 'valid', shifts, by), FIFTH_ABOVE)),
  );
  return probabilities > logits ? 'probabilities' : 'logits';
}
