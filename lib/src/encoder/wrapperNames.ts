/** Names of tensors in checkpoints of which the encoder is a part. */
import type { StoredTensor } from '../store/index.js';

/** A parameter that every encoder has, and by which its place is found. */
const ANCHOR = 'to_patch_embedding.2.weight';

/** Attributes under which PyTorch's wrappers and training scripts keep a model. */
const WRAPPERS = /^((module|model|encoder|backbone|_orig_mod)\.)+$/;

/**
 * The encoder's tensors under the reference's names, without the prefix of whatever wrapped it (`module.`, `model.`),
 * and the tensors outside of that prefix. Without a known prefix all tensors are the encoder's.
 */
export function withoutWrapper(tensors: ReadonlyMap<string, StoredTensor>): {
  own: Map<string, StoredTensor>;
  outside: Map<string, StoredTensor>;
} {
  const prefixes = [...tensors.keys()]
    .filter((name) => name.endsWith(ANCHOR))
    .map((name) => name.slice(0, -ANCHOR.length));
  if (prefixes.length !== 1 || !WRAPPERS.test(prefixes[0])) return { own: new Map(tensors), outside: new Map() };
  const [prefix] = prefixes;
  const [own, outside] = [new Map<string, StoredTensor>(), new Map<string, StoredTensor>()];
  for (const [name, tensor] of tensors) {
    if (name.startsWith(prefix)) own.set(name.slice(prefix.length), tensor);
    else outside.set(name, tensor);
  }
  return { own, outside };
}
