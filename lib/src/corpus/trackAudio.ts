/** A track's sound, wherever it comes from. */
import { InputError } from '../errors.js';
import { cutRecording, streamRecording } from './cut.js';
import { renderPiece } from './render.js';
import type { Track } from './track.js';

const isSilence = (samples: Float32Array): boolean => samples.every((value) => value === 0);

function silent(track: Track): InputError {
  return new InputError(`track ${track.id}`, 'its audio is silent; leave it out, or give another start and duration');
}

/**
 * Renders or decodes a track: mono, 16 kHz, not normalised. A composed piece gives the same bytes in any process and
 * thread; of files the one read last is kept open, so read a file's items one after the other.
 * @throws InputError if the file cannot be read, the cut lies outside it or is longer than two hours, or the result is
 *   silent
 */
export async function trackAudio(track: Track): Promise<Float32Array<ArrayBuffer>> {
  const { source } = track;
  const samples =
    source.kind === 'composed'
      ? await renderPiece(source.recipe)
      : await cutRecording(source.path, source.start, source.duration);
  if (isSilence(samples)) throw silent(track);
  return samples;
}

/** A track of a file up to this length, seconds, is read whole (38 MB), so that the next one of its file goes on there. */
const WHOLE_SECONDS = 600;

/**
 * The same samples piece by piece, of a track of any length.
 * @throws InputError as `trackAudio`, where the fault comes up; that all is silent shows at the end
 */
export async function* trackAudioStream(
  track: Track,
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<Float32Array, void, undefined> {
  const { source, durationSeconds } = track;
  const isShort = durationSeconds > 0 && durationSeconds <= WHOLE_SECONDS;
  if (source.kind === 'composed' || isShort) return yield await trackAudio(track);
  let isSilent = true;
  for await (const piece of streamRecording(source.path, { ...source, ...options })) {
    isSilent &&= isSilence(piece);
    yield piece;
  }
  if (isSilent) throw silent(track);
}
