/** 09: the claims of the papers, each with what this run has measured of it and a verdict that follows by rule. */
import { ablations } from '../pretraining/ablations.js';
import type { AblationMeasurement } from '../pretraining/ablationMeasurements.js';
import { mapAccuracy } from '../maps/augmentationMaps.js';
import { copyDistances, pitchNeighbours } from '../tsne/augmentedTsne.js';
import type { ClaimEvidence, ClaimMeasurement, PaperClaim, Verdict } from './claimMeasurements.js';
import { pairwise, TEST_SPLITS } from '../probing/comparison.js';
import { equivariance } from '../robustness/equivariance.js';
import type { MapAccuracyMeasurement } from '../maps/mapMeasurements.js';
import type { MapProbeMeasurement } from '../maps/mapProbeMeasurements.js';
import { mapProbes } from '../maps/mapProbeScores.js';
import type { Interval, PairwiseMeasurement, TestSplit } from '../measurements.js';
import { mixUpEffect } from '../mixup/mixUpEffect.js';
import type { MixUpMeasurement } from '../mixup/mixUpMeasurements.js';
import { pitchAugmentation } from '../grid/pitchAugmentation.js';
import type { PitchAugmentationMeasurement } from '../grid/gridMeasurements.js';
import type { EquivarianceMeasurement } from '../robustness/robustnessMeasurements.js';
import { measured, type Run } from '../run/run.js';
import type { CopyDistanceMeasurement, PitchNeighbourMeasurement } from '../tsne/tsneMeasurements.js';

/** The measurements that the claims are judged by. */
export interface ClaimSources {
  readonly pairwise: PairwiseMeasurement;
  readonly ablations: AblationMeasurement;
  readonly pitchAugmentation: PitchAugmentationMeasurement;
  readonly mixUp: MixUpMeasurement;
  readonly mapAccuracy: MapAccuracyMeasurement;
  readonly mapProbes: MapProbeMeasurement;
  readonly copyDistances: CopyDistanceMeasurement;
  readonly pitchNeighbours: PitchNeighbourMeasurement;
  readonly equivariance: EquivarianceMeasurement;
}

/** Every claim judged by this run; needs the stages of notebooks 03 to 08. */
export function paperClaims(run: Run): Promise<ClaimMeasurement> {
  return measured(run, 'paper-claims', {}, async (base) => ({
    ...base,
    claims: claimsOf({
      pairwise: await pairwise(run),
      ablations: await ablations(run),
      pitchAugmentation: await pitchAugmentation(run),
      mixUp: await mixUpEffect(run),
      mapAccuracy: await mapAccuracy(run),
      mapProbes: await mapProbes(run),
      copyDistances: await copyDistances(run),
      pitchNeighbours: await pitchNeighbours(run),
      equivariance: await equivariance(run),
    }),
  }));
}

const ENCODER = 'vertical-pretrained';
const LINEAR = 'vertical, pretrained, linear probe';
const MLP = 'vertical, pretrained, MLP probe';

/** The claims in the order of the pipeline. Pure. */
export function claimsOf(sources: ClaimSources): PaperClaim[] {
  const { pairwise: pairs, ablations: ablation } = sources;
  return [
    claim(
      'Masked contrastive pretraining helps: its embeddings beat those of the same encoder before training.',
      '04',
      [
        ...differences(pairs, LINEAR, 'vertical, random, linear probe'),
        ...differences(pairs, MLP, 'vertical, random, MLP probe'),
      ],
    ),
    claim('Vertical patches keep pitch: after pretraining they serve the key better than square ones.', '04', differences(pairs, LINEAR, 'square, pretrained, linear probe')), // prettier-ignore
    claim('A shallow, wide MLP reads the key better than a linear probe.', '04', differences(pairs, MLP, LINEAR)),
    {
      claim: 'Frozen embeddings with a small probe reach the state of the art on GiantSteps and Billboard.',
      notebook: '04',
      evidence: differences(pairs, LINEAR, 'chroma + linear probe'),
      verdict: 'not testable here',
      remark:
        'The audio may not be redistributed and the encoder here is a fraction of the paper’s size. On the embedded corpus plain chroma is the mark to beat; the difference to it is shown.',
    },
    claim('Masking 90 % is the best mask ratio.', '03', fromAblation(ablation, 'mask', -1)),
    claim(
      'Pitch shifting does not belong into pretraining: it destroys what the key needs.',
      '03',
      fromAblation(ablation, 'pitch', -1),
    ),
    claim(
      'Pitch shifting the training audio of the probe, its label moved along, helps.',
      '04',
      sources.pitchAugmentation.rows
        .filter(({ encoder }) => encoder.id === ENCODER)
        .map(({ method, split, difference }) => part(`${method === 'mlp' ? 'MLP' : method} probe, with minus without`, split, difference)), // prettier-ignore
    ),
    {
      claim: 'The effect of MixUp on embeddings depends on the data.',
      notebook: '05',
      evidence: sources.mixUp.effects
        .filter(
          (row) => row.encoder === ENCODER && row.method === 'mlp' && row.way === 'Beta(2, 5)' && row.family !== null,
        ) // prettier-ignore
        .map((row) => part(`Beta(2, 5) minus none, ${row.nTrain} train tracks`, row.split, row.weighted.difference)),
      verdict: 'not testable here',
      remark: 'Two sizes of one corpus are no two data sets; the effect at both is shown.',
    },
    claim('Augmentations act nearly linearly on embeddings: a linear map foretells the augmented one.', '07', [
      counted(
        'augmentations of which the linear map explains more of the change than moving by the mean does',
        sources.mapAccuracy.rows
          .filter(({ encoder, group }) => encoder.id === ENCODER && group === 'augmentation')
          .map(({ gains }) => gains.find(({ over }) => over === 'meanShift')!.explainedChange),
      ),
    ]),
    claim(
      'Linear maps can take the place of augmented audio when a probe is trained.',
      '07',
      sources.mapProbes.differences
        .filter(({ a, b, test }) => a === 'part-maps' && b === 'part-none' && test !== 'shifted')
        .map(({ method, test, difference }) => part(`${method === 'mlp' ? 'MLP' : method}, maps minus none, ${TESTS[test] ?? test}`, splitOf(test), difference)), // prettier-ignore
    ),
    claim('Augmented copies stay near their originals, nearer after pretraining than before.', '06', [
      counted(
        'augmentations and strengths whose copies mostly have their original as nearest neighbour',
        firstRanks(sources.copyDistances),
        0.5,
      ),
      ...sources.copyDistances.differences
        .filter(
          ({ a, b, space, measure }) =>
            a.id === ENCODER && b.id === 'vertical-random' && space === 'embedding' && measure === 'rankFirst',
        ) // prettier-ignore
        .map(({ difference }) => part('share with the original nearest, pretrained minus random', null, difference)),
    ]),
    claim('Pitch is kept: a pitch-shifted copy moves to its new key.', '06, 08', [
      counted(
        'shifts after which more neighbours are in the new key than in the old one',
        sources.pitchNeighbours.encoders
          .find(({ encoder }) => encoder.id === ENCODER)!
          .embedding.flatMap(({ difference }, i) => (sources.pitchNeighbours.semitones[i] === 0 ? [] : [difference])),
      ),
      ...TEST_SPLITS.map((split) => movesOf(sources.equivariance, split)),
    ]),
  ];
}

