/** Melodic cells: a rhythm on a grid and a contour in scale steps. A cell's contour decides in which split it may occur. */
import type { Rng } from '../tensor/index.js';
import { splitOf, type Split } from './split.js';

/** One bar of melody, before it meets a chord. */
export interface Cell {
  /** `[onset, length]` in sixteenths of the bar. */
  readonly rhythm: readonly (readonly [number, number])[];
  /** Scale steps above the bar's anchor, one a note; the first is 0. */
  readonly contour: readonly number[];
}

/** Steps from note to note: neighbours above all, some leaps, few repeats. */
const STEPS = [0, 1, 1, 1, 1, -1, -1, -1, -1, 2, 2, -2, -2, 3, -3, 4, -4, 5];

/** The part of a cell by which cells are told apart. */
export function contourClass(cell: Cell): string {
  return cell.contour.join(' ');
}

function composeRhythm(rng: Rng, sixteenths: number, notes: number): [number, number][] {
  // Half the cells stay on eighths; quarters and the bar line are likelier onsets than what lies between.
  const grid = notes <= sixteenths / 4 && rng.uniform() < 0.7 ? 2 : 1;
  const onsets = new Set<number>(rng.uniform() < 0.75 ? [0] : [grid * (1 + rng.int(2))]);
  while (onsets.size < notes) {
    const onset = grid * rng.int(sixteenths / grid);
    if (rng.uniform() < (onset % 4 === 0 ? 1 : onset % 2 === 0 ? 0.6 : 0.25)) onsets.add(onset);
  }
  const sorted = [...onsets].sort((a, b) => a - b);
  return sorted.map((onset, i) => {
    const room = (sorted[i + 1] ?? sixteenths) - onset;
    return [onset, rng.uniform() < 0.2 ? Math.max(1, Math.floor(room / 2)) : room];
  });
}

/** A cell of 3 to 8 notes for a bar of `sixteenths` (16 or 12), allowed in `split`. */
export function composeCell(rng: Rng, sixteenths: number, split: Split, maxNotes = 8): Cell {
  for (;;) {
    const notes = 3 + rng.int(maxNotes - 2);
    const contour = [0];
    while (contour.length < notes) contour.push(contour[contour.length - 1] + rng.pick(STEPS));
    if (Math.max(...contour) > 6 || Math.min(...contour) < -6 || new Set(contour).size < 2) continue;
    if (splitOf(`cell ${contour.join(' ')}`) !== split) continue;
    return { rhythm: composeRhythm(rng, sixteenths, notes), contour };
  }
}
