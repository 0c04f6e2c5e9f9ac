// The project's TypeScript kernel: tslab 1.0.22 (pinned: this file leans on its insides), started at the
// repository root, strict, and with errors reported as Jupyter expects. Two ways in, one way of running a cell:
//   node tslab-kernel.cjs --config-path FILE   a Jupyter kernel over ZeroMQ (kernels/tslab/kernel.json)
//   fork()ed with an IPC channel               cells in, outputs out as IPC messages (tools/src/kernel.ts)
'use strict';
const path = require('node:path');
const util = require('node:util');

const ROOT = path.resolve(__dirname, '..');
const MAX_LINE = 300; // characters; a minified bundle's line in a stack trace can be a megabyte

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`The kernel needs Node 20.19 or later (it loads ES modules with require); this is ${process.version}.`);
  process.exit(1);
}

// tslab compiles only .ts files below its working directory, whatever directory Jupyter started it in.
process.chdir(ROOT);
process.env.KEYMYNA_ROOT ??= ROOT;
process.setSourceMapsEnabled(true);

// tslab's compiler options are fixed: not strict (which rejects valid strict code, e.g. narrowing by
// `if (!result.ok)`) and blind to package.json "exports". It takes the compiler from the module cache, so a
// wrapped one must be there before tslab itself is loaded.
const tsFile = require.resolve('@tslab/typescript-for-tslab', { paths: [require.resolve('tslab/package.json')] });
const ts = require(tsFile);
const compilerOptions = { strict: true, moduleResolution: ts.ModuleResolutionKind.Bundler, types: ['node'] };
// TS2742 "the inferred type cannot be named without a reference to './node_modules/keymyna/...'. This is likely not
// portable": tslab carries a variable's type to the next cell as a declaration. From the root that path does resolve.
const UNPORTABLE_TYPE_NAME = 2742;
require.cache[tsFile].exports = {
  ...ts,
  createWatchCompilerHost: (files, options, ...rest) =>
    ts.createWatchCompilerHost(files, { ...options, ...compilerOptions }, ...rest),
  getPreEmitDiagnosticsOfFiles: (...args) =>
    ts.getPreEmitDiagnosticsOfFiles(...args).filter(({ code }) => code !== UNPORTABLE_TYPE_NAME),
};
const executorModule = require('tslab/dist/executor.js');
const jupyter = require('tslab/dist/jupyter.js');

// tslab prints what went wrong on stderr and replies a bare "error"; keep it, for a proper error message.
let problem = [];
const { createExecutor } = executorModule;
executorModule.createExecutor = (dir, converters, console) =>
  createExecutor(dir, converters, { ...console, error: (...args) => problem.push(args) });

/** Lines for a reader: without tslab's and Node's own frames. */
function tidy(text) {
  return text
    .split('\n')
    .filter((line) => !/^ +at .*(node:vm|node:internal|[\\/]tslab[\\/]dist[\\/]|tslab-kernel\.cjs)/.test(line))
    .map((line) => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line));
}

/** Jupyter's error content for what the last cell left in `problem`: one thrown value, or compiler messages. */
function describeProblem() {
  const [first] = problem;
  if (first?.length === 1) {
    const error = util.types.isNativeError(first[0]) ? first[0] : new Error(util.inspect(first[0]));
    return { ename: error.name, evalue: tidy(String(error.message)).join('\n'), traceback: tidy(util.inspect(error)) };
  }
  const lines = tidy(problem.map((args) => util.format(...args)).join('\n'));
  return { ename: 'TypeScriptError', evalue: lines[0], traceback: lines };
}

/** Runs one cell; publish(msg_type, content) takes what Jupyter calls iopub messages. */
async function execute(handler, content, publish) {
  problem = [];
  publish('execute_input', { code: content.code, execution_count: handler.execCount + 1 });
  const reply = await handler.handleExecute(
    content,
    (name, text) => publish('stream', { name, text }),
    (data, update) => publish(update ? 'update_display_data' : 'display_data', data),
  );
  // "abort" is tslab's reply to a cell that was queued behind one that failed: it did not run, and says so.
  if (reply.status === 'error') {
    const error = describeProblem();
    publish('error', error);
    Object.assign(reply, error);
  }
  return reply;
}

function serveIpc() {
  const { createConverter } = require('tslab/dist/converter.js');
  const node = createConverter({ isJS: false, isBrowser: false });
  const converters = { node, close: () => node.close() };
  const executor = executorModule.createExecutor(process.cwd(), converters, { log: console.log });
  const handler = new jupyter.JupyterHandlerImpl(executor, false);
  // Once the runner is gone, `send` would throw; there is nobody left to tell.
  const send = (message) => process.connected && process.send(message);
  const sendStray = (error) => send({ msg_type: 'unhandled', content: { text: tidy(util.inspect(error)).join('\n') } });
  process.on('SIGINT', () => executor.interrupt());
  process.on('disconnect', () => process.exit());
  process.on('unhandledRejection', sendStray);
  process.on('uncaughtException', sendStray);
  process.on('message', async ({ id, content }) => {
    const reply = await execute(handler, content, (msg_type, body) => send({ id, msg_type, content: body }));
    send({ id, msg_type: 'execute_reply', content: reply });
  });
  send({ msg_type: 'ready' });
}

function serveZmq(configPath) {
  jupyter.ZmqServer.prototype.handleExecute = async function (sock, message) {
    const send = (to, msg_type, content) => {
      const out = message.createReply();
      out.header.msg_type = msg_type;
      out.content = content;
      out.signAndSend(this.connInfo.key, to);
    };
    const publish = (msg_type, content) => send(this.iopub, msg_type, content);
    send(sock, 'execute_reply', await execute(this.handler, message.content, publish));
  };
  // A Jupyter server that is killed must not leave its kernels behind.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && process.exit(), 2000).unref();
  require('tslab/dist/main.js').startKernel({ configPath, enableFindLocal: false, jsKernel: false });
}

const configAt = process.argv.indexOf('--config-path');
if (process.send) serveIpc();
else if (configAt > 0 && process.argv[configAt + 1]) serveZmq(process.argv[configAt + 1]);
else {
  console.error('Usage: node jupyter/tslab-kernel.cjs --config-path CONNECTION_FILE (Jupyter passes it)');
  process.exit(1);
}
