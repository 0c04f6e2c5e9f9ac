/** What a worker thread does for one shard of the feature stage. */
import { trackAudio, type Track } from '../corpus/index.js';
import { chromagram, CLIP_SAMPLES, melSpectrogram } from '../mel/index.js';
import { float32, type StoredTensor, writeSafetensors } from '../store/index.js';
import type { FeatureShard } from './features.js';
import { type Span, type StageItem, stageTask, Stopped } from './stages.js';

/** Factory for `runStage`: renders or decodes the tracks of a shard and writes its two files. */
export function featureTask(init: unknown): (message: StageItem<FeatureShard>) => Promise<Span> {
  return stageTask<FeatureShard>(init, async (shard, count, isStopped) => {
    const mels = new Map<string, StoredTensor>();
    const chromas = new Map<string, StoredTensor>();
    for (const [i, track] of shard.tracks.entries()) {
      if (isStopped()) throw new Stopped('features');
      const samples = await trackAudio(track);
      const { nMels, nFrames, data } = melSpectrogram(samples);
      mels.set(String(i), float32([nMels, nFrames], data));
      chromas.set(String(i), chromaRows(samples));
      count(i + 1);
    }
    const metadata = { track_ids: JSON.stringify(shard.tracks.map((track: Track) => track.id)) };
    writeSafetensors(shard.chromaPath, chromas, metadata);
    writeSafetensors(shard.melPath, mels, metadata); // last: its presence says that the shard is whole
  });
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
