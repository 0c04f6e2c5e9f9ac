import { describe, expect, it } from 'vitest';
import * as figures from '../../lib/src/figures/index.js';
import { grids, pitchAugmentation } from './gridMeasurements.js';
import * as m from './measurements.js';
import { music } from './musicMeasurements.js';
import * as r from './robustnessMeasurements.js';

const drawn: (figures.Figure | figures.Table)[] = [
  figures.waveformFigure(m.walkthrough),
  figures.stftFigure(m.walkthrough),
  figures.melFigure(m.walkthrough),
  figures.filterBankFigure(m.filterBank),
  figures.gainFigure(m.gain),
  figures.octaveFigure(m.octave),
  figures.tuningFigure(m.tuning),
  figures.trackTable(m.tracks, m.source),
  figures.frameworkFigure(m.framework),
  figures.tokenTable(m.tokens),
  figures.masksFigure(m.coverage),
  figures.coverageFigure(m.coverage),
  figures.viewDistanceFigure(m.viewDistance),
  figures.trainingCurvesFigure(m.curves),
  figures.retrievalFigure(m.snapshots),
  figures.probeAgainstStepFigure(m.snapshots),
  figures.budgetTable(m.budget),
  figures.ablationFigure(m.ablations),
  figures.ablationTable(m.ablations),
  figures.comparisonFigure(m.comparison, { ...m.comparison, preset: 'study' }),
  figures.comparisonTable(m.comparison),
  figures.errorSharesFigure(m.comparison, 'test'),
  figures.errorSharesFigure(m.comparison, 'testTimbre'),
  figures.pairwiseTable(m.pairwise),
  figures.confusionFigure(m.confusion),
  figures.fifthsFigure(m.confusion),
  figures.protocolFigure(m.protocol),
  figures.protocolTable(m.protocol),
  figures.layersFigure(m.layers),
  figures.gridChoiceFigure(grids),
  figures.gridHeatFigure(grids.architectures),
  figures.gridTable(grids),
  figures.gridNoiseTable(grids),
  figures.gridFieldsTable(grids.trainings),
  figures.pitchAugmentationFigure(pitchAugmentation),
  figures.pitchAugmentationTable(pitchAugmentation),
  figures.mapAccuracyFigure(m.mapAccuracy),
  figures.mapEncodersFigure(m.mapAccuracy),
  figures.mapTable(m.mapAccuracy),
  figures.mapRankFigure(m.mapRank),
  figures.mapRankTable(m.mapRank),
  figures.gradientTable(m.mapGradient),
  figures.compositionFigure(m.mapComposition),
  figures.compositionTable(m.mapComposition),
  figures.powersFigure(m.mapShifts),
  figures.inverseFigure(m.mapShifts),
  figures.keyShiftFigure(m.mapShifts),
  figures.keyMovesFigure(m.mapShifts),
  figures.cycleTable(m.mapShifts),
  figures.mapProbesFigure(m.mapProbes),
  figures.mapProbesTable(m.mapProbes),
  figures.mapProbeDifferencesTable(m.mapProbes),
  figures.tsneMapFigure(m.augmentedMap),
  figures.augmentedMapFigure(m.augmentedMap),
  figures.perplexityFigure(m.perplexity),
  figures.tsneJsFigure(m.tsneJs),
  figures.tsneJsTable(m.tsneJs),
  figures.mapProgressFigure(m.mapQuality),
  figures.mapQualityTable(m.mapQuality),
  figures.copyCurvesFigure(m.copyDistances, 'embedding', 'rankFirst'),
  figures.copyCurvesFigure(m.copyDistances, 'embedding', 'ratio'),
  figures.copyCurvesFigure(m.copyDistances, 'map', 'rankFirst'),
  figures.copyDifferenceTable(m.copyDistances),
  figures.copyRankTable(m.copyDistances),
  figures.pitchNeighboursFigure(m.pitchNeighbours),
  figures.robustnessFigure(r.robustness, 'test'),
  figures.robustnessFigure(r.robustness, 'testTimbre'),
  figures.robustnessSummaryFigure(r.robustness),
  figures.robustnessPairsFigure(r.robustness),
  figures.robustnessTable(r.robustness, 'test'),
  figures.cleanTable(r.robustness),
  figures.strengthTable(r.strengths),
  figures.equivarianceFigure(r.equivariance, 'test'),
  figures.equivarianceScoreFigure(r.equivariance),
  figures.testTimeFigure(r.averaging),
  figures.testTimeTable(r.averaging),
  figures.reliabilityFigure(r.confidence),
  figures.abstentionFigure(r.confidence),
  figures.degradedFigure(r.confidence),
  figures.confidenceTable(r.confidence),
  figures.mixUpBetasFigure(m.mixUpBetas),
  figures.mixLineFigure(m.mixLine),
  figures.mixUpEffectFigure(m.mixUp),
  figures.mixUpLikelihoodFigure(m.mixUp),
  figures.mixUpScoreTable(m.mixUp),
  figures.mixUpEffectTable(m.mixUp),
  figures.mixUpReliabilityFigure(m.calibration, 'linear', 'whole'),
  figures.marginsFigure(m.calibration, 'whole'),
  figures.calibrationTable(m.calibration),
  figures.keyCircleFigure(music),
  figures.keyOverTimeFigure(music, music.tracks[0], 1),
  figures.keyOverTimeFigure(music, music.tracks[1], 2),
  figures.musicTable(music),
  figures.musicProblemsTable(music),
];

