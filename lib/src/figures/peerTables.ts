/** Tables of systems side by side on a reader's own tracks. Pure: a comparison in, rows out. */
import type { PeerComparison } from '../peers/index.js';
import type { Table } from './figure.js';
import { points, probability, RULERS, SCORE_COLUMNS, scoreCells, signedInterval } from './style.js';

/** Scores of each system by both rulers, on the tracks that it answered. */
export function peerTable(m: PeerComparison): Table {
  const unanswered = m.rows.some((row) => row.unanswered > 0)
    ? ` Not every system answered every track: each row stands on its own n; ${m.nCommon} tracks were answered by all.`
    : '';
  return {
    id: 'peers',
    caption:
      `Key detectors on the same ${m.nTracks} tracks, in points of 100 with ${100 * m.level} % bootstrap intervals over tracks. ` +
      `${RULERS} "Surest half": the weighted score of the half of its answers that a system is ` +
      `surest of.${unanswered}`,
    columns: ['system', 'n', 'unanswered', ...SCORE_COLUMNS, 'surest half'],
    rows: m.rows.map((row) => [
      row.name,
      row.n,
      row.unanswered,
      ...scoreCells(row),
      row.weightedSurestHalf === null ? '–' : points(row.weightedSurestHalf),
    ]),
  };
}

/** Each system against the baseline, on the tracks that both answered. */
export function peerPairsTable(m: PeerComparison): Table {
  return {
    id: 'peer-pairs',
    caption:
      `Each system minus ${m.baseline ?? 'the baseline'} on the tracks that both answered (n): weighted scores by paired ` +
      `bootstrap (points), exact matches by McNemar’s exact test. Every p is after Holm’s correction over the systems.`,
    columns: [
      'system',
      'n',
      'weighted',
      'p',
      'weighted, both',
      'p, both',
      'only it right',
      'only baseline right',
      'p (McNemar)',
    ],
    rows: m.pairs.map((pair) => [
      pair.name,
      pair.n,
      signedInterval(pair.weighted),
      probability(pair.weighted.pHolm),
      signedInterval(pair.weightedBothFifths),
      probability(pair.weightedBothFifths.pHolm),
      pair.exact.onlySystem,
      pair.exact.onlyBaseline,
      probability(pair.exact.pHolm),
    ]),
  };
}
