/** Which activations a dropout removes, drawn so that strong dropout costs little. */
import type { Rng } from '../tensor/index.js';

let places = new Int32Array(1024);

/** Gaps fall as the logarithm of a uniform number; most numbers between two neighbours of this grid have the same. */
const BINS = 4096;
const tables = new Map<number, Int32Array>();

/** For each bin of the unit interval the gap that all its numbers give, or -1. */
function gapsByBin(logCommon: number): Int32Array {
  let table = tables.get(logCommon);
  if (!table) {
    const gapAt = (edge: number): number => Math.floor(Math.log(1 - edge / BINS) / logCommon);
    table = Int32Array.from({ length: BINS }, (_, bin) => (gapAt(bin) === gapAt(bin + 1) ? gapAt(bin) : -1));
    tables.set(logCommon, table);
  }
  return table;
}

/**
 * Places (ascending) among `length` values that are kept if `rate` >= .5, that are dropped otherwise. Only the rarer are
 * drawn, by their geometric gaps: a draw per value would cost more than the layer itself.
 *
 * @param rate share of values that is dropped, above 0 and below 1
 * @returns valid until the next call
 */
export function rarePlaces(length: number, rate: number, rng: Rng): Int32Array {
  const logCommon = Math.log1p(-(rate >= 0.5 ? 1 - rate : rate));
  const gaps = gapsByBin(logCommon);
  let count = 0;
  for (let place = -1; ; count++) {
    const u = rng.uniform();
    const gap = gaps[Math.floor(u * BINS)];
    place += 1 + (gap >= 0 ? gap : Math.floor(Math.log(1 - u) / logCommon));
    if (place >= length) return places.subarray(0, count);
    if (count === places.length) {
      const more = new Int32Array(2 * count);
      more.set(places);
      places = more;
    }
    places[count] = place;
  }
}

/** Inverted dropout's factors: what is kept is scaled by 1 / (1 - rate), so that evaluation needs no scaling. */
export function dropoutFactors(rate: number): { readonly common: number; readonly rare: number } {
  const kept = 1 / (1 - rate);
  return rate >= 0.5 ? { common: 0, rare: kept } : { common: kept, rare: 0 };
}
