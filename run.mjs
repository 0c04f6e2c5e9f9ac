import { experiments } from 'keymyna';
const stages = process.argv.slice(3);
let last = 0;
const run = await experiments.openRun(process.argv[2], { root: process.cwd(), cacheDir: '/work/scratch/lead-cache', threads: 2, clock: () => performance.now(),
  onProgress: (stage, done, total, left) => { const now = Date.now(); if (now - last > 20000) { last = now; console.log(new Date().toISOString().slice(11,19), stage, done, total, left === null ? '' : Math.round(left)); } } });
console.log('backend', run.backend, 'recordings', run.recordings?.tracks.length);
for (const stage of stages) { console.log('stage', stage, new Date().toISOString()); await experiments.runStageOf(run, stage); }
console.log('done', new Date().toISOString());