/** Three significant digits: a picture shows no more, and rounding elsewhere must not change a snapshot. */
function snapshotOf(shown: object): string {
  return `${JSON.stringify(shown, (_, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(3)) : value), 1)}\n`;
}

describe('figures and tables', () => {
  it.each(drawn.map((shown) => [shown.id, shown] as const))('%s looks as reviewed', async (id, shown) => {
    await expect(snapshotOf(shown)).toMatchFileSnapshot(`snapshots/${id}.snapshot`);
  });

  it('a changed value changes the snapshot', () => {
    const changed = { ...m.gain, power: [0.9, 0, 0.9] };
    expect(snapshotOf(figures.gainFigure(changed))).not.toBe(snapshotOf(figures.gainFigure(m.gain)));
  });

  it('each has an id of its own, a caption with the command, and plain JSON', () => {
    expect(new Set(drawn.map(({ id }) => id)).size).toBe(drawn.length);
    for (const shown of drawn) {
      expect(shown.caption).toContain('npm run reproduce -- --preset smoke');
      expect(shown.caption).toContain('0123456789ab');
      expect(JSON.parse(JSON.stringify(shown))).toEqual(JSON.parse(JSON.stringify({ ...shown })));
      expect(JSON.stringify(shown)).not.toMatch(/NaN|undefined/);
    }
  });

  it('every visible axis of a chart has a title', () => {
    for (const shown of drawn) {
      if (!('layout' in shown) || ['framework', 'masks', 'key-circle'].includes(shown.id)) continue;
      const { xaxis, yaxis } = shown.layout;
      const titles = [xaxis, yaxis].map((axis) => (axis?.title as { text: string } | undefined)?.text ?? '');
      expect(
        titles.some((title) => title !== ''),
        shown.id,
      ).toBe(true);
    }
  });

  it('a name that looks like markup is shown as it is', () => {
    for (const shown of [figures.tsneMapFigure(m.augmentedMap), figures.augmentedMapFigure(m.augmentedMap)])
      expect(JSON.stringify(shown.data)).toContain('a &lt;b&gt;name&lt;/b&gt;');
  });

  it('rows of a table have one cell a column', () => {
    for (const shown of drawn)
      if ('rows' in shown) for (const row of shown.rows) expect(row.length).toBe(shown.columns.length);
  });

  it('drawing changes nothing in the measurement', () => {
    const before = JSON.stringify(m.comparison);
    figures.comparisonFigure(m.comparison);
    figures.errorSharesFigure(m.comparison, 'test');
    expect(JSON.stringify(m.comparison)).toBe(before);
  });
});

describe('numbers as text', () => {
  it('scores are points of 100', () => {
    expect(figures.points(0.7202)).toBe('72.0');
    expect(figures.interval({ estimate: 0.612, low: 0.579, high: 0.644 })).toBe('61.2 [57.9, 64.4]');
  });

  it('differences carry their sign, and no zero is negative', () => {
    expect(figures.signedInterval({ estimate: -0.0002, low: -0.031, high: 0.02 })).toBe('+0.0 [−3.1, +2.0]');
  });

  it('no p value is 0', () => {
    expect(figures.probability(0)).toBe('< 0.001');
    expect(figures.probability(0.0412)).toBe('0.041');
  });
});

describe('the study beside a run', () => {
  it('gets another id, so that it overwrites nothing', () => {
    const shown = figures.ofStudy(figures.retrievalFigure(m.snapshots));
    expect(shown.id).toBe('study-retrieval');
    expect((shown.layout.title as { text: string }).text).toMatch(/^Study: /);
    expect(figures.ofStudy(figures.budgetTable(m.budget)).id).toBe('study-budget');
  });
});
