/** The sound of a track at the rate that a detector asks for. */
import { decodeAudio, resample, SAMPLE_RATE, toMono } from '../audio/index.js';
import { type Track, trackAudio } from '../corpus/index.js';
import { InputError } from '../errors.js';

/**
 * A function that gives a track's samples, mono, by rate; each rate is made once. At 16 kHz they are what the whole suite
 * hears. At other rates a file is decoded anew, so that nothing above 8 kHz is lost on the way; a composed piece, which is
 * rendered at 16 kHz, is resampled.
 * @throws InputError if the file cannot be read, or its cut lies outside it or is silent
 */
export function soundOf(track: Track): (sampleRate: number) => Promise<Float32Array> {
  const made = new Map<number, Promise<Float32Array>>();
  return (sampleRate) => {
    const known = made.get(sampleRate) ?? soundAt(track, sampleRate);
    made.set(sampleRate, known);
    return known;
  };
}

async function soundAt(track: Track, sampleRate: number): Promise<Float32Array> {
  const { source } = track;
  if (sampleRate === SAMPLE_RATE) return trackAudio(track);
  if (source.kind === 'composed') return resample(await trackAudio(track), SAMPLE_RATE, sampleRate, 'kaiser');
  const { channels, sampleRate: rate } = await decodeAudio(source.path);
  const { start = 0, duration = Infinity } = source;
  const mono = toMono(channels);
  const cut = mono.subarray(Math.round(start * rate), Math.round(Math.min(mono.length, (start + duration) * rate)));
  if (cut.every((value) => value === 0))
    throw new InputError(`track ${track.id}`, 'its audio is silent, or its start and duration lie outside the file');
  return resample(cut, rate, sampleRate);
}
