/** onnxruntime-node, an optional peer: its installation downloads binaries, so it is no dependency. */
import { isMainThread } from 'node:worker_threads';
import { InputError } from '../errors.js';
import { optionalPackage } from './optionalPackage.js';

/** What is used of onnxruntime-node. */
export interface OnnxTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

/** An input or output as the model declares it; a dimension is a number, or a name where it is free. */
export interface OnnxPort {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  /** empty: not declared */
  readonly shape?: readonly (number | string)[];
}

interface Session {
  readonly inputMetadata: readonly OnnxPort[];
  readonly outputMetadata: readonly OnnxPort[];
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
  release(): Promise<void>;
}

interface Runtime {
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OnnxTensor;
  readonly InferenceSession: { create(path: string, options: object): Promise<Session> };
}

/** A loaded model. */
export interface OnnxSession {
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /** @throws InputError naming the model */
  run(input: string, data: Float32Array, dims: readonly number[], output: string): Promise<OnnxTensor>;
  release(): Promise<void>;
}

/** @throws InputError if onnxruntime-node is not installed, or does not take the model */
export async function openOnnx(path: string): Promise<OnnxSession> {
  const { InferenceSession, Tensor } = optionalPackage('onnxruntime-node', 'an ONNX model') as Runtime;
  // Worker threads share the cores out among themselves; 0 = the runtime's default.
  const options = { executionProviders: ['cpu'], intraOpNumThreads: isMainThread ? 0 : 1, logSeverityLevel: 3 };
  const session = await failing(path, 'onnxruntime-node does not load this model', () =>
    InferenceSession.create(path, options),
  );
  return {
    inputs: session.inputMetadata,
    outputs: session.outputMetadata,
    run: async (input, data, dims, output) => {
      const outputs = await failing(path, 'the model does not run on this audio', () =>
        session.run({ [input]: new Tensor('float32', data, dims) }),
      );
      return outputs[output];
    },
    release: () => session.release(),
  };
}

async function failing<T>(path: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputError(path, `${what} (${reason.split('\n')[0].slice(0, 300)})`, { cause });
  }
}
