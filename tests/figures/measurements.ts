/** Small measurements with made-up numbers, enough for every branch of every figure. */
import type * as m from '../../lib/src/experiments/index.js';

const base: m.Provenance = { preset: 'smoke', configId: '0123456789ab', backend: 'cpu' };
const track: m.TrackCard = { id: 't1', key: 'Eb minor', split: 'train', seconds: 20, style: 'folk', tuningCents: -12 };
const interval = (estimate: number): m.Interval => ({ estimate, low: estimate - 0.05, high: estimate + 0.07 });
const heat = (rows: number, columns: number): m.Heat => ({
  rows: Array.from({ length: rows }, (_, i) => i),
  columns: Array.from({ length: columns }, (_, i) => i / 10),
  values: Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => -r - c / 3)),
});
const encoder = (patches: 'vertical' | 'square', origin: 'random' | 'pretrained' = 'pretrained'): m.EncoderName => ({
  id: `${patches}-${origin}`,
  label: `${patches}, ${origin}`,
  patches,
  origin,
  data: origin === 'random' ? null : 'embedded',
  variant: null,
});

export const walkthrough: m.MelWalkthrough = {
  ...base,
  track,
  nSamples: 100000,
  nFrames: 196,
  waveform: { binSeconds: 0.00625, low: [-0.1, -0.2], high: [0.3, 0.1] },
  stft: heat(3, 2),
  melPower: heat(3, 2),
  melLog1p: heat(3, 2),
  concentration: { share: [0.01, 0.05, 0.1, 0.5], power: [0.3, 0.6, 0.8, 0.99], log1p: [0.1, 0.3, 0.5, 0.9] },
};
export const filterBank: m.FilterBankMeasurement = {
  ...base,
  centres: [20, 40],
  widths: [40, 400],
  curves: [
    { band: 0, frequencies: [0, 20, 40], weights: [0, 0.05, 0] },
    { band: 12, frequencies: [100, 120, 140], weights: [0, 0.04, 0] },
  ],
};
export const gain: m.GainMeasurement = {
  ...base,
  gainsDecibel: [-10, 0, 10],
  power: [1e-4, 0, 2e-6],
  log1p: [0.3, 0, 0.2],
  powerRaw: [0.9, 0, 9],
  log1pRaw: [0.7, 0, 1.5],
};
export const octave: m.OctaveMeasurement = {
  ...base,
  notes: [
    { name: 'C4', midi: 60, hertz: 261.63, band: 10.1 },
    { name: 'C5', midi: 72, hertz: 523.25, band: 21.3 },
  ],
  octaves: [{ from: 'C4', to: 'C5', bands: 11.2 }],
  bandsPerSemitone: [0.6, 1.2],
  resolvedFromMidi: 72,
};
export const tuning: m.TuningMeasurement = {
  ...base,
  cents: [0, 40],
  fundamental: 440,
  bands: [0, 1],
  profiles: [
    [0.7, 0.3],
    [0.4, 0.6],
  ],
  cosineToSelf: [1, 0.8],
  cosineToNeighbour: [0.2, 0.5],
};
const vertical: m.PatchLayout = { patches: 'vertical', patchSize: [128, 2], nFrames: 6, nTokens: 3, views: [[1], [2]] };
const square: m.PatchLayout = { patches: 'square', patchSize: [64, 2], nFrames: 6, nTokens: 6, views: [[5], [0]] };
export const framework: m.FrameworkMeasurement = {
  ...base,
  track,
  mel: heat(128, 6),
  maskRatio: 0.9,
  layouts: [vertical, square],
};
export const tokens: m.TokenCountMeasurement = {
  ...base,
  rows: [
    {
      patches: 'vertical',
      patchSize: '128 × 2',
      clipFrames: 196,
      nTokens: 98,
      masked: 88,
      kept: 10,
      attentionShare: 0.0104,
    },
  ],
};
export const coverage: m.MaskCoverageMeasurement = {
  ...base,
  maskRatio: 0.9,
  mel: heat(128, 6),
  example: vertical,
  nViews: [1, 2],
  counted: [0.1, 0.19],
  expected: [0.1, 0.19],
  overlap: 0.1,
};
export const viewDistance: m.ViewDistanceMeasurement = {
  ...base,
  nTracks: 10,
  seconds: [0, 6.25],
  chroma: [interval(1), interval(0.6)],
  timbre: [interval(1), interval(0.8)],
  chromaOther: -0.1,
  timbreOther: 0,
};
export const curves: m.TrainingCurves = {
  ...base,
  batchPairs: 128,
  temperature: 0.1,
  curves: (['vertical', 'square'] as const).flatMap((patches) =>
    [0, 1].map((seed) => ({
      encoder: encoder(patches),
      seed,
      step: [1, 2],
      loss: [5, 4],
      contrastiveAccuracy: [0.1, 0.2],
      alignment: [1, 0.9],
      uniformity: [-1, -2],
      secondsPerStep: 0.5,
    })),
  ),
};
export const snapshots: m.SnapshotScores = {
  ...base,
  nTracks: 24,
  curves: (['vertical', 'square'] as const).map((patches) => ({
    encoder: encoder(patches),
    seed: 0,
    step: [0, 100],
    retrieval: [0.1, 0.4],
    cosineSame: [0.5, 0.6],
    cosineOther: [0, 0],
    probe: [interval(0.3), interval(0.4)],
  })),
};
export const budget: m.BudgetMeasurement = {
  ...base,
  rows: [{ encoder: encoder('vertical'), parameters: 826624, steps: 300, pairs: 128, tokensPerClip: 10, seconds: 180 }],
};
const row = (id: string, family: m.ComparisonRow['family'], split: m.TestSplit, score: number): m.ComparisonRow => ({
  id,
  label: id,
  family,
  method: family === 'template' ? 'template' : 'linear',
  split,
  n: 144,
  seeds: family === 'template' ? 1 : 3,
  seedsOf: family === 'template' ? null : 'probe',
  weighted: interval(score),
  weightedBothFifths: interval(score + 0.02),
  accuracy: interval(score - 0.1),
  shares: { same: 0.5, fifth: 0.1, relative: 0.1, parallel: 0.1, other: 0.2 },
  sharesBothFifths: { same: 0.5, fifth: 0.2, relative: 0.1, parallel: 0.1, other: 0.1 },
  perSeed: [score],
  deviation: family === 'template' ? null : 0.011,
});
export const comparison: m.ComparisonMeasurement = {
  ...base,
  corpus: '480 / 96 / 144 / 144 tracks, seed 1',
  rows: (['test', 'testTimbre'] as const).flatMap((split) => [
    row('template-edma', 'template', split, 0.7),
    row('chroma-linear', 'spectrum', split, 0.6),
    row('vertical-random-linear', 'random', split, 0.5),
    row('vertical-pretrained-linear', 'pretrained', split, 0.55),
    row('square-pretrained-linear', 'pretrained', split, 0.45),
    row('hybrid-pretrained-linear', 'pretrained', split, 0.56),
  ]),
};
export const pairwise: m.PairwiseMeasurement = {
  ...base,
  rows: [
    {
      split: 'test',
      a: 'A',
      b: 'B',
      n: 144,
      seeds: 3,
      difference: { estimate: 0.021, low: -0.0002, high: 0.05 },
      pBootstrap: 0.06,
      onlyA: 12,
      onlyB: 7,
      pMcNemar: 0.0004,
    },
  ],
};
export const confusion: m.ConfusionMeasurement = {
  ...base,
  label: 'vertical, pretrained',
  split: 'test',
  keys: ['C major', 'A minor'],
  counts: [
    [4, 2],
    [0, 6],
  ],
  seeds: 2,
  fifths: [-1, 0, 1],
  sameMode: [0, 10, 0],
  otherMode: [0, 0, 2],
};
export const protocol: m.ProtocolMeasurement = {
  ...base,
  rows: (['test', 'testTimbre'] as const).map((split) => ({
    flaw: 'chosen by test',
    split,
    corrected: 0.5,
    asPublished: 0.53,
    difference: { estimate: 0.03, low: -0.01, high: 0.06 },
    n: 144,
  })),
  seedScores: [{ encoder: 'vertical', split: 'test', scores: [0.5, 0.52] }],
};
export const layers: m.LayerMeasurement = {
  ...base,
  n: 96,
  split: 'validation',
  curves: (['random', 'pretrained'] as const).map((origin) => ({
    encoder: encoder('vertical', origin),
    seed: 0,
    layer: [0, 1],
    weighted: [interval(0.4), interval(0.5)],
  })),
};
const ablationScore = (estimate: number, isBase: boolean, hasReference: boolean): m.AblationScore => ({
  n: 144,
  weighted: interval(estimate),
  perSeed: [estimate - 0.01, estimate + 0.01],
  fromBase: isBase ? null : { estimate: estimate - 0.5, low: estimate - 0.53, high: estimate - 0.46 },
  fromReference: hasReference ? { estimate: 0.01, low: -0.02, high: 0.04 } : null,
  fromRandom: interval(estimate - 0.3),
  random: 0.3,
});
const ablationChoice = (label: string, estimate: number, hasReference = false): m.AblationChoice => {
  const score = ablationScore(estimate, label === 'base', hasReference);
  return {
    label,
    encoder: encoder('vertical'),
    layer: null,
    isBase: label === 'base',
    steps: 500,
    tokens: 1_280_000,
    seconds: 120,
    scores: { test: score, testTimbre: score },
  };
};
export const ablations: m.AblationMeasurement = {
  ...base,
  corpus: '24 train, 144 test and 144 unseen-timbre tracks, seed 1',
  seeds: 2,
  seedsOf: 'pretraining',
  base: { label: 'vertical, pretrained', scores: { test: 0.5, testTimbre: 0.45 } },
  axes: [
    {
      id: 'mask',
      label: 'Mask ratio',
      reference: null,
      choices: [ablationChoice('50 %', 0.45), ablationChoice('base', 0.5)],
    },
    {
      id: 'distance',
      label: 'Distance of the two views',
      reference: 'one clip',
      choices: [ablationChoice('one clip', 0.41), ablationChoice('within 1 s', 0.42, true)],
    },
  ],
};
export const tracks: readonly m.TrackCard[] = [track, { ...track, id: 't2', tuningCents: null }];
export const source = base;

