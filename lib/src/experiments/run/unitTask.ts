/** What a worker thread does when several stages share it. */
import type { Span, StageItem } from './stages.js';

type Task = (message: StageItem<never>) => Promise<Span>;

/** Loaded when the first unit of the stage comes: rendering needs no tensors. */
const FACTORIES: Readonly<Record<string, (init: unknown) => Promise<Task>>> = {
  features: async (init) => (await import('../features/featureTask.js')).featureTask(init),
  pretraining: async (init) => (await import('../pretraining/pretrainTask.js')).pretrainTask(init),
  augmented: async (init) => (await import('../augmented/augmentTask.js')).augmentTask(init),
  embeddings: async (init) => (await import('../features/embedTask.js')).embedTask(init),
};

/** Factory for `runStages`: the task of each stage, made once. */
export function unitTask(init: unknown): (message: StageItem<never> & { readonly stage: string }) => Promise<Span> {
  const tasks = new Map<string, Promise<Task>>();
  return async (message) => {
    const task = tasks.get(message.stage) ?? FACTORIES[message.stage](init);
    tasks.set(message.stage, task);
    return (await task)(message);
  };
}
