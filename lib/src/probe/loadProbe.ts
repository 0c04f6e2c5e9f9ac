/** Probes from files: ours, and heads that others trained. */
import { InputError } from '../errors.js';
import { readWeights, type StoredTensor } from '../store/index.js';
import { type ProbeConfig, probeConfig } from './config.js';
import { headLayers } from './head.js';
import { type EpochRecord, Probe } from './probe.js';
import { probeFromHead, type KeyOrder } from './publishedHead.js';

/** Tensors of a file that holds an encoder too stand under this prefix. */
export const HEAD_PREFIX = 'head.';

/**
 * Reads what `saveProbe` wrote, or the state dict of a head that PyTorch trained (`keymyna-bb.pth`), as .pth or
 * safetensors; in a file that holds an encoder too, what stands under `head.`. See `probeFromHead`.
 *
 * @param options.keyOrder of a head's 24 logits, where the file does not say it
 * @throws InputError naming file and tensor if something is missing or misshapen
 */
export function loadProbe(path: string, options: { readonly keyOrder?: KeyOrder } = {}): Probe {
  const { tensors: all, metadata } = readWeights(path);
  const inside = [...all].filter(([name]) => name.startsWith(HEAD_PREFIX));
  const tensors = new Map(inside.length > 0 ? inside.map(([name, t]) => [name.slice(HEAD_PREFIX.length), t]) : all);
  if (metadata.probeConfig === undefined) return probeFromHead(tensors, path, options.keyOrder);
  if (options.keyOrder === 'majorThenMinor')
    throw new InputError(
      path,
      'was written by keymyna probe, whose keys are interleaved; keyOrder is for other heads.',
    );
  return savedProbe(path, tensors, metadata);
}

function savedProbe(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>>,
): Probe {
  const config = probeConfig(json(path, metadata, 'probeConfig') as Partial<ProbeConfig>);
  const width = Number(metadata.probeWidth);
  const need = (name: string, shape: readonly number[]): StoredTensor => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new InputError(path, `no tensor "${name}"; the file is incomplete`);
    if (tensor.shape.join() !== shape.join())
      throw new InputError(path, `tensor "${name}" is [${tensor.shape.join(', ')}]; expected [${shape.join(', ')}]`);
    return tensor;
  };
  const weights = new Map<string, StoredTensor>();
  for (const layer of headLayers(config.hidden, width)) {
    if (layer.kind !== 'linear') continue;
    weights.set(`${layer.name}.weight`, need(`${layer.name}.weight`, [layer.outputs, layer.inputs]));
    weights.set(`${layer.name}.bias`, need(`${layer.name}.bias`, [layer.outputs]));
  }
  const statistic = (name: string): Float64Array => Float64Array.from(need(`standardizer.${name}`, [width]).data);
  const standardizer = config.standardize === 'train' ? { mean: statistic('mean'), scale: statistic('scale') } : null;
  const history = (metadata.probeHistory === undefined ? [] : json(path, metadata, 'probeHistory')) as EpochRecord[];
  return new Probe(config, width, weights, standardizer, history, Number(metadata.probeEpoch ?? history.length - 1));
}

function json(path: string, metadata: Readonly<Record<string, string>>, field: string): unknown {
  try {
    return JSON.parse(metadata[field]) as unknown;
  } catch (cause) {
    throw new InputError(path, `its metadata entry ${field} is no JSON`, { cause });
  }
}