const mapPairs: m.PairCounts = { width: 32, train: 24, valid: 12, test: 24, trainTracks: 12, testTracks: 12 };
const mapMeasures = (estimate: number): m.MapMeasures => ({
  r2: interval(estimate),
  explainedChange: interval(estimate),
  cosine: interval(0.9),
  centredCosine: interval(estimate),
  top1: interval(0.9),
  meanReciprocalRank: interval(0.9),
});
const mapRow = (
  of: m.EncoderName,
  augmentation: string,
  group: m.MapRow['group'],
  linearEstimate: number,
): m.MapRow => ({
  encoder: of,
  seeds: 1,
  augmentation,
  group,
  labelShift: group === 'shift' ? 1 : 0,
  kinds: {
    identity: mapMeasures(0),
    meanShift: mapMeasures(0.2),
    linear: mapMeasures(linearEstimate),
    affine: mapMeasures(0.5),
  },
  gains: [{ over: 'identity', explainedChange: interval(0.3), centredCosine: interval(0.2) }],
  ridges: [0.01],
  towards: ['identity'],
});
const mapEncoders = [encoder('vertical'), encoder('vertical', 'random'), encoder('square')];
export const mapAccuracy: m.MapAccuracyMeasurement = {
  ...base,
  pairs: mapPairs,
  rows: mapEncoders.flatMap((of) => [
    mapRow(of, 'Low-pass 2000 Hz', 'augmentation', 0.4),
    mapRow(of, 'White noise 10 dB', 'augmentation', -3),
    mapRow(of, 'Pitch shift +1 semitones', 'shift', 0.6),
    mapRow(of, 'Low-pass 2000 Hz + White noise 10 dB', 'chain', 0.3),
  ]),
};
export const mapRank: m.MapRankMeasurement = {
  ...base,
  pairs: mapPairs,
  rows: ['Low-pass 2000 Hz', 'Pitch shift +1 semitones'].map((augmentation, i) => ({
    encoder: encoder('vertical'),
    augmentation,
    group: i === 0 ? 'augmentation' : 'shift',
    singularValues: [1, 0.5, 0],
    effectiveRankOfChange: 2,
    effectiveRank: 30,
    rankOfSquares: 1,
    ranks: [0, 1, 2],
    explainedChange: [interval(0), interval(0.4), interval(-2)],
    r2: [interval(0), interval(0.4), interval(0.5)],
    rankNeeded: i === 0 ? 1 : null,
  })),
};
export const mapGradient: m.GradientMeasurement = {
  ...base,
  encoder: encoder('vertical'),
  pairs: mapPairs,
  rows: (['adam', 'sgd'] as const).map((optimizer) => ({
    augmentation: 'Low-pass 2000 Hz',
    optimizer,
    ridge: 0.01,
    towards: 'identity',
    epochs: 500,
    matrixGap: 1e-3,
    predictionGap: 2e-4,
    explainedChangeGradient: 0.412,
    explainedChangeClosed: 0.413,
  })),
};
const composed = {
  identity: interval(0),
  first: interval(0.2),
  second: interval(0.3),
  reversed: interval(0.35),
  composed: interval(0.4),
  direct: interval(0.5),
};
export const mapComposition: m.CompositionMeasurement = {
  ...base,
  pairs: mapPairs,
  rows: mapEncoders.map((of, i) => ({
    encoder: of,
    seeds: 1,
    first: 'Low-pass 2000 Hz',
    second: 'White noise 10 dB',
    explainedChange: composed,
    centredCosine: composed,
    differences: (['identity', 'first', 'second', 'reversed', 'direct'] as const).map((to) => ({
      to,
      difference: interval(to === 'direct' ? -0.1 : 0.1),
    })),
    predictionGap: 0.2,
    matrixGap: 0.6,
    commutator: 0.01,
    orderGapOfMaps: 0.05,
    orderGapOfAudio: i === 0 ? 0.3 : null,
  })),
};
export const mapShifts: m.ShiftMeasurement = {
  ...base,
  pairs: mapPairs,
  powers: [-1, 1, 2].map((semitones) => ({
    encoder: encoder('vertical'),
    semitones,
    explainedChange: { power: interval(0.3), direct: interval(0.4) },
    centredCosine: { identity: interval(0.4), power: interval(0.5), direct: interval(0.6) },
    difference: interval(-0.1),
    predictionGap: 0.3,
  })),
  inverses: [-1, 1].map((semitones) => ({
    encoder: encoder('vertical'),
    semitones,
    roundTrip: interval(0.8),
    byOpposite: interval(0.4),
    byInverse: interval(0.3),
    byDirect: interval(0.5),
    conditionNumber: 500,
    inverseRank: 20,
  })),
  cycles: [
    { encoder: encoder('vertical'), label: '+1, 12 times', semitones: 12, r2: interval(0.2), centredCosine: interval(0.4), keyAgreement: interval(0.3), logitCorrelation: interval(0.5) }, // prettier-ignore
    { encoder: encoder('vertical'), label: '+1 then +6', semitones: 7, r2: null, centredCosine: null, keyAgreement: interval(0.4), logitCorrelation: interval(0.5) }, // prettier-ignore
  ],
  keyShifts: [-1, 1, 2].map((semitones) => ({
    encoder: encoder('vertical'),
    semitones,
    keyAgreement: { map: interval(0.5), audio: interval(0.6), none: interval(0.1) },
    logitCorrelation: { map: interval(0.5), audio: interval(0.6), none: interval(0.1) },
  })),
  keys: Array.from({ length: 24 }, (_, place) => `key ${place}`),
  moves: ['map of +1', 'audio shifted by +1', 'map of +1, then map of +6 (= +7)'].map((label, i) => ({
    label,
    semitones: i < 2 ? 1 : 7,
    share: Array.from({ length: 24 }, (_, from) => Array.from({ length: 24 }, (_, to) => (from === to ? 1 : 0))),
  })),
};
const probeTests: readonly m.ProbeTestId[] = ['test', 'testTimbre', 'augmented', 'shifted', 'timbreAugmented'];
export const mapProbes: m.MapProbeMeasurement = {
  ...base,
  encoder: 'vertical, pretrained',
  seeds: 1,
  part: { clips: 24, tracks: 12 },
  whole: { clips: 96, tracks: 48 },
  probability: 0.8,
  rows: (['linear', 'mlp'] as const).flatMap((method) =>
    (['part', 'whole'] as const).flatMap((trainOn) =>
      ['none', 'maps'].flatMap((variant) =>
        probeTests.map((test) => ({
          method,
          variant: `${trainOn}-${variant}`,
          label: variant === 'none' ? 'none' : 'linear maps',
          trainOn,
          test,
          n: 12,
          ways: test === 'augmented' ? 15 : 1,
          weighted: interval(variant === 'none' ? 0.4 : 0.5),
          perSeed: [0.4],
        })),
      ),
    ),
  ),
  differences: probeTests.map((test) => ({
    method: 'linear',
    trainOn: 'part',
    a: 'part-maps',
    b: 'part-none',
    test,
    n: 12,
    difference: interval(0.1),
    pValue: 0.02,
  })),
};

