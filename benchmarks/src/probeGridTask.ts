/** What one thread of the grid runs: probes on the one table, one after the other. */
import { type ProbeConfig, trainProbe } from 'keymyna/probe';
import { initBackend } from 'keymyna/tensor';
import { readProbeData } from './probeStep.js';

/** @param init the folder of the inputs */
export async function probeGridTask(init: unknown): Promise<(config: ProbeConfig) => Promise<number>> {
  await initBackend({ blasThreads: 1 });
  const train = readProbeData(init as string);
  return async (config) => (await trainProbe(config, { train })).history[0].trainLoss;
}
