import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../services/gateway/test/support/eventually.ts';
import { send } from '../../services/gateway/test/support/http.ts';
import { type BalancedServer, type Fleet, startFleet, WEIGHT_FULL } from './fleet.ts';

const BUCKET = 'master.foo.bar';
const CLIENTS = 8;

describe('a fleet whose gateways come and go', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await startFleet();
  });
  afterAll(() => fleet?.stop());

  const put = (key: string) => send(fleet.url, 'PUT', `/${BUCKET}/${key}`, { body: key });
  const get = (key: string) => send(fleet.url, 'GET', `/${BUCKET}/${key}`);
  const servers = (what: string, gateway: string, holds: (servers: readonly BalancedServer[]) => boolean) =>
    eventually(
      what,
      async () => (await fleet.servers()).filter(({ name }) => name.startsWith(gateway)),
      (found) => found.length === 4 && holds(found),
    );
  const allUp = (found: readonly BalancedServer[]) => found.every(({ isUp }) => isUp);
  const allDown = (found: readonly BalancedServer[]) => found.every(({ isUp }) => !isUp);

  it('serves every request that is sent after one died, and starts it slowly when it is back', async () => {
    await put('before');
    const { server } = await eventually(
      'the line of the first write',
      async () => (await fleet.requests()).find(({ method }) => method === 'PUT') ?? { server: '' },
      (line) => line.server !== '',
    );
    const victim = fleet.gateways.find(({ name }) => server.startsWith(name))!;
    await victim.kill();
    for (let count = 0; count < 12; count++) {
      expect((await put(`after-${count}`)).status).toBe(200);
      expect((await get('before')).text).toBe('before');
    }
    await servers('its workers are out', victim.name, allDown);
    await victim.restart();
    const back = await servers('its workers are in again', victim.name, allUp);
    for (const { weight } of back) expect(weight).toBeLessThan(WEIGHT_FULL);
    expect((await put('again')).status).toBe(200);
  });

  it('loses nothing, and fails no client that tries again, when its gateways are replaced one after the other', async () => {
    const acknowledged: string[] = [];
    let rolling = true;
    const client = new S3Client({
      endpoint: fleet.url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    });
    const work = async (number: number) => {
      for (let count = 0; rolling; count++) {
        const Key = `rolling-${number}-${count}`;
        await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: Key }));
        acknowledged.push(Key);
        const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
        expect(await Body?.transformToString()).toBe(Key);
      }
    };
    const working = Promise.all(Array.from({ length: CLIENTS }, (_, number) => work(number)));
    try {
      for (const gateway of fleet.gateways) {
        await Promise.race([gateway.restart(), working]);
        await servers('it is in again', gateway.name, allUp);
      }
    } finally {
      rolling = false;
    }
    await working;
    const there = new Set<string | undefined>();
    for await (const page of paginateListObjectsV2({ client }, { Bucket: BUCKET, Prefix: 'rolling-' })) {
      for (const { Key } of page.Contents ?? []) there.add(Key);
    }
    client.destroy();
    expect(acknowledged.length).toBeGreaterThan(CLIENTS);
    expect(acknowledged.filter((key) => !there.has(key))).toEqual([]);
  });

  it('says in the words of S3 that nobody is there, and serves again by itself', async () => {
    await Promise.all(fleet.gateways.map((gateway) => gateway.kill()));
    const answer = await get('before');
    expect([answer.status, answer.code, answer.headers['retry-after']]).toEqual([503, 'ServiceUnavailable', '1']);
    await eventually(
      'the balancer is not ready',
      () => fetch(`${fleet.adminUrl}/readyz`),
      ({ status }) => status === 503,
    );
    await Promise.all(fleet.gateways.map((gateway) => gateway.restart()));
    await eventually(
      'reads are answered',
      () => get('before'),
      ({ text }) => text === 'before',
    );
  });
});
