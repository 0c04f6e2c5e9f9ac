/** The learning rate of a step. */

export interface ScheduleConfig {
  /** The rate after the warm-up, > 0. */
  readonly learningRate: number;
  /** Steps of linear warm-up: step s (from 0) gets (s + 1) / warmUpSteps of the rate; 0 = none. */
  readonly warmUpSteps: number;
  /** All steps of the run, warm-up included. */
  readonly steps: number;
  /** `constant` (the reference's default), or `cosine`: half a cosine from the rate to 0 over the steps after warm-up. */
  readonly schedule: 'constant' | 'cosine';
}

/**
 * The learning rate of a step.
 *
 * @param step counted from 0
 */
export function learningRateAt(step: number, config: ScheduleConfig): number {
  const { learningRate, warmUpSteps, steps, schedule } = config;
  if (step < warmUpSteps) return (learningRate * (step + 1)) / warmUpSteps;
  if (schedule === 'constant') return learningRate;
  const progress = Math.min(1, (step - warmUpSteps) / Math.max(1, steps - warmUpSteps));
  return (learningRate / 2) * (1 + Math.cos(Math.PI * progress));
}
