import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpAnswer } from './http.ts';

/** Clients and what stands between give a connection up after a minute without a byte. */
const QUIET_MAX_MS = 10_000;

const DECLARATION = Buffer.from('<?xml version="1.0" encoding="UTF-8"?>\n');
const BLANK = Buffer.from(' ');

/**
 * The answer of an operation that may last: one that is not there in time begins with its status 200 and white space, and is then
 * whatever it came to be, also an error. Source: S3 API reference, CompleteMultipartUpload.
 * @param answer of XML, or an error that `told` makes an answer of
 * @throws what `answer` throws in time
 */
export async function keepAlive(
  answer: Promise<HttpAnswer>,
  told: (thrown: unknown) => HttpAnswer,
  quietMaxMs = QUIET_MAX_MS,
): Promise<HttpAnswer> {
  const first = await inTime(answer, quietMaxMs);
  if (first !== undefined) return first;
  const settled = answer.catch(told);

  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield DECLARATION;
    for (;;) {
      const late = await inTime(settled, quietMaxMs);
      if (late === undefined) {
        yield BLANK;
        continue;
      }
      if (late.body.kind === 'bytes') yield late.body.bytes.subarray(DECLARATION.length);
      return;
    }
  }

  return {
    status: 200,
    headers: [['Content-Type', 'application/xml']],
    body: { kind: 'stream', lengthBytes: undefined, chunks: chunks() },
  };
}

/** undefined: not within that time. */
async function inTime<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const timer = new AbortController();
  try {
    return await Promise.race([promise, sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined)]);
  } finally {
    timer.abort();
  }
}
