// A large object up in parts and down again, with the memory of the gateway's processes watched: also when the client
// reads slowly, alone and many at once.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request as openRequest } from 'node:http';
import { freshBucket } from '../../services/gateway/test/support/buckets.ts';
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { encode } from '../../services/gateway/test/support/http.ts';
import { startTusk, type Tusk } from '../../services/gateway/test/support/tusk.ts';
import { uploadParts } from './multipart.ts';

const KEY = 'large.bin';
const PART_BYTES = 16 << 20;
const PARTS_AT_ONCE = 4;
/** Each of so many reads so many bytes, and goes away. */
const SLOW = [
  { readers: 8, bytesEach: 32 << 20, bytesPerSecond: 4 << 20 },
  { readers: 100, bytesEach: 4 << 20, bytesPerSecond: 256 << 10 },
];
const SAMPLE_MS = 100;

export interface Phase {
  readonly name: string;
  readonly bytes: number;
  readonly seconds: number;
  /** The largest resident memory of a worker in this phase, by the kernel's own account. */
  readonly workerPeakBytes: number;
}

/** Measures the phases in turn, on one gateway. @throws when what comes down is not what went up. */
export async function measureLargeObject(objectBytes: number): Promise<readonly Phase[]> {
  const tusk = await startTusk();
  try {
    const phases: Phase[] = [];
    const watch = async (name: string, bytes: number, work: () => Promise<unknown>): Promise<void> => {
      const peak = watchMemory(tusk);
      const startedMs = performance.now();
      await work().catch((cause: unknown) => {
        throw new Error(`${name}: ${String(cause)}\n${tusk.program.output()}`, { cause });
      });
      phases.push({ name, bytes, seconds: (performance.now() - startedMs) / 1000, workerPeakBytes: peak() });
    };
    const bucket = await freshBucket(tusk);
    const path = `/${bucket}/${KEY}`;
    const parts = Math.ceil(objectBytes / PART_BYTES);
    const totalBytes = parts * PART_BYTES;
    let sent = '';
    await watch(`up, ${PARTS_AT_ONCE} parts at once`, totalBytes, async () => {
      sent = await upload(tusk.url, bucket, parts);
    });
    await watch('down', totalBytes, async () => {
      const received = await download(tusk.url, path);
      if (received !== sent) throw new Error('what came down is not what went up');
    });
    for (const { readers, bytesEach, bytesPerSecond } of SLOW) {
      await watch(`down, ${readers} slow readers`, readers * bytesEach, () =>
        Promise.all(Array.from({ length: readers }, () => readSlowly(tusk.url, path, bytesEach, bytesPerSecond))),
      );
    }
    return phases;
  } finally {
    await tusk.stop();
  }
}

/** @returns the SHA-256 of all that was sent. */
async function upload(url: string, bucket: string, parts: number): Promise<string> {
  const base = sampleBytes(PART_BYTES);
  const bodyOf = (number: number): Buffer => {
    const body = Buffer.from(base);
    body.writeUInt32BE(number);
    return body;
  };
  await uploadParts(url, bucket, KEY, parts, PARTS_AT_ONCE, bodyOf);
  const hash = createHash('sha256');
  for (let number = 1; number <= parts; number++) hash.update(bodyOf(number));
  return hash.digest('hex');
}

async function download(url: string, path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of await open(url, path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function readSlowly(url: string, path: string, mostBytes: number, bytesPerSecond: number): Promise<void> {
  const response = await open(url, path);
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes >= mostBytes) break;
    await new Promise((resolve) => setTimeout(resolve, ((chunk as Buffer).length / bytesPerSecond) * 1000));
  }
  response.destroy();
}

function open(url: string, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = openRequest(url + path.split('/').map(encode).join('/'), { agent: false }, (response) => {
      if (response.statusCode === 200) resolve(response);
      else reject(new Error(`GET ${path}: ${response.statusCode}`));
    });
    request.on('error', reject);
    request.end();
  });
}

/** Begins to watch the workers. @returns a function that ends it, and gives the largest peak of one of them. */
export function watchMemory(tusk: Tusk): () => number {
  const workers = tusk.program.alive().filter(({ command }) => command.includes('worker-process'));
  if (workers.length === 0) throw new Error('no worker process is to be found');
  // Writing 5 makes the kernel count the peak (VmHWM) anew.
  for (const { pid } of workers) writeFileSync(`/proc/${pid}/clear_refs`, '5');
  let peakBytes = 0;
  const sample = (): void => {
    for (const { pid } of workers) peakBytes = Math.max(peakBytes, peakOf(pid));
  };
  const timer = setInterval(sample, SAMPLE_MS);
  return () => {
    sample();
    clearInterval(timer);
    // A worker that died and came back would have a small peak.
    if (Number.isNaN(peakBytes)) throw new Error(`a worker ended:\n${tusk.program.output()}`);
    return peakBytes;
  };
}

/** In bytes; NaN when the process is gone. */
function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
  } catch {
    return Number.NaN;
  }
}
