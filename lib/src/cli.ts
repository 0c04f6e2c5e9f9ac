/** The command line: `npx keymyna <command>`. Each command stands in a file of `cli/`; errors are for a person. */
import { Command } from 'commander';
import { registerAudioCommands } from './cli/audio.js';
import { registerCache } from './cli/cache.js';
import { registerCompare } from './cli/compare.js';
import { registerData } from './cli/data.js';
import { registerDoctor } from './cli/doctor.js';
import { registerExport } from './cli/export.js';
import { registerPredict } from './cli/predict.js';
import { registerPretrain } from './cli/pretrain.js';
import { registerProbe } from './cli/probe.js';
import { registerReproduce } from './cli/reproduce.js';
import { registerScore } from './cli/score.js';
import { runProgram } from './cli/program.js';

const program = new Command('keymyna')
  .description('Masked contrastive pretraining for music audio key detection: audio to mel, encoder, probe, score.')
  .showHelpAfterError('(keymyna --help lists the commands)');
registerDoctor(program);
registerData(program);
registerAudioCommands(program);
registerPretrain(program);
registerProbe(program);
registerPredict(program);
registerExport(program);
registerScore(program);
registerCompare(program);
registerReproduce(program);
registerCache(program);

await runProgram(program, process.argv);
