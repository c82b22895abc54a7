import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GetFileRequest, SubscribeCommitRequest } from '../../../proto/gen/pfs/pfs.ts';
import { createResetFilter, hasResetOptions } from '../src/resets.ts';
import {
  add,
  type Client,
  connect,
  type Devpachd,
  eventually,
  head,
  repo,
  spawnDevpachd,
  tempFolder,
} from './harness.ts';

const CANCELS = 5000;
const CONTENT = Buffer.alloc(100_000, 'x');

const frame = (type: number, streamId: number, payload: Buffer) => {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
};
const reset = (streamId: number, code: number) => frame(3, streamId, Buffer.from([0, 0, 0, code]));

describe('resets that are too many', () => {
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const other = [frame(4, 0, Buffer.alloc(0)), frame(1, 1, Buffer.alloc(40, 3)), frame(0, 1, Buffer.alloc(500, 3))];
  const sent = Buffer.concat([preface, ...other, reset(1, 8), frame(8, 0, Buffer.alloc(4)), reset(3, 2), reset(5, 8)]);

  it.each([1, 2, 3, 7, 13, 100, sent.length])('are taken out of what comes in chunks of %s bytes', (size) => {
    let seen = 0;
    const taken: [number, number][] = [];
    const filter = createResetFilter(
      () => ++seen !== 2,
      (id, code) => taken.push([id, code]),
    );
    const passed: Buffer[] = [];
    for (let at = 0; at < sent.length; at += size) passed.push(...filter(sent.subarray(at, at + size)));
    expect(taken).toEqual([
      [1, 8],
      [5, 8],
    ]);
    const left = [preface, ...other, frame(8, 0, Buffer.alloc(4)), reset(3, 2)];
    expect(Buffer.concat(passed).equals(Buffer.concat(left))).toBe(true);
  });

  it('are known to a Node that can be told of them', () => {
    expect(['20.19.0', '22.10.0', '22.11.0', '24.0.0'].map(hasResetOptions)).toEqual([false, false, true, true]);
  });
});

describe('a burst of cancelled calls', () => {
  const folder = tempFolder();
  let server: Devpachd;
  let client: Client;
  beforeAll(async () => {
    server = await spawnDevpachd(folder.path);
    client = connect(server.address);
    await client.createRepo('r');
    await client.modify(head('r'), [add('/a', CONTENT)]);
    await client.finished(head('r'));
  });
  afterAll(async () => {
    client.close();
    await server.end();
    folder.remove();
  });

  it('does not end the connection, on which other calls run', async () => {
    const commits: unknown[] = [];
    const watching = client.api.subscribeCommit(SubscribeCommitRequest.fromPartial({ repo: repo('r') }));
    watching.on('data', (commit) => commits.push(commit));
    const broken = new Promise((resolve) => watching.on('error', resolve));
    const request = GetFileRequest.fromPartial({ file: { commit: head('r'), path: '/a' } });
    const cancelled = await Promise.all(
      Array.from({ length: CANCELS }, async (_, index) => {
        const stream = client.api.getFile(request);
        const ended = new Promise<unknown>((resolve) => {
          stream.on('error', resolve);
          stream.on('end', () => resolve(undefined));
        });
        stream.resume();
        // Some before they got to the server, some under way.
        if (index % 3 === 0) stream.cancel();
        else setImmediate(() => stream.cancel());
        return ended;
      }),
    );
    const other = cancelled.filter((error) => error && (error as { code: number }).code !== status.CANCELLED);
    expect(other).toEqual([]);
    expect(await client.get(head('r'), '/a')).toEqual(CONTENT);
    const before = commits.length;
    await client.modify(head('r'), [add('/b', 'b')]);
    await eventually(async () => commits.length > before);
    watching.cancel();
    expect(await broken).toMatchObject({ code: status.CANCELLED });
  });

  it('leaves no call behind', async () => {
    // A call that nobody cancelled would keep the server from closing in time.
    const other = connect(server.address);
    const request = GetFileRequest.fromPartial({ file: { commit: head('r'), path: '/a' } });
    for (let i = 0; i < 2 * CANCELS; i += 500) {
      await Promise.all(
        Array.from({ length: 500 }, () => {
          const stream = other.api.getFile(request);
          const ended = new Promise((resolve) => stream.on('error', resolve).on('end', resolve));
          stream.resume();
          setImmediate(() => stream.cancel());
          return ended;
        }),
      );
    }
    expect(await other.get(head('r'), '/a')).toEqual(CONTENT);
    other.close();
  });
});
