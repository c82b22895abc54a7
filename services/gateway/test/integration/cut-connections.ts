import { connect } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { send } from '../support/http.ts';
import { waitForRequests } from '../support/status.ts';
import { startTusk } from '../support/tusk.ts';
import { type Choices, seeded } from './history/seeded.ts';

const BUCKET = 'master.cuts.default';
const CLIENTS = 24;
const LIFE_MAX_MS = 60;

/** What clients were in the middle of when they went. */
const REQUESTS: readonly ((choose: Choices) => string)[] = [
  (choose) => head(`GET /${BUCKET}/small${choose.below(20)}`),
  () => head(`GET /${BUCKET}/large`),
  () => head(`GET /${BUCKET}?list-type=2`),
  (choose) => head(`HEAD /${BUCKET}/absent${choose.below(1_000)}`),
  (choose) => head(`DELETE /${BUCKET}/victim${choose.below(9)}`),
  (choose) =>
    head(`PUT /${BUCKET}/copy${choose.below(9)}`, 'Content-Length: 0', `x-amz-copy-source: /${BUCKET}/small1`),
  (choose) =>
    `${head(`PUT /${BUCKET}/half${choose.below(9)}`, 'Content-Length: 5000')}${'a'.repeat(choose.below(5_000))}`,
  (choose) =>
    `${head(`PUT /${BUCKET}/half${choose.below(9)}`, 'Content-Length: 3000000')}${'a'.repeat(choose.below(2_000_000))}`,
  (choose) => `${head(`PUT /${BUCKET}/half${choose.below(9)}`, 'Transfer-Encoding: chunked')}5\r\nab`,
  () => `${head(`POST /${BUCKET}?delete`, 'Content-Length: 100')}<Delete>`,
  () => head(`POST /${BUCKET}/upload?uploads`, 'Content-Length: 0'),
];

/** Lets many clients cut their connections at any moment, and finds the gateway as it was. @param connections how many in all */
export async function cutConnections(connections: number): Promise<void> {
  const tusk = await startTusk({ env: { TUSK_ACCESS_LOG: 'off' } });
  onTestFinished(() => tusk.stop().then(() => undefined));
  expect((await send(tusk.url, 'PUT', `/${BUCKET}`)).status).toBe(200);
  for (let i = 0; i < 20; i++) await send(tusk.url, 'PUT', `/${BUCKET}/small${i}`, { body: 'x'.repeat(i * 1_000) });
  const large = Buffer.alloc(6 << 20, 1);
  await send(tusk.url, 'PUT', `/${BUCKET}/large`, { body: large });
  const processes = tusk.program.alive();

  const choose = seeded(7);
  let left = connections;
  const client = async () => {
    while (left-- > 0) await cutOne(tusk.url, choose);
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));

  await waitForRequests(tusk, 0);
  expect(tusk.program.alive()).toEqual(processes);
  const keys = (await send(tusk.url, 'GET', `/${BUCKET}`, { query: [['prefix', 'half']] })).text;
  expect(keys).not.toContain('<Key>');
  expect((await send(tusk.url, 'GET', `/${BUCKET}/large`)).body.equals(large)).toBe(true);
  expect((await send(tusk.url, 'PUT', `/${BUCKET}/last`, { body: 'x' })).status).toBe(200);
  // They are gone, which is nobody's fault; what they left half done may be too much at once.
  const warnings = tusk.program.output().match(/^.*"level":[456]0.*$/gm) ?? [];
  expect(warnings.filter((line) => !line.includes('"code":"SlowDown"'))).toEqual([]);
}

function cutOne(url: string, choose: Choices): Promise<void> {
  const { hostname, port } = new URL(url);
  const request = choose.pick(REQUESTS)(choose);
  return new Promise((done) => {
    const socket = connect(Number(port), hostname, () => socket.write(request));
    // The gateway may be the first to end it.
    socket.on('error', () => {});
    socket.on('close', () => done());
    socket.resume();
    const byReset = choose.below(2) === 0;
    setTimeout(() => (byReset ? socket.resetAndDestroy() : socket.destroy()), choose.below(LIFE_MAX_MS));
  });
}

function head(line: string, ...fields: readonly string[]): string {
  return [`${line} HTTP/1.1`, 'Host: s3', ...fields, '', ''].join('\r\n');
}
