/**
 * What the papers print, as far as it is known to this project, each number with how it was read. Nothing here is
 * measured, and nothing that could not be read is filled in.
 */

/** Which fifths a weighted score credits; `unknown` where the source does not say. */
export type PublishedRuler = 'fifth above' | 'both fifths' | 'unknown';

/** How a number was read: at the authors' own pages, quoted by others, off a figure, or computed from published answers. */
export type Reading = 'authors' | 'quoted' | 'figure' | 'computed';

/** One published key estimator on one data set; scores in points of 100, null = not printed. */
export interface PublishedScore {
  readonly system: string;
  readonly dataset: 'GiantSteps' | 'Billboard';
  /** Tracks; null = unknown. */
  readonly n: number | null;
  readonly ruler: PublishedRuler;
  readonly weighted: number;
  readonly exact: number | null;
  readonly source: string;
  readonly reading: Reading;
}

const KEYMYNA = 'Yonay, Hammond and Yang 2026 (arXiv 2604.10021)';
const ALLCONV = 'Korzeniowski and Widmer 2018';

/** Key estimation, best first within a data set. */
export const PUBLISHED_SCORES: readonly PublishedScore[] = [
  score('Myna-Vertical + pitch and speed augmentation, 12-shift averaging', 'GiantSteps', 604, 76.5, 70.5, 'independent reimplementation', 'quoted'), // prettier-ignore
  { ...score('KeyMyna', 'GiantSteps', 604, 75.91, 72.02, KEYMYNA, 'authors'), ruler: 'fifth above' },
  { ...score('Mixed In Key 10.3', 'GiantSteps', 604, 75.79, null, 'published answers, scored again', 'computed'), ruler: 'both fifths' }, // prettier-ignore
  score('InceptionKeyNet', 'GiantSteps', 604, 75.68, null, 'as quoted by later papers', 'quoted'),
  score('AllConv', 'GiantSteps', 604, 74.6, 67.9, ALLCONV, 'quoted'),
  score('ConvKey', 'GiantSteps', 604, 74.3, null, 'as quoted by later papers', 'quoted'),
  { ...score('Mixed In Key 10.3', 'GiantSteps', 604, 74.22, null, 'published answers, scored again', 'computed'), ruler: 'fifth above' }, // prettier-ignore
  score('MERT-95M', 'GiantSteps', 604, 72.95, null, 'as quoted by later papers', 'quoted'),
  score('S-KEY', 'GiantSteps', 604, 72.1, null, 'as quoted by later papers', 'quoted'),
  score('Myna-Vertical, epoch chosen on validation', 'GiantSteps', 604, 71.8, 63.4, 'independent reimplementation', 'quoted'), // prettier-ignore
  score('KeyFinder', 'GiantSteps', 604, 59.3, null, 'as quoted by later papers', 'quoted'),
  score('AllConv', 'Billboard', null, 85.1, 79.9, ALLCONV, 'quoted'),
  { ...score('KeyMyna', 'Billboard', null, 84.35, 79.87, KEYMYNA, 'authors'), ruler: 'fifth above' },
  score('ConvKey', 'Billboard', null, 83.9, null, 'as quoted by later papers', 'quoted'),
  score('MERT-95M', 'Billboard', null, 81.3, null, 'as quoted by later papers', 'quoted'),
];

function score(
  system: string,
  dataset: PublishedScore['dataset'],
  n: number | null,
  weighted: number,
  exact: number | null,
  source: string,
  reading: Reading,
): PublishedScore {
  return { system, dataset, n, ruler: 'unknown', weighted, exact, source, reading };
}

/** GiantSteps weighted score against mask ratio: Myna, square patches, epoch 500, read off a figure to about .3 points. */
export const PUBLISHED_MASK_RATIOS = [
  { maskRatio: 0.5, weighted: 58.3 },
  { maskRatio: 0.75, weighted: 61.2 },
  { maskRatio: 0.9, weighted: 63.5 },
  { maskRatio: 0.95, weighted: 62.8 },
] as const;

/** What the papers measured but this project could not read; where ours is. */
export const NOT_AVAILABLE: readonly { readonly what: string; readonly ours: string }[] = [
  { what: 'scores of linear probes', ours: 'notebook 04' },
  { what: 'the scores of each run of the grids', ours: 'notebook 04' },
  { what: 'scores with and without MixUp', ours: 'notebook 05' },
  { what: 'list and strengths of the augmentations', ours: 'notebooks 06 to 08: 16, in physical units' },
  { what: 'settings of t-SNE', ours: 'notebook 06' },
  { what: 'accuracy of the linear maps', ours: 'notebook 07' },
  {
    what: 'sizes of the splits, test tracks of Billboard',
    ours: 'splits are files; the embedded corpus is drawn from a seed',
  },
];
