/** The paper's 28 probe architectures, trained for one pass over the clips each: ours over threads, the peer in turn. */
import { availableParallelism } from 'node:os';
import { architectureGrid, headParameterCount, type ProbeConfig } from 'keymyna/probe';
import { parallelMap } from 'keymyna/workers';
import { type Answer, compareChecks, type Comparison, type Setting, timed } from './measure.js';
import { TRAINING, writeEmbeddings } from './probeStep.js';

export function writeInputs(folder: string, { clips, width }: Setting): void {
  writeEmbeddings(folder, clips, width);
}

export async function measure(
  folder: string,
  { width, widest, repeats }: Setting,
): Promise<{ ms: number[]; check: number[] }> {
  const cost = ({ hidden }: ProbeConfig): number => headParameterCount(hidden, width);
  const grid = architectureGrid(TRAINING)
    .filter(({ hidden }) => hidden.every((entry) => typeof entry === 'string' || entry <= widest))
    // The longest first: no thread is left alone with one at the end.
    .sort((a, b) => cost(b) - cost(a));
  let losses: number[] = [];
  const run = async (): Promise<void> => {
    losses = await parallelMap<ProbeConfig, number>(
      new URL('./probeGridTask.js', import.meta.url),
      'probeGridTask',
      grid,
      {
        threads: availableParallelism(),
        init: folder,
      },
    );
  };
  const ms = await timed(run, { warmUp: 0, repeats });
  return { ms, check: [losses.length, losses.reduce((sum, x) => sum + x, 0) / losses.length] };
}

export function compare(ours: Answer, peer: Answer): Comparison {
  return compareChecks(ours, peer, 0.1); // weights and dropout are drawn by each side for itself
}
