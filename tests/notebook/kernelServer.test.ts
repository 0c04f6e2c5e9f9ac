import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DeskAddress, KernelServer } from '../../lib/src/notebook/kernelServer.js';

let folder: string;
let server: KernelServer;
let desk: DeskAddress;
let port: number;
const chosen: [number, number][] = [];
const BYTES = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keymyna-server-'));
  writeFileSync(join(folder, 'a.wav'), BYTES);
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  server = await KernelServer.start();
  desk = server.open({
    files: [join(folder, 'a.wav'), join(folder, 'gone.mp3')],
    nChoices: 3,
    choose: (row, choice) => {
      if (choice === 2) throw new Error('the disk is full');
      chosen.push([row, choice]);
      return `row ${row} is ${choice}`;
    },
  });
  port = Number(new URL(desk.base).port);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A request with exactly these headers; `fetch` would set Host and Origin by itself. */
function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) })); // prettier-ignore
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const sound = (row: number) => new URL(server.soundAddress(desk, row)).pathname;
const choose = (fields: unknown, headers: Record<string, string> = {}) =>
  ask('/choose', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${desk.token}`, ...headers },
    body: typeof fields === 'string' ? fields : JSON.stringify(fields),
  });
const PAGE = 'http://localhost:8888';

describe('sounds', () => {
  it('come whole, with their type, and by ranges, as players ask', async () => {
    const whole = await ask(sound(0));
    expect([whole.status, whole.headers['content-type'], whole.headers['accept-ranges']]).toEqual([
      200,
      'audio/wav',
      'bytes',
    ]);
    expect(whole.body.equals(BYTES)).toBe(true);
    const ranges: [range: string, status: number, first: number, last: number][] = [
      ['bytes=0-', 206, 0, 999],
      ['bytes=100-199', 206, 100, 199],
      ['bytes=990-5000', 206, 990, 999],
      ['bytes=-10', 206, 990, 999],
      ['bytes=-5000', 206, 0, 999],
      ['bytes=5-2', 200, 0, 999],
      ['bytes=0-1,5-6', 200, 0, 999],
      ['items=0-1', 200, 0, 999],
    ];
    for (const [range, status, first, last] of ranges) {
      const part = await ask(sound(0), { headers: { Range: range } });
      expect([range, part.status]).toEqual([range, status]);
      expect(part.body.equals(BYTES.subarray(first, last + 1))).toBe(true);
      if (status === 206) expect(part.headers['content-range']).toBe(`bytes ${first}-${last}/1000`);
    }
    for (const range of ['bytes=1000-', 'bytes=-0'])
      expect((await ask(sound(0), { headers: { Range: range } })).status).toBe(416);
    const head = await ask(sound(0), { method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '1000', 0]);
  });

  it('that are gone, or were never offered, are not there', async () => {
    expect((await ask(sound(1))).status).toBe(404);
    const prefix = `/sound/${desk.token}`;
    for (const path of [
      '/0/2',
      '/1/0',
      '/0/-1',
      '/0/0x0',
      '/0/1e0',
      '/0/',
      '/0',
      '/0/0/..',
      '/0/%2e%2e%2fsecret.txt',
      '/0/../secret.txt',
      '/constructor/0',
      '/0/__proto__',
    ])
      expect([path, (await ask(prefix + path)).status]).toEqual([path, 404]);
    expect((await ask(sound(0), { method: 'DELETE' })).status).toBe(405);
  });
});

describe('choices', () => {
  it('are taken as numbers; what is said is what the kernel said', async () => {
    const answer = await choose({ desk: 0, row: 1, choice: 0 }, { Origin: PAGE });
    expect(JSON.parse(answer.body.toString())).toEqual({ message: 'row 1 is 0', saved: true });
    expect(answer.headers['access-control-allow-origin']).toBe(PAGE);
    expect(chosen.at(-1)).toEqual([1, 0]);
    const failed = await choose({ desk: 0, row: 0, choice: 2 });
    expect(JSON.parse(failed.body.toString())).toEqual({ message: 'the disk is full', saved: false });
  });

  it('outside what was offered, or of another form, are refused', async () => {
    const before = chosen.length;
    const bad: unknown[] = [{ desk: 1, row: 0, choice: 0 }, { desk: 0, row: 2, choice: 0 }, { desk: 0, row: 0, choice: 3 }, { desk: 0, row: -1, choice: 0 }, { desk: 0, row: 0.5, choice: 0 }, { desk: '0', row: 0, choice: 0 }, { desk: 0, row: 0 }, [], null, 'no json', '']; // prettier-ignore
    for (const body of bad) expect([body, (await choose(body)).status]).toEqual([body, 400]);
    expect((await choose({ desk: 0, row: 0, choice: 0, more: 'x'.repeat(300) })).status).toBe(413);
    expect((await choose({ desk: 0, row: 0, choice: 0 }, { 'Content-Type': 'text/plain' })).status).toBe(415);
    expect((await ask('/choose')).status).toBe(405);
    expect((await ask('/else', { method: 'POST' })).status).toBe(404);
    expect(chosen.length).toBe(before);
  });

  it('a browser asks before it sends one, and is told what may be sent', async () => {
    const { status, headers } = await ask('/choose', { method: 'OPTIONS', headers: { Origin: PAGE, 'Access-Control-Request-Method': 'POST' } }); // prettier-ignore
    expect([status, headers['access-control-allow-origin'], headers['access-control-allow-methods']]).toEqual([204, PAGE, 'POST']); // prettier-ignore
  });
});

describe('who is let in', () => {
  it('nobody without the token', async () => {
    const others = ['', 'x', desk.token.slice(0, -1), `${desk.token}x`, desk.token.toUpperCase()];
    for (const token of others) {
      expect((await ask(`/sound/${token}/0/0`)).status).toBeGreaterThanOrEqual(403);
      expect((await choose({ desk: 0, row: 0, choice: 0 }, { Authorization: `Bearer ${token}` })).status).toBe(403);
    }
    expect(desk.token.length).toBeGreaterThanOrEqual(32);
    const second = await KernelServer.start();
    expect(second.open({ files: [], nChoices: 0, choose: () => '' }).token).not.toBe(desk.token);
    await second.close();
  });

  it('no page that this machine has not served, even with the token', async () => {
    const foreign = ['https://example.org', 'null', 'http://localhost.example.org', 'http://127.0.0.1.example.org:8888', 'http://example.org/http://localhost', 'file://', 'http://localhost:8888.example.org', 'http://192.168.0.2:8888']; // prettier-ignore
    for (const origin of foreign) {
      const answer = await choose({ desk: 0, row: 0, choice: 0 }, { Origin: origin });
      expect([origin, answer.status]).toEqual([origin, 403]);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      expect((await ask(sound(0), { headers: { Origin: origin } })).status).toBe(403);
    }
    for (const origin of ['http://localhost:8888', 'http://127.0.0.1:8889', 'https://localhost', 'http://[::1]:8888'])
      expect((await ask(sound(0), { headers: { Origin: origin } })).status).toBe(200);
  });

  it('no foreign name that was pointed at this machine', async () => {
    for (const host of ['example.org', `example.org:${port}`, '127.0.0.1', `localhost:${port}`])
      expect([host, (await ask(sound(0), { headers: { Host: host } })).status]).toEqual([host, 403]);
  });

  it('and nothing that a stranger sends is answered with 200 or ends the server', async () => {
    const path = fc.string({ maxLength: 60 }).map((text) => `/${text.replace(/[^\x21-\x7e]/g, '')}`);
    const method = fc.constantFrom('GET', 'POST', 'PUT', 'HEAD');
    const property = fc.asyncProperty(path, method, fc.string({ maxLength: 400 }), async (url, verb, body) => {
      const { status } = await ask(url, { method: verb, body: verb === 'POST' || verb === 'PUT' ? body : undefined });
      expect(status).toBeGreaterThanOrEqual(400);
    });
    await fc.assert(property, { numRuns: 150 });
    expect((await ask(sound(0))).status).toBe(200);
  });
});
