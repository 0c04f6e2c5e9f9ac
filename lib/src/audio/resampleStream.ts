/** Resampling of a signal that comes piece by piece. */
import { filterByKernel, type Polyphase } from './resampleKernel.js';
import { filterPlain, filtersBetween, outputLength, type ResampleMethod } from './resample.js';

const NOTHING = new Float32Array(0);

/**
 * As `resample` of the whole signal, to the bit, from pieces of any length. Holds as many samples as a filter reaches.
 * Equal rates hand the pieces on.
 */
export class ResampleStream {
  private readonly filters: Polyphase | null;
  /** Input samples that later outputs need, and where in the signal they begin. */
  private held: Float32Array = NOTHING;
  private heldFrom = 0;
  /** Input samples so far. */
  private received = 0;
  /** Periods whose output is given. */
  private periods = 0;

  /**
   * @param from, to rates, Hz
   * @throws InputError as `resample`
   */
  constructor(from: number, to: number, method: ResampleMethod = 'sinc-hann') {
    this.filters = filtersBetween(from, to, method);
  }

  /** Output that the samples up to the end of this piece settle. */
  push(samples: Float32Array): Float32Array {
    this.received += samples.length;
    if (this.filters === null) return samples;
    const joined = new Float32Array(this.held.length + samples.length);
    joined.set(this.held);
    joined.set(samples, this.held.length);
    this.held = joined;
    const { step, nPhases, taps, first } = this.filters;
    // The last phase of a period reaches furthest.
    const settled = Math.floor((this.received - first[nPhases - 1] - taps) / step) + 1;
    if (settled <= this.periods) return NOTHING;
    const out = this.filter(this.filters, (settled - this.periods) * nPhases);
    this.periods = settled;
    const keepFrom = Math.max(0, settled * step + first[0]);
    this.held = joined.slice(keepFrom - this.heldFrom);
    this.heldFrom = keepFrom;
    return out;
  }

  /** The rest of the output, with silence behind the last piece. */
  end(): Float32Array {
    if (this.filters === null) return NOTHING;
    return this.filter(this.filters, outputLength(this.received, this.filters) - this.periods * this.filters.nPhases);
  }

  private filter(filters: Polyphase, nSamples: number): Float32Array {
    const out = new Float32Array(nSamples);
    const { held } = this;
    const start = this.periods * filters.step - this.heldFrom;
    const read = (from: number, into: Float32Array): void => into.set(held.subarray(from, from + into.length));
    if (!filterByKernel({ length: held.length, read }, filters, out, start)) filterPlain(held, filters, out, start);
    return out;
  }
}
