/**
 * `node benchmarks/dist/longFile.js [--hours 1] [--format mp3|wav] [--rate 44100] [--kbps 128]`
 * Peak memory and time of `keymyna predict` on one long file, which it makes first. Not a row of results.json: there is
 * no peer, and ten hours take minutes.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Encoder, encoderConfig, saveCheckpoint } from 'keymyna/encoder';
import { NUM_KEYS } from 'keymyna/keys';
import { Probe, probeConfig, saveProbe } from 'keymyna/probe';
import { float32 } from 'keymyna/store';
import { createRng, initBackend } from 'keymyna/tensor';

const ROOT = join(import.meta.dirname, '../..');
const PROGRAM = join(ROOT, 'lib/bin/keymyna.js');
const SHIPPED = join(ROOT, 'data/checkpoints/encoder.safetensors');
/** Prints the most memory that the process ever had, kilobytes. */
const TELL_MEMORY =
  'data:text/javascript,process.on("exit",()=>console.error("maxRSS",process.resourceUsage().maxRSS))';

interface Mp3Encoder {
  configure(options: { channels: 2; sampleRate: number; bitrate: number }): void;
  encode(channels: readonly Float32Array[]): Uint8Array;
  finalize(): Uint8Array;
}

/** A minute of stereo: a triad that moves on every two seconds, in noise. */
function minute(rate: number): Float32Array[] {
  const rng = createRng(1);
  return [0, 1].map((channel) =>
    Float32Array.from({ length: 60 * rate }, (_, i) => {
      const root = 110 * 2 ** (((Math.floor(i / rate / 2) * 5) % 12) / 12);
      const tone = (ratio: number): number => Math.sin((2 * Math.PI * root * ratio * i) / rate + channel);
      return 0.2 * (tone(1) + tone(1.26) + tone(1.5)) + 0.02 * rng.uniform();
    }),
  );
}

async function mp3Minute(rate: number, bitrate: number): Promise<Uint8Array> {
  const require = createRequire(join(ROOT, 'lib/package.json'));
  const media = require('wasm-media-encoders') as { createMp3Encoder(): Promise<Mp3Encoder> };
  const encoder = await media.createMp3Encoder();
  encoder.configure({ channels: 2, sampleRate: rate, bitrate });
  const body = Uint8Array.from(encoder.encode(minute(rate)));
  return Buffer.concat([body, Uint8Array.from(encoder.finalize())]);
}

/** 16 bits, stereo; the header leaves the length open, as recorders do whose files may pass 4 GiB. */
function wavStart(rate: number): Uint8Array {
  const bytes = Buffer.alloc(44);
  bytes.write('RIFF\xff\xff\xff\xffWAVEfmt ', 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(2, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(4 * rate, 28);
  bytes.writeUInt16LE(4, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data\xff\xff\xff\xff', 36, 'latin1');
  return bytes;
}

function wavMinute(rate: number): Uint8Array {
  const [left, right] = minute(rate);
  const samples = new Int16Array(2 * left.length);
  left.forEach((sample, i) => (samples[2 * i] = 32767 * sample));
  right.forEach((sample, i) => (samples[2 * i + 1] = 32767 * sample));
  return new Uint8Array(samples.buffer);
}

/** The model that ships; until it is there, one of random weights, whose answers mean nothing and cost the same. */
async function modelArguments(dir: string): Promise<string[]> {
  if (existsSync(SHIPPED)) return [];
  await initBackend();
  const rng = createRng(0);
  const encoder = Encoder.init(encoderConfig('vertical', 'small'), rng);
  const [weights, head] = [join(dir, 'encoder.safetensors'), join(dir, 'head.safetensors')];
  saveCheckpoint(weights, encoder);
  const width = encoder.outWidth;
  const draw = (n: number): Float32Array => Float32Array.from({ length: n }, () => rng.uniform() - 0.5);
  const linear = new Map([
    ['0.weight', float32([NUM_KEYS, width], draw(NUM_KEYS * width))],
    ['0.bias', float32([NUM_KEYS], draw(NUM_KEYS))],
  ]);
  saveProbe(head, new Probe(probeConfig({ standardize: 'none', selection: 'last' }), width, linear, null));
  encoder.dispose();
  return ['--weights', weights, '--head', head];
}

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '1' },
    format: { type: 'string', default: 'mp3' },
    rate: { type: 'string', default: '44100' },
    kbps: { type: 'string', default: '128' },
  },
});
const [hours, rate, kbps] = [Number(values.hours), Number(values.rate), Number(values.kbps)];
const dir = mkdtempSync(join(tmpdir(), 'keymyna-long-'));
try {
  const path = join(dir, `long.${values.format}`);
  const isWav = values.format === 'wav';
  const piece = isWav ? wavMinute(rate) : await mp3Minute(rate, kbps);
  writeFileSync(path, isWav ? wavStart(rate) : new Uint8Array(0));
  for (let i = 0; i < 60 * hours; i++) appendFileSync(path, piece);
  const model = await modelArguments(dir);
  const start = performance.now();
  const child = spawn(process.execPath, [
    '--import',
    TELL_MEMORY,
    PROGRAM,
    'predict',
    path,
    '--format',
    'csv',
    ...model,
  ]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const seconds = (performance.now() - start) / 1000;
  const megabytes = Number(/maxRSS (\d+)/.exec(err)?.[1]) / 1024;
  if (code !== 0) throw new Error(err);
  console.log(out.trimEnd());
  console.log(
    `${hours} h of ${values.format}, ${rate} Hz stereo, ${(statSync(path).size / 1e6).toFixed(0)} MB: ` +
      `peak memory ${megabytes.toFixed(0)} MB, ${seconds.toFixed(0)} s (${((3600 * hours) / seconds).toFixed(0)} times real time)`,
  );
} finally {
  rmSync(dir, { recursive: true });
}
