/** A track's sound, wherever it comes from. */
import { InputError } from '../errors.js';
import { cutRecording } from './recordings.js';
import { renderPiece } from './render.js';
import type { Track } from './track.js';

/**
 * Renders or decodes a track: mono, 16 kHz, not normalised. A composed piece gives the same bytes in any process and
 * thread; of files the last one decoded is kept, so read a file's items one after the other.
 * @throws InputError if the file cannot be read, the cut lies outside it, or the result is silent
 */
export async function trackAudio(track: Track): Promise<Float32Array<ArrayBuffer>> {
  const { source } = track;
  const samples =
    source.kind === 'composed'
      ? await renderPiece(source.recipe)
      : await cutRecording(source.path, source.start, source.duration);
  if (samples.every((value) => value === 0)) {
    throw new InputError(`track ${track.id}`, 'its audio is silent; leave it out, or give another start and duration');
  }
  return samples;
}
