// Makes the parts of the library that the TypeScript compiler does not, under lib/dist/generated/: each one only if it
// is not there or was made from something else.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = fileURLToPath(new URL('../dist/generated/', import.meta.url));
mkdirSync(out, { recursive: true });

/** Makes `file` unless the stamp beside it says that it was made from this folder as it is by the same packages. */
async function once(file, packages, make) {
  const require = createRequire(import.meta.url);
  const hash = createHash('sha256');
  for (const source of readdirSync(here).sort()) hash.update(readFileSync(`${here}${source}`));
  for (const name of packages) hash.update(`${name} ${require(`${name}/package.json`).version}`);
  const stamp = hash.digest('hex');
  const stampFile = `${out}${file}.stamp`;
  if (existsSync(out + file) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  await make();
  writeFileSync(stampFile, stamp);
}

/** Compiles one file of kernels, without a stack or an allocator. */
function compile(name, memory) {
  return once(`${name}.wasm`, ['assemblyscript'], () => assemble(name, memory));
}

async function assemble(name, memory) {
  const { default: asc } = await import('assemblyscript/asc');
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
// tsne.wasm: the forces of a map; each map gets a memory of its own.
await compile('tsne', ['--importMemory']);

// gradients.js: the gradients of TensorFlow.js' operations. The package leaves them out of its build for Node and ships
// them as modules that Node cannot resolve; its registries are global, so a bundle of them serves the same instance.
await once('gradients.js', ['esbuild', '@tensorflow/tfjs-core'], async () => {
  const { build } = await import('esbuild');
  await build({
    stdin: { contents: `import '@tensorflow/tfjs-core/dist/register_all_gradients.js';`, resolveDir: here },
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    outfile: `${out}gradients.js`,
  });
});