// ---- 06 augmented t-SNE ----
const spread = (mean: number): m.Spread => ({ mean, deviation: 0.02 });
const random = encoder('vertical', 'random');
const kinds: readonly m.CopyKind[] = [
  { chain: 'Low-pass 2000 Hz', augmentation: 'lowPass', label: 'Low-pass', axisLabel: 'Low-pass cut-off (Hz)', strength: 2000, semitones: 0 }, // prettier-ignore
  { chain: 'Low-pass 500 Hz', augmentation: 'lowPass', label: 'Low-pass', axisLabel: 'Low-pass cut-off (Hz)', strength: 500, semitones: 0 }, // prettier-ignore
  { chain: 'Pitch shift +1 semitones', augmentation: 'pitchShift', label: 'Pitch shift', axisLabel: 'Pitch shift (semitones)', strength: 1, semitones: 1 }, // prettier-ignore
  { chain: 'Reverberation 1 s + Low-pass 2000 Hz', augmentation: 'composition', label: 'Composition', axisLabel: '', strength: null, semitones: 0 }, // prettier-ignore
];
export const augmentedMap: m.AugmentedMapMeasurement = {
  ...base,
  perplexity: 30,
  tracks: [
    { id: 'a <b>name</b>', keyId: 0, split: 'train', style: 'folk' },
    { id: 't2', keyId: 7, split: 'test', style: 'band' },
  ],
  trackOf: [0, 1],
  clipOf: [0, 1],
  kinds: [kinds[0], kinds[2]],
  copies: [
    { original: 1, kind: 0, sound: 't2 · Low-pass 2000 Hz' },
    { original: 1, kind: 1, sound: 't2 · Pitch shift +1 semitones' },
  ],
  originalSounds: [{ original: 1, sound: 't2 · clean' }],
  panels: [encoder('vertical'), encoder('square'), random].map((name) => ({
    encoder: name,
    klDivergence: 0.9,
    clips: { x: [0, 3], y: [1, -2] },
    copies: { x: [2.5, -1], y: [-2, 0] },
  })),
};
export const mapQuality: m.MapQualityMeasurement = {
  ...base,
  nClips: 100,
  nTracks: 50,
  perplexity: 30,
  k: 10,
  iterations: [0, 1000],
  rows: (['pca', 'random'] as const).map((start) => ({
    encoder: encoder('vertical'),
    start,
    seeds: start === 'pca' ? 1 : 5,
    klDivergence: [spread(3), spread(1)],
    keyAccuracy: [spread(0.1), spread(0.3)],
    embeddingAccuracy: 0.35,
    trustworthiness: spread(0.9),
    preservation: spread(0.4),
  })),
};
const copyDistancesOf = (share: number): m.CopyDistances => ({
  ratio: interval(1 - share),
  rankFirst: interval(share),
  medianRank: 1.5,
});
export const copyDistances: m.CopyDistanceMeasurement = {
  ...base,
  nTracks: 10,
  nClips: 20,
  nCandidates: 100,
  seeds: 1,
  mapSeeds: 5,
  kinds,
  encoders: [encoder('vertical'), random].map((name, i) => ({
    encoder: name,
    sameTrack: { embedding: interval(0.4), map: i === 0 ? interval(0.3) : null },
    embedding: kinds.map((_, kind) => copyDistancesOf(0.8 - 0.1 * kind)),
    map: kinds.map((_, kind) => ({ ...copyDistancesOf(0.3 - 0.05 * kind), spread: { ratio: 0.01, rankFirst: 0.02 } })),
  })),
  differences: (['embedding', 'map'] as const).map((space) => ({
    a: encoder('vertical'),
    b: random,
    space,
    measure: space === 'map' ? ('rankFirst' as const) : ('ratio' as const),
    meanA: 0.4,
    meanB: 0.5,
    difference: { estimate: -0.1, low: -0.2, high: 0.01 },
    p: 0.07,
  })),
};
export const pitchNeighbours: m.PitchNeighbourMeasurement = {
  ...base,
  k: 10,
  nTracks: 10,
  seeds: 1,
  mapSeeds: 5,
  chance: 0.042,
  semitones: [-1, 0, 1],
  encoders: [encoder('vertical'), random].map((name) => {
    const shares = [0.2, 0.3, 0.25].map((share) => ({ own: interval(0.1), moved: interval(share), difference: interval(share - 0.1) })); // prettier-ignore
    return { encoder: name, embedding: shares, map: shares };
  }),
};
export const perplexity: m.PerplexityMeasurement = {
  ...base,
  encoder: encoder('vertical'),
  k: 10,
  keyIds: [0, 7],
  panels: (['embeddings', 'shuffled'] as const).flatMap((data) =>
    [5, 30].map((value) => ({
      data,
      perplexity: value,
      klDivergence: 1,
      keyAccuracy: data === 'shuffled' ? 0.04 : 0.3,
      trustworthiness: 0.9,
      clips: { x: [0, 1], y: [2, 3] },
    })),
  ),
};
export const tsneJs: m.TsneJsMeasurement = {
  ...base,
  encoder: encoder('vertical'),
  nClips: 2,
  perplexity: 30,
  k: 10,
  keyIds: [0, 7],
  embeddingAccuracy: 0.3,
  rows: (['keymyna', 'tsne-js'] as const).map((program) => ({
    program,
    start: 'random' as const,
    seeds: 3,
    klDivergence: spread(0.8),
    keyAccuracy: spread(0.25),
    trustworthiness: spread(0.85),
    preservation: spread(0.5),
    clips: { x: [0, 1], y: [2, 3] },
  })),
};

