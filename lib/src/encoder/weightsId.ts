import { createHash } from 'node:crypto';
import { configId } from '../store/index.js';
import type { Encoder } from './encoder.js';

/** Names an encoder by its configuration and its weights, whatever file they came from: 12 hexadecimal digits. */
export function weightsId({ config, weights }: Encoder): string {
  const hash = createHash('sha256').update(configId(config));
  for (const [name, variable] of weights) {
    const { buffer, byteOffset, byteLength } = variable.dataSync<'float32'>();
    hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex').slice(0, 12);
}
