import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { freshBucket } from '../../support/buckets.ts';
import { send } from '../../support/http.ts';
import type { Tusk } from '../../support/tusk.ts';
import { elements } from '../../support/uploads.ts';
import { seeded } from '../history/seeded.ts';
import { bytesOf, soundRequest, spoil } from './requests.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly cases: number;
}

export interface FuzzReport {
  /** How many answers there were of each status; `none` for a connection that was closed without one. */
  readonly answers: ReadonlyMap<string, number>;
  /** What must not be: each with the case that shows it. */
  readonly faults: readonly string[];
  /** The memory of the largest process of the gateway, in MiB. */
  readonly memoryMiB: number;
}

const AT_ONCE = 128;
/** An answer that does not come in this time is not waited for: perhaps the server waits for more of the request. */
const PATIENCE_MS = 1_000;
/** When a client has gone, the server must let go. */
const HANG_MS = 10_000;
/** 501 is for what S3 has and tusk has not; 505 is uWebSockets' own for another version of HTTP. */
const ALLOWED = /^(?:[1-4]\d\d|501|505)$/;

/** Sends spoiled requests, and says what came of them. @throws when the gateway does not answer afterwards */
export async function fuzz(tusk: Tusk, { seed, cases }: FuzzOptions): Promise<FuzzReport> {
  const choices = seeded(seed);
  const bucket = await freshBucket(tusk);
  await send(tusk.url, 'PUT', `/${bucket}/kept`, { body: 'as it was' });
  const { host } = new URL(tusk.url);
  const answers = new Map<string, number>();
  const faults: string[] = [];
  const acknowledged = new Set(['kept']);
  let next = 0;

  async function work(): Promise<void> {
    while (next < cases) {
      const number = next++;
      // The choices of a case do not depend on when others end: whole cases are drawn one after the other.
      const sound = await soundRequest(seeded(choices.below(2 ** 32)), host, bucket, `n-${number}`);
      const bytes = spoil(bytesOf(sound), seeded(seed + number));
      const shown = `seed ${seed}, case ${number}: ${JSON.stringify(bytes.slice(0, 600))}`;
      const answer = await exchange(tusk.url, bytes).catch((error: unknown) => {
        faults.push(`${error} (${shown})`);
        return '';
      });
      const statuses = [...answer.matchAll(/(?:^|\r\n|>)HTTP\/1\.1 (\d{3}) /g)].map(([, status = '']) => status);
      for (const status of statuses.length === 0 ? ['none'] : statuses) {
        answers.set(status, (answers.get(status) ?? 0) + 1);
        if (status !== 'none' && !ALLOWED.test(status)) faults.push(`${answer.slice(0, 300)} (${shown})`);
      }
      // Nobody waited for the answer to one that was whole, so it may have been stored.
      const forsaken = statuses.length === 0 && isWhole(bytes);
      if (forsaken || statuses.some((status) => status.startsWith('2')))
        for (const key of keysIn(bytes, bucket)) acknowledged.add(key);
    }
  }

  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const key of await keysOf(tusk.url, bucket)) {
    if (!acknowledged.has(key))
      faults.push(`${JSON.stringify(key)} is stored, and was not acknowledged (seed ${seed})`);
  }
  return { answers, faults, memoryMiB: memoryOf(tusk) };
}

/** Everything that comes back until the connection is closed, which is asked for when nothing more comes. */
function exchange(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(Buffer.from(bytes, 'latin1')));
    const hung = setTimeout(() => {
      socket.destroy();
      reject(new Error(`not let go within ${HANG_MS} ms`));
    }, HANG_MS);
    socket.setTimeout(PATIENCE_MS, () => socket.end());
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
      // A whole answer is followed by nothing: the client goes.
      if (/\r\n\r\n/.test(text)) socket.end();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(hung);
      resolve(text);
    });
  });
}

/**
 * Whether there may be nothing for the server to wait for: uWebSockets takes a chunk's size that is missing, also where the bytes of a
 * chunk are more than it says, for the last chunk.
 */
function isWhole(bytes: string): boolean {
  const end = bytes.indexOf('\r\n\r\n');
  const head = bytes.slice(0, Math.max(end, 0));
  const lengthBytes = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (lengthBytes !== undefined) return bytes.length - end - 4 >= Number(lengthBytes);
  return end !== -1;
}

/** Every key that a request, however spoiled, may be said to name. */
function keysIn(bytes: string, bucket: string): readonly string[] {
  const inPaths = [...bytes.matchAll(/^[A-Z]+ \/([^/ ?]*)\/([^ ?\r\n]*)/gm)]
    .filter(([, named = '']) => named === bucket)
    .map(([, , key = '']) => key);
  const inForms = [...bytes.matchAll(/name="?key"?[\s\S]*?\r\n\r\n([\s\S]*?)\r\n--/gi)].map(([, key = '']) => key);
  return [...inPaths.map(decoded), ...inForms.map(utf8)].map((key) => key.replace(/\/$/, ''));
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(utf8(path));
  } catch {
    return path;
  }
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

async function keysOf(url: string, bucket: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for (let after = ''; ; after = keys.at(-1) ?? '') {
    const query = [
      ['list-type', '2'],
      ['start-after', after],
    ] as const;
    const { status, text } = await send(url, 'GET', `/${bucket}`, { query });
    if (status !== 200) throw new Error(`the list after all of it: ${status} ${text}`);
    keys.push(
      ...elements(text, 'Key').map((key) =>
        key.replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&apos;', "'"),
      ),
    );
    if (!text.includes('<IsTruncated>true')) return keys;
  }
}

function memoryOf({ program }: Tusk): number {
  const sizes = program
    .alive()
    .filter(({ command }) => command.includes('gateway'))
    .map(({ pid }) => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]));
  return Math.round(Math.max(...sizes) / 1024);
}
