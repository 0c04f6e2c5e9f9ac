/** `node child.js MODULE FOLDER`: measures one benchmark in a process of its own and answers with a line of JSON. */
import { type Answer, type Benchmark, readSetting } from './measure.js';

const [module, folder] = process.argv.slice(2);
const benchmark = (await import(`./${module}.js`)) as Benchmark & { readonly version?: string };
const measured = await benchmark.measure(folder, readSetting(folder));
const answer: Answer = {
  ...measured,
  mb: process.resourceUsage().maxRSS / 1024, // Node gives kilobytes
  version: benchmark.version ?? '',
};
console.log(JSON.stringify(answer));
process.exit(0);