const TESTS: Readonly<Record<string, string>> = {
  test: 'clean',
  testTimbre: 'clean',
  augmented: 'augmented test tracks',
  timbreAugmented: 'augmented',
};

const splitOf = (test: string): TestSplit => (test.startsWith('t') && test.includes('imbre') ? 'testTimbre' : 'test');

/** A claim with the verdict that follows from its evidence. */
export function claim(text: string, notebook: string, evidence: readonly ClaimEvidence[], remark = ''): PaperClaim {
  return { claim: text, notebook, evidence, verdict: verdictOf(evidence), remark };
}

/** Some comparisons of a count speak for the claim, some do not. */
const PARTLY = 0.5;

/** The rule; see `Verdict`. No evidence at all: the preset has not what the claim asks for. */
export function verdictOf(evidence: readonly ClaimEvidence[]): Verdict {
  if (evidence.length === 0) return 'not testable here';
  const signs = evidence.map(({ difference, count }) => {
    if (count) return count.holds === 0 ? -Math.sign(count.of) : count.holds === count.of ? 1 : PARTLY;
    return difference!.low > 0 ? 1 : difference!.high < 0 ? -1 : 0;
  });
  if (signs.every((sign) => sign === 1)) return 'reproduced';
  if (signs.some((sign) => sign > 0)) return 'in part';
  return signs.every((sign) => sign < 0) ? 'contradicted' : 'not reproduced';
}

function part(what: string, split: TestSplit | null, difference: Interval): ClaimEvidence {
  return { what, split, difference, count: null };
}

/** How many intervals lie above `level`. */
function counted(what: string, intervals: readonly Interval[], level = 0): ClaimEvidence {
  const holds = intervals.filter(({ low }) => low > level).length;
  return { what, split: null, difference: null, count: { holds, of: intervals.length } };
}

function differences({ rows }: PairwiseMeasurement, a: string, b: string): ClaimEvidence[] {
  return rows
    .filter((row) => row.a === a && row.b === b)
    .map(({ split, difference }) => part(`${a} minus ${b}`, split, difference));
}

/** Each choice of an axis against the base; `sign` -1 where the claim is that the base is better. */
function fromAblation({ axes }: AblationMeasurement, axis: string, sign: 1 | -1): ClaimEvidence[] {
  const { label, choices } = axes.find(({ id }) => id === axis) ?? { label: '', choices: [] };
  return choices
    .filter(({ isBase }) => !isBase)
    .flatMap((choice) =>
      TEST_SPLITS.map((split) => {
        const { estimate, low, high } = choice.scores[split].fromBase!;
        const difference = sign > 0 ? { estimate, low, high } : { estimate: -estimate, low: -high, high: -low };
        return part(`${label}: ${sign > 0 ? `${choice.label} minus base` : `base minus ${choice.label}`}`, split, difference); // prettier-ignore
      }),
    );
}

function firstRanks({ encoders, kinds }: CopyDistanceMeasurement): Interval[] {
  const { embedding } = encoders.find(({ encoder }) => encoder.id === ENCODER)!;
  return embedding.flatMap(({ rankFirst }, i) => (kinds[i].semitones === 0 ? [rankFirst] : []));
}

function movesOf({ curves }: EquivarianceMeasurement, split: TestSplit): ClaimEvidence {
  const curve = curves.find((one) => one.system === `${ENCODER}-linear` && one.split === split);
  const shifts = (curve?.semitones ?? []).flatMap((semitones, i) => (semitones === 0 ? [] : [i]));
  const moves = shifts.map((i): Interval => {
    const { estimate, low, high } = curve!.moves[i];
    const expected = curve!.unrelated[i];
    return { estimate: estimate - expected, low: low - expected, high: high - expected };
  });
  return { ...counted('shifts with which the answer moves along more often than by chance', moves), split };
}
