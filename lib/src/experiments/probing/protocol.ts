/** 04: what each flaw of the published protocol is worth, on the same encoders and probes. */
import { mean } from '../../stats/index.js';
import type { ProtocolMeasurement, ProtocolRow, TestSplit } from '../measurements.js';
import { type ProbeOutcome, probeOutcome, representations } from './probing.js';
import { keysOf, measured, rounded, type Run } from '../run/run.js';
import { BOTH_FIFTHS, FIFTH_ABOVE, trackMeans } from './scores.js';
import { TEST_SPLITS } from './comparison.js';
import type { Ruler } from '../../keys/index.js';

/** Scores of one outcome with and without a flaw. */
interface Worth {
  readonly corrected: number;
  readonly asPublished: number;
}

/** Weighted score, fifth above only unless the flaw is about that; over all base encoders, linear probes and seeds. */
export function protocol(run: Run): Promise<ProtocolMeasurement> {
  return measured(run, 'protocol', {}, async (base) => {
    const probed = (await representations(run)).filter(({ requests }) => requests.some((request) => request.withFlaws));
    const groups = probed.map(({ label, requests, moreSeeds }) => ({
      label,
      outcomes: requests.map((request) => probeOutcome(run, request)),
      // One pretraining seed, several probe seeds: what remains of chance when nothing is pretrained anew.
      probeSeeds: (moreSeeds.length ? [requests[0], ...moreSeeds] : requests).map((request) =>
        probeOutcome(run, request),
      ),
    }));
    const outcomes = groups.flatMap((group) => group.outcomes);
    return {
      ...base,
      rows: TEST_SPLITS.flatMap((split) => {
        const reference = keysOf(run, split);
        const score = (keys: readonly number[], ruler: Ruler = FIFTH_ABOVE): number =>
          mean(trackMeans(reference, [keys], ruler));
        const corrected = (outcome: ProbeOutcome): number => score(outcome.estimates[split]!);
        return [
          row(
            'epoch and configuration chosen by test',
            split,
            reference.length,
            outcomes.map((o) => ({ corrected: corrected(o), asPublished: score(o.flaws!.chosenByTest[split]) })),
          ),
          row(
            'scaler fitted on each split',
            split,
            reference.length,
            outcomes.map((o) => ({ corrected: corrected(o), asPublished: score(o.flaws!.scalerPerSplit[split]) })),
          ),
          row(
            'fifth credited above only',
            split,
            reference.length,
            outcomes.map((o) => ({ corrected: score(o.estimates[split]!, BOTH_FIFTHS), asPublished: corrected(o) })),
          ),
          // Reporting the luckiest of the seeds instead of their mean.
          row(
            'one seed: the best instead of the mean',
            split,
            reference.length,
            groups.map((group) => bestOfSeeds(group.probeSeeds.map(corrected))),
          ),
        ];
      }),
      seedScores: groups.flatMap((group) =>
        TEST_SPLITS.map((split) => ({
          encoder: group.label,
          split,
          scores: group.probeSeeds.map((outcome) =>
            rounded(mean(trackMeans(keysOf(run, split), [outcome.estimates[split]!], FIFTH_ABOVE)), 5),
          ),
        })),
      ),
    };
  });
}

function bestOfSeeds(scores: readonly number[]): Worth {
  return { corrected: mean(Float64Array.from(scores)), asPublished: Math.max(...scores) };
}

function row(flaw: string, split: TestSplit, n: number, worths: readonly Worth[]): ProtocolRow {
  const differences = worths.map(({ corrected, asPublished }) => asPublished - corrected);
  const average = (values: readonly number[]): number => rounded(mean(Float64Array.from(values)), 5);
  return {
    flaw,
    split,
    n,
    corrected: average(worths.map((worth) => worth.corrected)),
    asPublished: average(worths.map((worth) => worth.asPublished)),
    difference: {
      estimate: average(differences),
      low: rounded(Math.min(...differences), 5),
      high: rounded(Math.max(...differences), 5),
    },
  };
}
