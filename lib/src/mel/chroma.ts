/**
 * Chroma of a whole recording, tuned: what key templates are correlated with. Constants were chosen on train and valid
 * tracks of the embedded corpus; test tracks had no part in it.
 */
import { MEL } from './filterBank.js';
import { powerSpectrogram, type PowerSpectrogram } from './spectrogram.js';

/**
 * How a chromagram is made. Peak picking and harmonic weights follow Gómez, "Tonal description of polyphonic audio for
 * music content processing" (2006).
 */
export interface ChromaConfig {
  /** Samples; 8192 at 16 kHz tells semitones apart from 65 Hz on. */
  readonly nFft: number;
  readonly hopLength: number;
  /** Hz; peaks outside are ignored. */
  readonly fMin: number;
  readonly fMax: number;
  /** A peak counts as harmonic 1 .. nHarmonics of a pitch, with weight `harmonicDecay ** (h - 1)`. */
  readonly nHarmonics: number;
  readonly harmonicDecay: number;
  /** Half width in octaves of the running mean that the spectrum is divided by (whitening); 0 = none. */
  readonly whitening: number;
  /** A peak of magnitude m gives log1p(compression * m / strongest peak of the recording); 0 = m itself. */
  readonly compression: number;
}

export const CHROMA: ChromaConfig = {
  nFft: 8192,
  hopLength: 4096,
  fMin: 60,
  fMax: 3500,
  nHarmonics: 1,
  harmonicDecay: 0.6,
  whitening: 0,
  compression: 10,
};

/** Bins an octave before folding: thirds of a semitone, so that a peak between two semitones is told from one on it. */
const BINS_PER_OCTAVE = 36;
/** Hz of the pitch class C nearest below the range; A4 = 440 Hz. */
const C0 = 440 * 2 ** (-57 / 12);

/** Spectral peaks of a recording, frame after frame: frequency in octaves above C0, and strength. */
interface Peaks {
  readonly octaves: Float64Array;
  readonly strengths: Float64Array;
  readonly count: number;
}

/** Where peaks are written, each time anew: two arrays of megabytes a clip would keep the garbage collector busy. */
let octavesFound = new Float64Array(0);
let strengthsFound = new Float64Array(0);

/**
 * Local maxima of a frame above a thousandth of its largest, refined by a parabola through the log power.
 * @param count peaks of the frames before
 * @returns peaks with those of this frame
 */
function findPeaks(power: Float32Array, low: number, high: number, hz: number, count: number): number {
  let strongest = 0;
  for (let k = low; k <= high; k++) if (power[k] > strongest) strongest = power[k];
  const floor = strongest * 1e-6;
  let before = power[low - 1];
  let here = power[low];
  for (let k = low; k <= high; k++) {
    const after = power[k + 1];
    if (here > before && here >= after && here > floor) {
      const a = Math.log(before + floor);
      const b = Math.log(here + floor);
      const c = Math.log(after + floor);
      const shift = (0.5 * (a - c)) / (a - 2 * b + c);
      octavesFound[count] = Math.log2(((k + shift) * hz) / C0);
      strengthsFound[count] = Math.sqrt(here);
      count++;
    }
    before = here;
    here = after;
  }
  return count;
}

/** Divides magnitudes by their mean within `whitening` octaves on both sides, which takes the timbre's slope away. */
function whiten(power: Float32Array, whitening: number): Float32Array {
  const sums = new Float64Array(power.length + 1);
  for (let k = 0; k < power.length; k++) sums[k + 1] = sums[k] + Math.sqrt(power[k]);
  const ratio = 2 ** whitening;
  return power.map((value, k) => {
    const from = Math.floor(k / ratio);
    const to = Math.min(power.length, Math.ceil(k * ratio) + 1);
    const mean = (sums[to] - sums[from]) / (to - from);
    return mean > 0 ? value / (mean * mean) : 0;
  });
}

