/** What a worker thread does for one shard of the feature stage. */
import { applyAugmentation } from '../../audio/index.js';
import { trackAudio, type Track } from '../../corpus/index.js';
import { chromagram, CLIP_SAMPLES, melSpectrogram } from '../../mel/index.js';
import { float32, type StoredTensor, writeSafetensors } from '../../store/index.js';
import type { FeatureShard, ShiftedShard } from './features.js';
import { createRng } from '../../tensor/index.js';
import { type Span, type StageItem, stageTask, Stopped } from '../run/stages.js';

type Count = (done: number) => void;

/** Factory for `runStage`: renders or decodes the tracks of a shard and writes its files. */
export function featureTask(init: unknown): (message: StageItem<FeatureShard | ShiftedShard>) => Promise<Span> {
  return stageTask<FeatureShard | ShiftedShard>(init, (shard, count, isStopped) =>
    'copies' in shard ? shiftedFeatures(shard, count, isStopped) : features(shard, count, isStopped),
  );
}

const idsOf = (tracks: readonly Track[]): Record<string, string> => ({
  track_ids: JSON.stringify(tracks.map(({ id }) => id)),
});

async function features(shard: FeatureShard, count: Count, isStopped: () => boolean): Promise<void> {
  const mels = new Map<string, StoredTensor>();
  const chromas = new Map<string, StoredTensor>();
  for (const [i, track] of shard.tracks.entries()) {
    if (isStopped()) throw new Stopped('features');
    const samples = await trackAudio(track);
    mels.set(String(i), melOf(samples));
    chromas.set(String(i), chromaRows(samples));
    count(i + 1);
  }
  writeSafetensors(shard.chromaPath, chromas, idsOf(shard.tracks));
  writeSafetensors(shard.melPath, mels, idsOf(shard.tracks)); // last: its presence says that the shard is whole
}

/** Mels of a shard's tracks, their audio shifted. Holds the copies of one shard, 24 tracks, at a time. */
async function shiftedFeatures(
  { tracks, copies }: ShiftedShard,
  count: Count,
  isStopped: () => boolean,
): Promise<void> {
  const mels = copies.map(() => new Map<string, StoredTensor>());
  for (const [i, track] of tracks.entries()) {
    const samples = await trackAudio(track);
    const rng = createRng(track.id); // asked for by every augmentation; this one draws nothing
    for (const [copy, { semitones }] of copies.entries()) {
      if (isStopped()) throw new Stopped('features');
      const shifted = await applyAugmentation(samples, { id: 'pitchShift', strength: semitones }, rng);
      mels[copy].set(String(i), melOf(shifted));
      count(i * (1 + copies.length) + copy + 1);
    }
  }
  copies.forEach(({ melPath }, copy) => writeSafetensors(melPath, mels[copy], idsOf(tracks)));
}

function melOf(samples: Float32Array): StoredTensor {
  const { nMels, nFrames, data } = melSpectrogram(samples);
  return float32([nMels, nFrames], data);
}

/** Chroma of the whole track, then of each clip of 100,000 samples (the remainder dropped): [1 + nClips, 12]. */
function chromaRows(samples: Float32Array): StoredTensor {
  const nClips = Math.max(1, Math.floor(samples.length / CLIP_SAMPLES));
  const rows = new Float32Array((1 + nClips) * 12);
  rows.set(chromagram(samples));
  for (let clip = 0; clip < nClips; clip++)
    rows.set(chromagram(samples.subarray(clip * CLIP_SAMPLES, (clip + 1) * CLIP_SAMPLES)), 12 * (clip + 1));
  return float32([1 + nClips, 12], rows);
}
