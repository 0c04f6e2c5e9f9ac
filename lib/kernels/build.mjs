// Makes the parts of the library that the TypeScript compiler does not, under lib/dist/generated/.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = fileURLToPath(new URL('../dist/generated/', import.meta.url));
mkdirSync(out, { recursive: true });

/** Compiles one file of kernels, without a stack or an allocator. */
async function compile(name, memory) {
  const { error, stderr } = await asc.main([
    `${name}.ts`,
    '--baseDir',
    here,
    '--outFile',
    `../dist/generated/${name}.wasm`,
    '--optimizeLevel',
    '3',
    '--shrinkLevel',
    '0',
    '--noAssert',
    '--converge',
    '--runtime',
    'stub',
    '--enable',
    'simd',
    '--enable',
    'bulk-memory',
    '--memoryBase',
    '0',
    '--initialMemory',
    '1',
    ...memory,
  ]);
  if (error) {
    console.error(stderr.toString());
    process.exit(1);
  }
}

// kernels.wasm: the AssemblyScript kernels. The module imports the memory of the TensorFlow.js wasm backend
// (env.memory) and has no data, stack or allocator of its own, so the two can never collide.
await compile('kernels', ['--importMemory']);
// mel.wasm and resample.wasm: their rooms lay out the memory that each module exports.
await compile('mel', []);
await compile('resample', []);
// probe.wasm: the steps of probe heads; each head gets an instance, whose memory it lays out.
await compile('probe', []);
// voices.wasm: the synthesizer's voices, over a memory of their own.
await compile('voices', []);

// gradients.js: the gradients of TensorFlow.js' operations. The package leaves them out of its build for Node and ships
// them as modules that Node cannot resolve; its registries are global, so a bundle of them serves the same instance.
await build({
  stdin: { contents: `import '@tensorflow/tfjs-core/dist/register_all_gradients.js';`, resolveDir: here },
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  outfile: `${out}gradients.js`,
});
