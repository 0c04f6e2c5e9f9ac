/** 03: what the encoder can do on tracks that pretraining has not seen, against training steps. */
import type { EmbeddingTable } from '../../embeddings/index.js';
import { encodersOfRun, loadTable, snapshotEncoders } from '../features/embeddingTables.js';
import type { EncoderOfSeed } from './jobs.js';
import type { SnapshotScores } from '../measurements.js';
import { probeOutcome, quickRequest } from '../probing/probing.js';
import { keysOf, measured, rounded, type Run } from '../run/run.js';
import { weightedInterval } from '../probing/scores.js';

/** Retrieval and linear probe of the random initialisation, each snapshot and the final encoder. */
export function snapshotScores(run: Run): Promise<SnapshotScores> {
  return measured(run, 'snapshots', {}, (base) => {
    const reference = keysOf(run, 'valid');
    return {
      ...base,
      nTracks: reference.length,
      curves: snapshotEncoders(run).map((encoder) => {
        const points = pointsOf(run, encoder);
        const retrieved = points.map(({ of, step }) => retrieval(loadTable(run, of, 'valid', 'output', step)));
        return {
          encoder: encoder.name,
          seed: encoder.seed,
          step: points.map(({ shown }) => shown),
          retrieval: retrieved.map((r) => r.top1),
          cosineSame: retrieved.map((r) => r.same),
          cosineOther: retrieved.map((r) => r.other),
          probe: points.map(({ of, step }) =>
            weightedInterval(run, reference, [
              probeOutcome(run, quickRequest(run, of, 'output', step)).estimates.valid!,
            ]),
          ),
        };
      }),
    };
  });
}

/** Step 0 is the random encoder of the same seed, the last step is the finished one. */
function pointsOf(run: Run, encoder: EncoderOfSeed): { of: EncoderOfSeed; step: number | undefined; shown: number }[] {
  const { snapshotSteps, steps } = encoder.job!.config;
  const random = encodersOfRun(run).find(
    (one) => !one.job && one.seed === encoder.seed && one.name.patches === encoder.name.patches,
  )!;
  return [
    { of: random, step: undefined, shown: 0 },
    ...snapshotSteps.map((step) => ({ of: encoder, step, shown: step })),
    { of: encoder, step: undefined, shown: steps },
  ];
}

/**
 * Does the first clip of a track find the last clip of the same track? By cosine of centred embeddings; a tie is lost.
 *
 * @returns share of tracks that find their own, mean cosine with the own last clip and with those of other tracks
 */
export function retrieval({ embeddings, width, trackOf, nClips, trackIds }: EmbeddingTable): {
  top1: number;
  same: number;
  other: number;
} {
  const mean = new Float64Array(width);
  embeddings.forEach((value, i) => (mean[i % width] += value / nClips));
  const unit = Array.from({ length: nClips }, (_, clip) => {
    const row = Float64Array.from({ length: width }, (_, i) => embeddings[clip * width + i] - mean[i]);
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)) || 1;
    return row.map((x) => x / length);
  });
  const first = trackIds.map((_, track) => unit[trackOf.indexOf(track)]);
  const last = trackIds.map((_, track) => unit[trackOf.lastIndexOf(track)]);
  const cosine = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
  let found = 0;
  let same = 0;
  let other = 0;
  first.forEach((query, track) => {
    const similarities = last.map((candidate) => cosine(query, candidate));
    const own = similarities[track];
    if (similarities.every((s, i) => i === track || s < own)) found++;
    same += own;
    other += similarities.reduce((a, b) => a + b, 0) - own;
  });
  const n = trackIds.length;
  return { top1: rounded(found / n), same: rounded(same / n), other: rounded(other / (n * Math.max(1, n - 1))) };
}
