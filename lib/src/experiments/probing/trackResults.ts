/** 04: one row a track, to be grouped and sorted in a notebook. */
import { InputError } from '../../errors.js';
import { KEYS, mirexScore, relation } from '../../keys/index.js';
import { estimatesOf } from './comparison.js';
import type { Provenance, TestSplit } from '../measurements.js';
import { keysOf, measured, type Run, tracksOf } from '../run/run.js';
import { FIFTH_ABOVE } from './scores.js';

/** What a system said about each track of a split (first seed), beside what is known of the track. */
export interface TrackResults extends Provenance {
  readonly label: string;
  readonly rows: readonly {
    readonly track: string;
    readonly style: string;
    readonly mode: string;
    readonly modulates: string;
    /** Deviation from A4 = 440 Hz without its sign. */
    readonly detunedCents: number;
    readonly reference: string;
    readonly estimated: string;
    readonly relation: string;
    /** MIREX, fifth above only. */
    readonly score: number;
  }[];
}

/** @param id of the comparison's rows @throws InputError for an unknown id */
export function trackResults(run: Run, id: string, split: TestSplit): Promise<TrackResults> {
  return measured(run, 'track-results', { id, split }, async (base) => {
    const system = (await estimatesOf(run)).find((one) => one.id === id);
    if (!system) throw new InputError('trackResults, id', `"${id}" found; expected an id of the comparison's rows`);
    const estimated = system.bySplit[split][0];
    const reference = keysOf(run, split);
    return {
      ...base,
      label: system.label,
      rows: tracksOf(run, split).map((track, i) => ({
        track: track.id,
        style: String(track.labels.style ?? ''),
        mode: KEYS[reference[i]].mode,
        modulates: track.labels.modulatesTo ? 'yes' : 'no',
        detunedCents: Math.abs(Number(track.labels.tuningCents ?? 0)),
        reference: KEYS[reference[i]].label,
        estimated: KEYS[estimated[i]].label,
        relation: relation(reference[i], estimated[i]),
        score: mirexScore(reference[i], estimated[i], FIFTH_ABOVE),
      })),
    };
  });
}