/** The peaks of all frames; they hold until the next recording's are looked for. */
function peaksOf({ nFrames, nBins, data }: PowerSpectrogram, sampleRate: number, config: ChromaConfig): Peaks {
  const hz = sampleRate / config.nFft;
  const low = Math.max(2, Math.ceil(config.fMin / hz));
  const high = Math.min(nBins - 2, Math.floor(config.fMax / hz));
  const most = nFrames * Math.max(0, Math.ceil((high - low + 1) / 2)); // of two neighbours one is a peak at most
  if (octavesFound.length < most) {
    octavesFound = new Float64Array(most);
    strengthsFound = new Float64Array(most);
  }
  let count = 0;
  for (let t = 0; t < nFrames; t++) {
    const frame = data.subarray(t * nBins, (t + 1) * nBins);
    count = findPeaks(config.whitening > 0 ? whiten(frame, config.whitening) : frame, low, high, hz, count);
  }
  return { octaves: octavesFound, strengths: strengthsFound, count };
}

/**
 * Deviation from A4 = 440 Hz in semitones, -0.5 .. 0.5: the circular mean of all peaks' deviations, weighted by strength.
 */
function tuningOf({ octaves, strengths, count }: Peaks): number {
  let re = 0;
  let im = 0;
  for (let i = 0; i < count; i++) {
    const angle = 2 * Math.PI * 12 * octaves[i];
    re += strengths[i] * Math.cos(angle);
    im += strengths[i] * Math.sin(angle);
  }
  return Math.atan2(im, re) / (2 * Math.PI);
}

/**
 * The tuning of a recording in cents, -50 .. 50, from its spectral peaks (circular mean of their deviations from the
 * semitones of A4 = 440 Hz, weighted by magnitude).
 * @param samples mono, 16 kHz
 */
export function estimateTuning(samples: Float32Array, config: ChromaConfig = CHROMA): number {
  return 100 * tuningOf(peaksOf(powerSpectrogram(samples, config), MEL.sampleRate, config));
}

/**
 * The chroma of a recording: how strongly each pitch class sounds, tuned, summed over time.
 * STFT -> peaks -> tuning -> 36 bins an octave with harmonic weights -> folded to 12.
 *
 * @param samples mono, 16 kHz, at least nFft / 2 + 1 samples
 * @returns [12], C first, the largest is 1; all 0 for silence
 * @throws InputError for fewer samples, NaN or infinities
 */
export function chromagram(samples: Float32Array, config: ChromaConfig = CHROMA): Float32Array {
  const peaks = peaksOf(powerSpectrogram(samples, config), MEL.sampleRate, config);
  const tuning = tuningOf(peaks) / 12;
  const { octaves, strengths, count } = peaks;
  let strongest = 0;
  for (let i = 0; i < count; i++) if (strengths[i] > strongest) strongest = strengths[i];
  const harmonics = Array.from({ length: config.nHarmonics }, (_, i) => ({
    octaves: Math.log2(i + 1),
    weight: config.harmonicDecay ** i,
  }));
  const bins = new Float64Array(BINS_PER_OCTAVE);
  for (let i = 0; i < count; i++) {
    const relative = strengths[i] / strongest;
    const strength = config.compression > 0 ? Math.log1p(config.compression * relative) : relative;
    for (const harmonic of harmonics) {
      const octave = octaves[i] - tuning - harmonic.octaves;
      const bin = Math.round((octave - Math.floor(octave)) * BINS_PER_OCTAVE) % BINS_PER_OCTAVE;
      bins[bin] += strength * harmonic.weight;
    }
  }
  return fold(bins);
}

/** Thirds of semitones to semitones: the middle third counts whole, its two neighbours half. */
function fold(bins: Float64Array): Float32Array {
  const chroma = new Float32Array(12);
  for (let pitch = 0; pitch < 12; pitch++) {
    const middle = 3 * pitch;
    chroma[pitch] = bins[middle] + 0.5 * (bins[(middle + BINS_PER_OCTAVE - 1) % BINS_PER_OCTAVE] + bins[middle + 1]);
  }
  const largest = Math.max(...chroma);
  return largest > 0 ? chroma.map((value) => value / largest) : chroma;
}
