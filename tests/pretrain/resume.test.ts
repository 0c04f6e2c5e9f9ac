/** Killed, aborted, diverged: what a run leaves behind, and that going on equals not having stopped. */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../lib/src/encoder/index.js';
import { pretrain, readLog, snapshotPath, type PretrainConfig } from '../../lib/src/pretrain/index.js';
import { initBackend, tf } from '../../lib/src/tensor/index.js';
import { makeTracks, smallConfig } from './fixture.js';

const root = mkdtempSync(join(tmpdir(), 'pretrain-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(() => initBackend({ blasThreads: 1 }));

let folders = 0;
const newDir = (): string => join(root, String(folders++));
const clock = (): number => performance.now();
const tracks = makeTracks(15);
const bytes = (dir: string, file = 'encoder.safetensors'): Buffer => readFileSync(join(dir, file));

/** Starts the small run in a child, waits until it hangs after a step, and kills it. */
async function runUntilKilled(dir: string, hangAfter: number, overrides: Partial<PretrainConfig>): Promise<void> {
  const script = fileURLToPath(new URL('child.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify([dir, hangAfter, { blasThreads: 1 }, overrides])]);
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_, signal) => resolve(signal)));
  child.stdout.on('data', (chunk: Buffer) => {
    if (chunk.toString().includes('hanging')) child.kill('SIGKILL');
  });
  expect(await ended, output).toBe('SIGKILL');
}

describe('a killed run', () => {
  it.each([
    ['sogClr', 'vertical'],
    ['ntXent', 'hybrid'],
    ['reconstruction', 'vertical'],
  ] as const)('goes on to the same bytes: %s, %s', async (goal, patches) => {
    const overrides: Partial<PretrainConfig> = {
      ...(goal === 'reconstruction' ? { objective: goal } : { loss: goal }),
      encoder: { ...smallConfig().encoder, patches },
    };
    const whole = newDir();
    await pretrain(smallConfig(overrides), tracks, { dir: whole, clock });

    const killed = newDir();
    await runUntilKilled(killed, 6, overrides); // between the checkpoints of steps 4 and 8
    expect(readLog(join(killed, 'log.jsonl'))).toHaveLength(6);
    expect(existsSync(join(killed, 'encoder.safetensors'))).toBe(false);
    const stale = bytes(killed, 'step-5.safetensors');

    const { resumedFrom, encoderPath } = await pretrain(smallConfig(overrides), tracks, { dir: killed, clock });
    expect(resumedFrom).toBe(4);
    for (const file of ['encoder.safetensors', 'checkpoint.safetensors', 'step-0.safetensors', 'step-5.safetensors']) {
      expect(bytes(killed, file).equals(bytes(whole, file)), file).toBe(true);
    }
    expect(stale.equals(bytes(whole, 'step-5.safetensors'))).toBe(true);
    const timeless = (dir: string) => readLog(join(dir, 'log.jsonl')).map((line) => ({ ...line, milliseconds: 0 }));
    expect(timeless(killed)).toEqual(timeless(whole));
    expect(readdirSync(killed).sort()).toEqual(readdirSync(whole).sort()); // no temporary file stays

    // Asking once more does nothing.
    const again = await pretrain(smallConfig(overrides), tracks, { dir: killed, clock });
    expect(again.resumedFrom).toBe(12);
    expect(readFileSync(encoderPath).equals(bytes(whole))).toBe(true);
  });

  it('is not fooled: another seed gives other bytes', async () => {
    const [a, b] = [newDir(), newDir()];
    await pretrain(smallConfig({ steps: 5 }), tracks, { dir: a, clock });
    await pretrain(smallConfig({ steps: 5, seed: 4 }), tracks, { dir: b, clock });
    expect(bytes(a).equals(bytes(b))).toBe(false);
  });

  it('starts over when it died before its first checkpoint, dropping what it had logged', async () => {
    const [whole, dir] = [newDir(), newDir()];
    await pretrain(smallConfig({ steps: 5 }), tracks, { dir: whole, clock });
    await runUntilKilled(dir, 2, { steps: 5 });
    expect((await pretrain(smallConfig({ steps: 5 }), tracks, { dir, clock })).resumedFrom).toBe(0);
    expect(readLog(join(dir, 'log.jsonl')).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    expect(bytes(dir).equals(bytes(whole))).toBe(true);
  });
});

describe('a stopped run', () => {
  it('on abort saves the step it is at, throws the reason, and goes on from there', async () => {
    const [whole, dir] = [newDir(), newDir()];
    await pretrain(smallConfig(), tracks, { dir: whole, clock });
    const stop = new AbortController();
    const onStep = ({ step }: { step: number }): void => {
      if (step === 7) stop.abort(new Error('stopped by the user'));
    };
    await expect(pretrain(smallConfig(), tracks, { dir, clock, onStep, signal: stop.signal })).rejects.toThrow(
      'stopped by the user',
    );
    expect((await pretrain(smallConfig(), tracks, { dir, clock })).resumedFrom).toBe(7);
    expect(bytes(dir).equals(bytes(whole))).toBe(true);
  });

  it('that diverges names the step and keeps the last good checkpoint', async () => {
    const dir = newDir();
    const config = smallConfig({ learningRate: 1e30, warmUpSteps: 0, clipNorm: null, checkpointEverySteps: 1 });
    await expect(pretrain(config, tracks, { dir, clock })).rejects.toThrow(/pretraining, step \d+: .*diverged/);
    const { encoder } = loadCheckpoint(join(dir, 'checkpoint.safetensors')); // refuses weights that are not finite
    encoder.dispose();
    expect(existsSync(join(dir, 'encoder.safetensors'))).toBe(false);
  });

  it('refuses another configuration, other tracks, and a damaged checkpoint', async () => {
    const dir = newDir();
    const short = { steps: 4, snapshotSteps: [2] };
    await pretrain(smallConfig(short), tracks, { dir, clock });
    const go = (config: PretrainConfig, some = tracks) => pretrain(config, some, { dir, clock });
    await expect(go(smallConfig({ ...short, maskRatio: 0.75 }))).rejects.toThrow(
      /maskRatio 0\.5 \(asked for: 0\.75\); delete/,
    );
    await expect(go(smallConfig(short), makeTracks(14))).rejects.toThrow(/begun with other tracks/);
    // How often something is saved may change.
    await go(smallConfig({ ...short, checkpointEverySteps: 2, snapshotSteps: [] }));
    copyFileSync(join(dir, 'encoder.safetensors'), join(dir, 'checkpoint.safetensors'));
    await expect(go(smallConfig(short))).rejects.toThrow(/no checkpoint of a pretraining run/);
    writeFileSync(join(dir, 'checkpoint.safetensors'), 'torn');
    await expect(go(smallConfig(short))).rejects.toThrow(/checkpoint\.safetensors/);
  });
});

describe('what a run writes', () => {
  it('an encoder without head that loads by itself, and snapshots from the random start on', async () => {
    const dir = newDir();
    const before = tf.memory().numTensors;
    const counts: number[] = [];
    const { encoderPath, logPath } = await pretrain(smallConfig(), tracks, {
      dir,
      clock,
      onStep: () => counts.push(tf.memory().numTensors),
    });
    expect(new Set(counts).size).toBe(1); // no step leaks
    expect(tf.memory().numTensors).toBe(before);
    const { encoder, metadata, linearHead, tensors } = loadCheckpoint(encoderPath);
    expect(encoder.config).toEqual(smallConfig().encoder);
    expect(metadata).toMatchObject({ step: '12', seed: '3', kind: 'encoder' });
    expect([linearHead, tensors.size]).toEqual([null, 0]);
    encoder.dispose();
    expect(existsSync(snapshotPath(dir, 0)) && existsSync(snapshotPath(dir, 5))).toBe(true);

    const log = readLog(logPath);
    expect(log.map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(log.map(({ epoch }) => epoch)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    for (const line of log) {
      expect(Object.values(line).every(Number.isFinite)).toBe(true);
      expect(line.milliseconds).toBeGreaterThan(0);
    }
  });

  it('learns: the loss falls and pairs are found', async () => {
    const config = smallConfig({
      loss: 'ntXent',
      temperature: 0.2,
      steps: 60,
      learningRate: 3e-3,
      checkpointEverySteps: 60,
    });
    const { logPath } = await pretrain(config, tracks, { dir: newDir(), clock });
    const log = readLog(logPath);
    const mean = (lines: typeof log, field: 'loss' | 'accuracy'): number =>
      lines.reduce((sum, line) => sum + line[field]!, 0) / lines.length;
    expect(mean(log.slice(-5), 'loss')).toBeLessThan(0.7 * mean(log.slice(0, 5), 'loss'));
    expect(mean(log.slice(-5), 'accuracy')).toBeGreaterThan(0.9);
  });
});
