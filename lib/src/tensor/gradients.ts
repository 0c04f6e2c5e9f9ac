/** How the tape differentiates the accelerated kernels. */
import { KERNEL } from './kernel-names.js';
import { tf } from './tf.js';

/** Runs a kernel and returns all of its outputs. */
export const runKernel = (name: string, inputs: Record<string, tf.Tensor>, attrs: object = {}): tf.Tensor[] => {
  const out: unknown = tf.engine().runKernel(name, inputs, attrs as tf.NamedAttrMap);
  return Array.isArray(out) ? (out as tf.Tensor[]) : [out as tf.Tensor];
};

export function registerGradients(): void {
  const gradient = (config: tf.GradConfig): void => tf.registerGradient(config);
  gradient({
    kernelName: KERNEL.linear,
    inputsToSave: ['x', 'weight'],
    gradFunc: (dy, saved) => {
      const d = dy as tf.Tensor2D;
      const [x, weight] = saved as tf.Tensor2D[];
      return {
        x: () => tf.matMul(d, weight),
        weight: () => tf.matMul(d, x, true, false),
        bias: () => runKernel(KERNEL.columnSums, { x: d })[0],
      };
    },
  });
  gradient({
    kernelName: KERNEL.layerNorm,
    inputsToSave: ['x', 'gain'],
    outputsToSave: [false, true],
    gradFunc: (dy, saved) => {
      const [x, gain, stats] = saved;
      const d = (dy as unknown as tf.Tensor[])[0];
      // Run here and not inside the functions below: each of those is tidied by itself.
      const [dx, dGain, dBias] = runKernel(KERNEL.layerNormGrad, { x, gain, stats, dy: d });
      return { x: () => dx, gain: () => dGain, bias: () => dBias };
    },
  });
  gradient({
    kernelName: KERNEL.gelu,
    inputsToSave: ['x'],
    gradFunc: (dy, [x]) => ({ x: () => runKernel(KERNEL.geluGrad, { x, dy: dy as tf.Tensor })[0] }),
  });
  gradient({
    kernelName: KERNEL.groupMeans,
    inputsToSave: ['x'],
    gradFunc: (dy, [x]) => ({
      x: () => runKernel(KERNEL.groupMeansGrad, { dy: dy as tf.Tensor }, { rows: x.shape[0] })[0],
    }),
  });
  gradient({
    kernelName: KERNEL.attention,
    inputsToSave: ['qkv'],
    outputsToSave: [false, true],
    gradFunc: (dy, saved, attrs) => {
      const [qkv, probs] = saved;
      const d = (dy as unknown as tf.Tensor[])[0];
      return { qkv: () => runKernel(KERNEL.attentionGrad, { qkv, probs, dy: d }, attrs)[0] };
    },
  });
}
