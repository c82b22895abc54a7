import { type IncomingMessage, request as openRequest, type RequestOptions } from 'node:http';
import { request as openSecureRequest } from 'node:https';
import { connect } from 'node:net';
import { type Key, type Query, type Signing, type SignOptions, sign } from './signature.ts';
import { CERTIFICATE } from './tls.ts';

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly text: string;
  /** The Code of an S3 error; empty in an answer that has none. */
  readonly code: string;
}

export interface SendOptions extends Partial<Omit<SignOptions, 'key'>> {
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Who signs; without it nobody does. */
  readonly key?: Key | undefined;
  /** Left out: V4 headers with the body's SHA-256. */
  readonly signing?: Signing;
  /** No Content-Length, although there is a body or the method has one. */
  readonly noContentLength?: boolean;
}

/** How long an answer may take before the test fails. A bound, not an expectation. */
const ANSWER_MAX_MS = 90_000;

/** Sends one request over a connection of its own, with nothing in it that was not asked for. The path is already percent-encoded. */
export async function send(url: string, method: string, path: string, options: SendOptions = {}): Promise<Answer> {
  const { body = '', headers = {}, query = [], key, signing = 'v4', noContentLength = false } = options;
  const { hostname, port, host } = new URL(url);
  const bytes = Buffer.from(body as Uint8Array);
  const lower: Record<string, string> = { host };
  for (const [name, value] of Object.entries(headers)) lower[name.toLowerCase()] = value;
  const chunked = lower['transfer-encoding'] === 'chunked';
  const announced = !chunked && !noContentLength && (bytes.length > 0 || method === 'PUT' || method === 'POST');
  if (announced) lower['content-length'] ??= String(bytes.length);
  const draft = { method, path, query, headers: lower, body: bytes };
  const signed = key === undefined ? draft : await sign(draft, signing, { at: new Date(), ...options, key });
  const search = signed.query.map(([name, value]) =>
    value === null ? encode(name) : `${encode(name)}=${encode(value)}`,
  );
  const target = signed.path + (search.length === 0 ? '' : `?${search.join('&')}`);
  return new Promise((resolve, reject) => {
    const request = openTo(url, { hostname, port, method, path: target, setHost: false }, (response) =>
      readAnswer(response).then(resolve, reject),
    );
    for (const [name, value] of Object.entries(signed.headers)) {
      // Node writes header values as Latin-1: this way the bytes of UTF-8 come out as they are.
      request.setHeader(name, Buffer.from(value, 'utf8').toString('latin1'));
    }
    if (!announced && !chunked) {
      request.removeHeader('content-length');
      request.removeHeader('transfer-encoding');
    }
    request.on('timeout', () => request.destroy(new Error(`no answer to ${method} ${target} in time`)));
    request.on('error', reject);
    if (signed.body.length > 0) request.write(signed.body);
    request.end();
  });
}

/** Gets what a URL names as it is, as a browser would. */
export function follow(url: string): Promise<Answer> {
  const { hostname, port, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = openTo(url, { hostname, port, path: pathname + search }, (response) =>
      readAnswer(response).then(resolve, reject),
    );
    request.on('timeout', () => request.destroy(new Error(`no answer to ${url} in time`)));
    request.on('error', reject);
    request.end();
  });
}

function openTo(url: string, options: RequestOptions, onResponse: (response: IncomingMessage) => void) {
  const all = { ...options, agent: false, timeout: ANSWER_MAX_MS } as const;
  return url.startsWith('https:')
    ? openSecureRequest({ ...all, ca: CERTIFICATE }, onResponse)
    : openRequest(all, onResponse);
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) headers[name] = String(value);
  const text = body.toString('utf8');
  return { status: response.statusCode ?? 0, headers, body, text, code: errorCodeOf(text) };
}

function errorCodeOf(text: string): string {
  return /<Error>[\s\S]*?<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? '';
}

/** Sends bytes as they are over a TCP connection. @returns the one answer, or what came of it until the peer closed. */
export function sendRaw(url: string, bytes: string | Uint8Array): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes));
    let text = '';
    socket.setTimeout(ANSWER_MAX_MS, () => socket.destroy(new Error(`the answer did not end in time: ${text}`)));
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
      if (isWhole(text)) socket.destroy();
    });
    // A server that refuses may close while bytes are still on their way to it, which shows here as a reset.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('close', () => resolve(text));
  });
}

/** Sends bytes over a TCP connection and cuts it as soon as they are on their way, as a client that dies. */
export function sendAndHangUp(url: string, bytes: string | Uint8Array): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      socket.write(bytes, () => socket.resetAndDestroy());
    });
    socket.on('error', reject);
    socket.on('close', () => resolve());
  });
}

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n');
  const lengthBytes = /^content-length: *(\d+)/im.exec(answer.slice(0, Math.max(headEnd, 0)))?.[1];
  return lengthBytes !== undefined && answer.length >= headEnd + 4 + Number(lengthBytes);
}

/** Percent-encoding as S3 defines it: everything but the unreserved characters of RFC 3986. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
