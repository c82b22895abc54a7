import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket, repoOf } from '../support/buckets.ts';
import { send } from '../support/http.ts';
import { startTusk, type Tusk } from '../support/tusk.ts';

const KEYS = 1_000_000;
const KEYS_A_COMMIT = 50_000;
const MEMORY_MAX_BYTES = 450 << 20;
const TIME_MAX_MS = 1_200_000;

const nameOf = (number: number) => `many/${String(number).padStart(7, '0')}`;

describe('a million keys under one prefix', () => {
  let tusk: Tusk;
  let bucket: string;

  beforeAll(async () => {
    tusk = await startTusk({ env: { TUSK_ACCESS_LOG: 'off' } });
    bucket = await freshBucket(tusk);
    for (let first = 0; first < KEYS; first += KEYS_A_COMMIT) {
      const names = Array.from({ length: KEYS_A_COMMIT }, (_, at) => nameOf(first + at));
      await tusk.pachd.putFiles(repoOf(bucket), Object.fromEntries(names.map((name) => [name, 'x'])));
    }
  }, TIME_MAX_MS);

  afterAll(async () => {
    await tusk?.stop();
  });

  it('are listed whole and in order, page by page, and by their folder, in little memory', {
    timeout: TIME_MAX_MS,
  }, async () => {
    let next = 0;
    for (let token: string | undefined = ''; token !== undefined; ) {
      const page = [['list-type', '2'], ['prefix', 'many/'], ...(token === '' ? [] : [['continuation-token', token]])];
      const { status, text } = await send(tusk.url, 'GET', `/${bucket}`, { query: page as [string, string][] });
      expect(status, text).toBe(200);
      for (const [, key] of text.matchAll(/<Key>([^<]*)<\/Key>/g)) {
        if (key !== nameOf(next)) throw new Error(`${key} is listed after ${next} keys`);
        next += 1;
      }
      token = /<NextContinuationToken>([^<]*)</.exec(text)?.[1];
    }
    expect(next).toBe(KEYS);
    const folders = await send(tusk.url, 'GET', `/${bucket}`, { query: [['delimiter', '/']] });
    expect(folders.text).toContain('<CommonPrefixes><Prefix>many/</Prefix></CommonPrefixes>');
    const workers = tusk.program.alive().filter(({ command }) => command.includes('worker-process'));
    expect(workers).toHaveLength(1);
    for (const { pid } of workers) {
      const peakBytes = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
      console.log(`the worker had ${Math.round(peakBytes / 2 ** 20)} MiB at most`);
      expect(peakBytes).toBeLessThan(MEMORY_MAX_BYTES);
    }
  });
});
