/** What a worker thread does for some tracks under some chains. */
import { existsSync } from 'node:fs';
import { applyAugmentation } from '../../audio/index.js';
import { type Track, trackAudio } from '../../corpus/index.js';
import { embedTracks } from '../../embeddings/index.js';
import type { Encoder } from '../../encoder/index.js';
import { CLIP_FRAMES, chromagram, MEL, melSpectrogram, type MelTrack } from '../../mel/index.js';
import { float32, type StoredTensor, writeSafetensors } from '../../store/index.js';
import { createRng, initBackend, type Rng } from '../../tensor/index.js';
import type { Chain } from './augmentedSets.js';
import type { AugmentedUnit } from './augmentedTables.js';
import { type EncoderSource, loadEncoder } from './encoderSource.js';
import { type Span, type StageItem, stageTask, Stopped } from '../run/stages.js';

/** Seed of all noise, rooms and gaps; a track has its own. */
export const AUGMENTATION_SEED = 0;

/** Factory for `runStages`: a backend of its own for this thread, the encoders loaded once. */
export async function augmentTask(init: unknown): Promise<(message: StageItem<AugmentedUnit>) => Promise<Span>> {
  await initBackend();
  const encoders = new Map<string, Encoder>();
  const encoderOf = (source: EncoderSource): Encoder => {
    const key = JSON.stringify(source);
    const encoder = encoders.get(key) ?? loadEncoder(source);
    encoders.set(key, encoder);
    return encoder;
  };
  return stageTask<AugmentedUnit>(init, async ({ tracks, clips, chains, encoders: wanted }, count, isStopped) => {
    const heard = await Promise.all(tracks.map((track) => heardPart(track, clips)));
    const rngs = tracks.map(({ id }) => createRng(AUGMENTATION_SEED).fork(id));
    for (const [i, { chain, path }] of chains.entries()) {
      if (isStopped()) throw new Stopped('augmented');
      if (!existsSync(path)) {
        const audio: Float32Array[] = [];
        for (const [track, samples] of heard.entries()) audio.push(await applyChain(samples, chain, rngs[track]));
        const tensors = new Map<string, StoredTensor>([['chroma', chromaOf(audio)]]);
        const mels = audio.map((samples, track) => ({ id: tracks[track].id, mel: melSpectrogram(samples) }));
        for (const { key, source } of wanted) {
          const encoder = encoderOf(source);
          const stretch = chain.reduce(
            (ratio, { id, strength }) => (id === 'timeStretch' ? ratio * strength : ratio),
            1,
          );
          const { clipFrames } = encoder.config;
          const clipHop = Math.max(1, Math.round(clipFrames * stretch));
          const nFrames = (clips - 1) * clipHop + clipFrames;
          const { embeddings, nClips, width } = await embedTracks(
            encoder,
            mels.map((mel) => ofLength(mel, nFrames)),
            { clipHop },
          );
          tensors.set(key, float32([nClips, width], embeddings));
        }
        writeSafetensors(path, tensors, { chain: JSON.stringify(chain), tracks: tracks.map(({ id }) => id).join(' ') });
      }
      count((i + 1) * tracks.length);
    }
  });
}

/** The beginning of a track: so many clips of the vertical encoder, filled up with silence if it is shorter. */
export async function heardPart(track: Track, clips: number): Promise<Float32Array> {
  const samples = new Float32Array(clips * CLIP_FRAMES.vertical * MEL.hopLength);
  samples.set((await trackAudio(track)).subarray(0, samples.length));
  return samples;
}

/** One augmentation after the other. */
export async function applyChain(samples: Float32Array, chain: Chain, rng: Rng): Promise<Float32Array> {
  let out = samples;
  for (const augmentation of chain) out = await applyAugmentation(out, augmentation, rng);
  return out;
}

function chromaOf(audio: readonly Float32Array[]): StoredTensor {
  const rows = new Float32Array(12 * audio.length);
  audio.forEach((samples, track) => rows.set(chromagram(samples), 12 * track));
  return float32([audio.length, 12], rows);
}

/** A mel of so many frames: cut, or filled up with zero frames, so that every track gives the same clips. */
function ofLength({ id, mel }: MelTrack, nFrames: number): MelTrack {
  if (mel.nFrames === nFrames) return { id, mel };
  const data = new Float32Array(mel.nMels * nFrames);
  for (let band = 0; band < mel.nMels; band++)
    data.set(
      mel.data.subarray(band * mel.nFrames, band * mel.nFrames + Math.min(mel.nFrames, nFrames)),
      band * nFrames,
    );
  return { id, mel: { nMels: mel.nMels, nFrames, data } };
}
