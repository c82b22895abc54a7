import { describe, expect, it } from 'vitest';
import { openAccount } from '../../../src/telemetry/account.ts';
import type { Outcome } from '../../../src/telemetry/outcome.ts';
import { startRequest } from '../../../src/telemetry/trace.ts';

const BEGUN = { requestId: 'A1', sentId: undefined, method: 'GET', rawPath: '/b.r/k', bytesIn: 5 };

function open() {
  const outcomes: Outcome[] = [];
  const account = openAccount(BEGUN, startRequest({ rawQuery: '', headers: { get: () => undefined } }, 'http'), [
    (outcome) => outcomes.push(outcome),
  ]);
  return { account, outcomes };
}

async function* chunks(...sizes: readonly (number | Error)[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) {
    if (typeof size !== 'number') throw size;
    yield new Uint8Array(size);
  }
}

const streamed = (...sizes: readonly (number | Error)[]) => ({
  status: 200,
  body: { kind: 'stream', lengthBytes: undefined, chunks: chunks(...sizes) } as const,
});

async function drain(source: AsyncIterable<Uint8Array>, most = Number.POSITIVE_INFINITY): Promise<void> {
  let taken = 0;
  for await (const _ of source) {
    taken += 1;
    if (taken === most) return;
  }
}

describe('what became of a request', () => {
  it('is told when its answer is at hand, or when the last of it has gone', async () => {
    const small = open();
    small.account.operation = 'GetObject';
    small.account.settle({ status: 200, body: { kind: 'bytes', bytes: new Uint8Array(7) } }, () => false);
    expect(small.outcomes).toMatchObject([
      { ...BEGUN, operation: 'GetObject', status: 200, bytesOut: 7, code: undefined },
    ]);

    const large = open();
    const { body } = large.account.settle(streamed(10, 20), () => false);
    expect(large.outcomes).toEqual([]);
    await drain(body.chunks);
    expect(large.outcomes).toMatchObject([{ bytesOut: 30, code: undefined }]);
  });

  it('is told once, and why, when it breaks off', async () => {
    const broken = open();
    const { body } = broken.account.settle(streamed(10, new Error('pachd is gone')), () => false);
    await expect(drain(body.chunks)).rejects.toThrow('pachd is gone');
    expect(broken.outcomes).toMatchObject([{ bytesOut: 10, code: 'CutShort', cause: { message: 'pachd is gone' } }]);
  });

  it('is told when the client goes, in the middle or before it began', async () => {
    const left = open();
    await drain(left.account.settle(streamed(10, 20), () => true).body.chunks, 1);
    expect(left.outcomes).toMatchObject([{ bytesOut: 10, code: 'ClientDisconnected' }]);

    const never = open();
    const iterator = never.account.settle(streamed(10), () => true).body.chunks[Symbol.asyncIterator]();
    await iterator.return?.(undefined);
    await iterator.return?.(undefined);
    expect(never.outcomes).toMatchObject([{ bytesOut: 0, code: 'ClientDisconnected' }]);
  });
});
