/**
 * The paper's 28 probe architectures, one pass over the training clips each, then the score on validation: ours by the
 * grid runner over threads, the peer one after the other.
 */
import { mkdtempSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { architectureGrid, type GridRun, runGrid } from 'keymyna/probe';
import { initBackend } from 'keymyna/tensor';
import { type Answer, compareChecks, type Comparison, type Setting, timed } from './measure.js';
import { readProbeData, TRAINING, writeEmbeddings } from './probeStep.js';

export function writeInputs(folder: string, { clips, validClips, width }: Setting): void {
  writeEmbeddings(folder, clips + validClips, width);
}

export async function measure(
  folder: string,
  { clips, widest, repeats }: Setting,
): Promise<{ ms: number[]; check: number[] }> {
  await initBackend();
  const grid = architectureGrid({ ...TRAINING, selection: 'valid' }).filter(({ hidden }) =>
    hidden.every((entry) => typeof entry === 'string' || entry <= widest),
  );
  const data = { train: readProbeData(folder, 0, clips), valid: readProbeData(folder, clips) };
  let runs: GridRun[] = [];
  const run = async (): Promise<void> => {
    // A new folder each time: a run whose file is there is not made again.
    runs = await runGrid(grid, data, { dir: mkdtempSync(join(folder, 'grid-')), threads: availableParallelism() });
  };
  const ms = await timed(run, { warmUp: 0, repeats });
  return { ms, check: [runs.length, runs.reduce((sum, { history }) => sum + history[0].trainLoss, 0) / runs.length] };
}

export function compare(ours: Answer, peer: Answer): Comparison {
  return compareChecks(ours, peer, 0.1); // weights and dropout are drawn by each side for itself
}
