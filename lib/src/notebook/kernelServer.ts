/**
 * A small HTTP server inside the kernel, so that a page in the browser can hear files and send corrections back.
 * What may reach it: only this machine (it listens on 127.0.0.1), only by its own name (so that no foreign name can be
 * pointed at it), only with a random token that stands in the kernel's own output, and, of pages, only those that this
 * machine serves. What a request can say is three small numbers: which desk, which row, which choice. Paths and texts
 * never come from outside.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sendFile } from './sendFile.js';

/** Most bytes of a request's body. */
const MAX_BODY = 256;
const MAX_CONNECTIONS = 64;
/** Milliseconds that a request may take to arrive. */
const REQUEST_TIMEOUT = 10_000;

/** What one output of a notebook offers to its reader. */
export interface Desk {
  /** Absolute paths of sound files; a row is an index into them. */
  readonly files: readonly string[];
  /** How many choices a row has; 0 where nothing is to be chosen. */
  readonly nChoices: number;
  /** Takes a choice; returns or throws one sentence for the reader. */
  readonly choose: (row: number, choice: number) => string;
}

/** A desk as a page knows it. */
export interface DeskAddress {
  readonly base: string;
  readonly token: string;
  readonly desk: number;
}

export class KernelServer {
  private readonly desks: Desk[] = [];
  private readonly token = randomBytes(24).toString('base64url');

  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {}

  /** Starts at a free port. It does not keep the process alive. */
  static async start(): Promise<KernelServer> {
    const server = createServer({
      requestTimeout: REQUEST_TIMEOUT,
      headersTimeout: REQUEST_TIMEOUT,
      maxHeaderSize: 8192,
    });
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    server.unref();
    const kernelServer = new KernelServer(server, (server.address() as AddressInfo).port);
    server.on('request', (request, response) => {
      kernelServer
        .answer(request, response)
        .catch(() => (response.headersSent ? response.destroy() : refuse(response, 500)));
    });
    server.on('connection', (socket) => socket.unref());
    return kernelServer;
  }

  /** Adds a desk; it stays until the kernel ends. */
  open(desk: Desk): DeskAddress {
    this.desks.push(desk);
    return { base: `http://127.0.0.1:${this.port}`, token: this.token, desk: this.desks.length - 1 };
  }

  /** Where a page finds the sound of a desk's row. */
  soundAddress({ base, token, desk }: DeskAddress, row: number): string {
    return `${base}/sound/${token}/${desk}/${row}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origin, host } = request.headers;
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Referrer-Policy', 'no-referrer');
    response.setHeader('Vary', 'Origin');
    if (host !== `127.0.0.1:${this.port}`) return refuse(response, 403);
    if (origin !== undefined && !isOfThisMachine(origin)) return refuse(response, 403);
    if (origin !== undefined) response.setHeader('Access-Control-Allow-Origin', origin);
    const [, kind, ...rest] = (request.url ?? '').split('/');
    if (kind === 'sound' && rest.length === 3) return this.sendSound(request, response, rest);
    if (kind === 'choose' && rest.length === 0) return this.takeChoice(request, response);
    return refuse(response, 404);
  }

  private async sendSound(
    request: IncomingMessage,
    response: ServerResponse,
    [token, desk, row]: string[],
  ): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405);
    if (!this.isToken(token)) return refuse(response, 403);
    const path = this.desks[index(desk)]?.files[index(row)];
    if (path === undefined) return refuse(response, 404);
    // Pages with a strict embedder policy may not play what does not say that it may be played.
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    await sendFile(path, request, response);
  }

  private async takeChoice(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Methods', 'POST');
      response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type');
      response.writeHead(204).end();
      return;
    }
    if (request.method !== 'POST') return refuse(response, 405);
    // With a token in this header and a body of this type no form can send the request: a browser asks first (above).
    if (!this.isToken(request.headers.authorization?.replace(/^Bearer /, '') ?? '')) return refuse(response, 403);
    if (request.headers['content-type'] !== 'application/json') return refuse(response, 415);
    const body = await readBody(request);
    if (body === null) return refuse(response, 413);
    const fields = parseChoice(body);
    const desk = fields && this.desks[fields.desk];
    if (!fields || !desk || fields.row >= desk.files.length || fields.choice >= desk.nChoices)
      return refuse(response, 400);
    const outcome = attempt(() => desk.choose(fields.row, fields.choice));
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(outcome));
  }

  private isToken(text: string): boolean {
    const [given, own] = [Buffer.from(text), Buffer.from(this.token)];
    return given.length === own.length && timingSafeEqual(given, own);
  }
}

function attempt(choose: () => string): { message: string; saved: boolean } {
  try {
    return { message: choose(), saved: true };
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error), saved: false };
  }
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Type': 'text/plain', Connection: 'close' }).end();
}

/** Pages that a server of this machine has served; not files (`null`), which any program may have put there. */
function isOfThisMachine(origin: string): boolean {
  return /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/.test(origin);
}

/** A whole number from 0 in plain digits; -1 for everything else. */
const index = (text: string): number => (/^\d{1,6}$/.test(text) ? Number(text) : -1);

async function readBody(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BODY) return null;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseChoice(body: string): { desk: number; row: number; choice: number } | null {
  let fields: unknown;
  try {
    fields = JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof fields !== 'object' || fields === null) return null;
  const { desk, row, choice } = fields as Record<string, unknown>;
  const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  return isIndex(desk) && isIndex(row) && isIndex(choice) ? { desk, row, choice } : null;
}

let running: Promise<KernelServer> | null = null;

/** This kernel's server, started when it is first asked for. */
export function kernelServer(): Promise<KernelServer> {
  running ??= KernelServer.start();
  running.catch(() => (running = null));
  return running;
}
