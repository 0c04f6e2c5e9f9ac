/** Tables without an encoder: what a probe reaches on plain descriptions of the same clips. */
import { InputError } from '../errors.js';
import { CLIP_SAMPLES, cutClips, type MelSpectrogram, type MelTrack } from '../mel/index.js';
import { buildTable, type EmbeddingTable } from './table.js';

/** Power of a full-scale sine lies near 1e5; this floor is far below any audible band. */
const LOG_FLOOR = 1e-6;

/**
 * Log-mel mean: the mean over the frames of each clip of log(1 + power) or of log(max(power, 1e-6)), width 128.
 *
 * @param options.clipFrames, clipHop as the encoder that the baseline stands beside; default 196, contiguous
 * @param options.scale default `log1p`
 */
export function melMeanTable(
  tracks: readonly MelTrack[],
  options: { clipFrames?: number; clipHop?: number; scale?: 'log1p' | 'log' } = {},
): EmbeddingTable {
  const { clipFrames = 196, clipHop = clipFrames, scale = 'log1p' } = options;
  if (tracks.length === 0) throw new InputError('melMeanTable', 'no tracks; expected at least one');
  const compress = scale === 'log1p' ? Math.log1p : (power: number) => Math.log(Math.max(power, LOG_FLOOR));
  const width = tracks[0].mel.nMels;
  const rows = tracks.map(({ mel }) => {
    const clips = cutClips(mel, clipFrames, { hop: clipHop });
    const means = new Float32Array(clips.length * width);
    clips.forEach((clip, i) => means.set(bandMeans(clip, compress), i * width));
    return means;
  });
  return buildTable(
    tracks.map((track) => track.id),
    rows,
    width,
  );
}

function bandMeans({ nMels, nFrames, data }: MelSpectrogram, compress: (power: number) => number): Float32Array {
  return Float32Array.from({ length: nMels }, (_, band) => {
    let sum = 0;
    for (let i = band * nFrames; i < (band + 1) * nFrames; i++) sum += compress(data[i]);
    return sum / nFrames;
  });
}

/** The samples of a track, mono at 16 kHz. */
export interface SampleTrack {
  readonly id: string;
  readonly samples: Float32Array;
}

/**
 * A table of any description of clip audio, for instance the 12-bin chroma that template baselines use.
 *
 * @param describe samples of one clip -> its row; every row of the same width
 * @param options.clipSamples default 100,000; contiguous, the remainder dropped, a shorter track padded with zeros
 */
export function describeClips(
  tracks: readonly SampleTrack[],
  describe: (samples: Float32Array) => Float32Array,
  options: { clipSamples?: number } = {},
): EmbeddingTable {
  const { clipSamples = CLIP_SAMPLES } = options;
  if (tracks.length === 0) throw new InputError('describeClips', 'no tracks; expected at least one');
  let width = 0;
  const rows = tracks.map(({ id, samples }) => {
    const nClips = Math.max(1, Math.floor(samples.length / clipSamples));
    const described = Array.from({ length: nClips }, (_, i) => {
      const clip = new Float32Array(clipSamples);
      clip.set(samples.subarray(i * clipSamples, (i + 1) * clipSamples));
      return describe(clip);
    });
    width ||= described[0].length;
    const own = new Float32Array(nClips * width);
    described.forEach((row, i) => {
      if (row.length !== width)
        throw new InputError(`track ${id}`, `a clip is described by ${row.length} numbers; expected ${width}`);
      own.set(row, i * width);
    });
    return own;
  });
  return buildTable(
    tracks.map((track) => track.id),
    rows,
    width,
  );
}