// ---- 05 MixUp --------------------------------------------------------------------------------------------------

const WAYS = ['no MixUp', 'Beta(2, 5)', 'Beta(5, 2)', 'Beta(.2, .2)'];
export const mixUpBetas: m.BetaMeasurement = {
  ...base,
  lambda: [0.25, 0.5, 0.75],
  nDraws: 1000,
  curves: WAYS.slice(1).map((label, i) => ({
    label,
    alpha: 2,
    beta: 5,
    density: [2 - i, 1, i],
    mean: 0.3,
    drawnMean: 0.31,
    standardError: 0.01,
    drawnShares: [0.7, 0.3],
    meanSmallerShare: 0.25,
  })),
};
export const mixLine: m.MixLineMeasurement = {
  ...base,
  split: 'test',
  nPairs: 24,
  lambda: [0, 0.5, 1],
  curves: (['linear', 'mlp'] as const).flatMap((method) =>
    WAYS.slice(0, 2).map((way, i) => ({
      method,
      way,
      first: [0.1, 0.2, 0.7 - i / 10],
      other: [0.6, 0.2, 0.1],
      rest: [0.3, 0.6, 0.2 + i / 10],
      entropy: [2, 3, 2],
      bend: method === 'linear' ? 1e-7 : 0.3,
    })),
  ),
  winners: [{ method: 'linear', way: 'no MixUp', byFifths: [6, 2, 0, 1, 2, 3, 7, 0, 1, 0, 1, 1] }],
};
const difference = (estimate: number): m.MixUpDifference => ({
  difference: interval(estimate),
  pValue: 0.03,
  perSeed: [estimate - 0.01, estimate + 0.02],
  deviation: 0.02,
});
export const mixUp: m.MixUpMeasurement = {
  ...base,
  comparisons: 26,
  scores: [
    {
      encoder: 'vertical-pretrained',
      method: 'mlp',
      way: 'no MixUp',
      size: 'whole',
      nTrain: 48,
      split: 'testTimbre',
      n: 24,
      seeds: 2,
      weighted: interval(0.5),
      weightedBothFifths: interval(0.55),
      accuracy: interval(0.4),
      deviation: 0.02,
      learningRates: [0.001, 0.003],
      meanEpoch: 11.5,
      epochs: 20,
    },
  ],
  effects: (['vertical-pretrained', 'vertical-random', 'vertical-input-mixup'] as const).flatMap((encoder) =>
    (['linear', 'mlp'] as const).flatMap((method) =>
      (['whole', 'quarter'] as const).flatMap((size) =>
        (['test', 'testTimbre'] as const).map((split, i) => ({
          encoder,
          method,
          size,
          nTrain: size === 'whole' ? 48 : 24,
          split,
          n: 24,
          way: encoder === 'vertical-input-mixup' ? 'input MixUp' : 'Beta(2, 5)',
          against: 'no MixUp',
          family: i === 0 || method === 'linear' ? ('effect' as const) : null,
          weighted: difference(0.02),
          weightedBothFifths: difference(0.03),
          accuracy: difference(-0.01),
          nll: difference(-0.3),
          nllScaled: difference(0.01),
          brierScaled: difference(0.001),
          pHolm: i === 0 || method === 'linear' ? { weighted: 0.6, nll: 0.0001, nllScaled: 1 } : null,
        })),
      ),
    ),
  ),
};
export const calibration: m.CalibrationMeasurement = {
  ...base,
  split: 'test',
  rows: [
    {
      method: 'linear',
      way: 'no MixUp',
      size: 'whole',
      split: 'test',
      n: 24,
      seeds: 2,
      temperature: { estimate: 1.2, low: 1.1, high: 1.4 },
      accuracy: 0.4,
      confidence: { before: 0.6, after: 0.45 },
      ece: { before: interval(0.2), after: interval(0.1) },
      eceEqualMass: { before: 0.21, after: 0.11 },
      honestEce: { before: { mean: 0.09, high: 0.13 }, after: { mean: 0.08, high: 0.12 } },
      nll: { before: interval(2.1), after: interval(1.9) },
      brier: { before: interval(0.8), after: interval(0.75) },
    },
  ],
  reliability: WAYS.flatMap((way) =>
    (['before', 'after'] as const).map((scaling) => ({
      method: 'linear' as const,
      way,
      size: 'whole' as const,
      scaling,
      bins: [
        { count: 24, confidence: 0.3, accuracy: interval(0.25) },
        { count: 24, confidence: scaling === 'before' ? 0.8 : 0.6, accuracy: interval(0.55) },
      ],
      counts: [0, 0, 12, 12, 0, 12, 12, 0, 0, 0],
      ece: scaling === 'before' ? 0.2 : 0.1,
    })),
  ),
  margins: [0, 0.5, 1],
  marginCurves: (['linear', 'mlp'] as const).flatMap((method) =>
    WAYS.map((way) => ({
      method,
      way,
      size: 'whole' as const,
      right: [0, 0.4, 1],
      wrong: [0, 0.8, 1],
      medianRight: 0.6,
      medianWrong: 0.3,
    })),
  ),
};
