/** 01: one clip as samples, power spectrum, mel power and log1p mel. */
import { MEL, melSpectrogram, powerSpectrogram } from '../../mel/index.js';
import { heatOf, spectrumHeat } from '../grid/heat.js';
import type { MelWalkthrough } from '../measurements.js';
import { measured, rounded, type Run } from '../run/run.js';
import { exampleTrack, firstClip, trackCard } from '../features/tracks.js';

const SHARES = [0.01, 0.05, 0.1, 0.5];
const WAVEFORM_BINS = 1000;

/** The first clip of the example track, stage by stage. */
export function melWalkthrough(run: Run): Promise<MelWalkthrough> {
  const track = exampleTrack(run);
  return measured(run, 'mel-walkthrough', { track: track.id }, async (base) => {
    const samples = await firstClip(track);
    const spectrum = powerSpectrogram(samples, MEL);
    const mel = melSpectrogram(samples);
    const log1p = melSpectrogram(samples, { scale: 'log1p' });
    return {
      ...base,
      track: trackCard(track),
      nSamples: samples.length,
      nFrames: mel.nFrames,
      waveform: envelope(samples, WAVEFORM_BINS),
      stft: spectrumHeat(spectrum, MEL.sampleRate / MEL.nFft, 8),
      melPower: heatOf(mel, (value) => rounded(value, 2)),
      melLog1p: heatOf(log1p, (value) => rounded(value, 2)),
      concentration: {
        share: SHARES,
        power: SHARES.map((s) => heldBy(mel.data, s)),
        log1p: SHARES.map((s) => heldBy(log1p.data, s)),
      },
    };
  });
}

/** Lowest and highest sample of each of `nBins` equal stretches. */
function envelope(samples: Float32Array, nBins: number): MelWalkthrough['waveform'] {
  const length = Math.floor(samples.length / nBins);
  const bins = Array.from({ length: nBins }, (_, i) => samples.subarray(i * length, (i + 1) * length));
  return {
    binSeconds: length / MEL.sampleRate,
    low: bins.map((bin) =>
      rounded(
        bin.reduce((a, b) => Math.min(a, b)),
        3,
      ),
    ),
    high: bins.map((bin) =>
      rounded(
        bin.reduce((a, b) => Math.max(a, b)),
        3,
      ),
    ),
  };
}

/** Share of the sum that the largest `share` of the values hold. */
function heldBy(values: Float32Array, share: number): number {
  const sorted = Float64Array.from(values).sort().reverse();
  const total = sorted.reduce((a, b) => a + b, 0);
  const top = sorted.subarray(0, Math.round(share * sorted.length)).reduce((a, b) => a + b, 0);
  return total === 0 ? 0 : rounded(top / total);
}
