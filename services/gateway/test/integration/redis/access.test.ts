// TLS, and users who may do no more than tusk needs.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisBranchCache } from '../../../src/cache/branches-redis.ts';
import { createFacts } from '../../../src/cache/facts.ts';
import { openRedis, type Redis } from '../../../src/cache/redis.ts';
import { parseRedisUrl } from '../../../src/cache/redis-url.ts';
import type { CachedState } from '../../../src/cache/shared.ts';
import { createRedisUploads } from '../../../src/cache/uploads-redis.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { runCommand } from '../../support/clients.ts';
import { eventually } from '../../support/eventually.ts';
import { ROOT } from '../../support/program.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { connected, countLasting, countOfEra, countReplicated, outcomeOf, untilUp } from './scripts.ts';

/** What the document says that a user needs, after ACL SETUSER and the user's name. */
const NEEDED = (/^ACL SETUSER tusk (.*)$/m.exec(readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8'))?.[1] ?? '')
  .replace('PASSWORD', 'hunter2')
  .split(' ');

describe('TLS and ACL', () => {
  let folder: string;
  let server: RedisServer;
  const opened: Redis[] = [];
  const url = (user: string, ca = 'ca.crt') =>
    `rediss://${user}:hunter2@localhost:${server.port}?ca=${encodeURIComponent(join(folder, ca))}`;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tusk-tls-'));
    const openssl = async (...args: readonly string[]): Promise<void> => {
      const { code, stderr } = await runCommand('openssl', args, { cwd: folder });
      if (code !== 0) throw new Error(stderr);
    };
    const fresh = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    for (const ca of ['ca', 'other']) {
      await openssl(...fresh, '-keyout', `${ca}.key`, '-out', `${ca}.crt`, '-subj', `/CN=${ca}`);
    }
    const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-addext', 'subjectAltName=DNS:localhost'];
    await openssl(...fresh, ...signed, '-keyout', 'server.key', '-out', 'server.crt', '-subj', '/CN=localhost');
    server = await startRedis({
      tls: {
        caFile: join(folder, 'ca.crt'),
        certFile: join(folder, 'server.crt'),
        keyFile: join(folder, 'server.key'),
      },
    });
    await server.cli('acl', 'setuser', 'enough', ...NEEDED);
    await server.cli('acl', 'setuser', 'little', 'on', '>hunter2', '~tusk:*', '+info');
  });

  afterAll(async () => {
    for (const redis of opened) await redis.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('a user with what the document asks for may run every script, and little else', async () => {
    const redis = await connected(url('enough'));
    opened.push(redis);
    const bucket = 'master.repo.default';
    const uploads = createRedisUploads(redis, 'secret');
    await uploads.create({ id: 'u', bucket, key: 'k', initiatedMs: 0, expiresMs: 60_000 });
    const part = { number: 1, etag: 'e', sizeBytes: 1, modifiedMs: 1, fileSetId: 'set' };
    for (const _ of ['first', 'again']) await uploads.putPart(bucket, 'u', part);
    expect(await uploads.list(bucket)).toHaveLength(1);
    expect(await uploads.parts(bucket, 'u', 0, 10)).toEqual([part]);
    expect(await uploads.get(bucket, 'u')).toMatchObject({ key: 'k' });
    const outcome = await uploads.claim(bucket, 'u', 60_000);
    const claim = outcome.kind === 'claimed' ? outcome.claim : '';
    await uploads.renew(bucket, 'u', claim, 60_000);
    const completed = { request: 'r', commitId: 'c', committedMs: 1, hash: 'ff' };
    expect(await uploads.complete(bucket, 'u', claim, completed, 60_000)).toEqual(['set']);
    const kind = { name: 'text', changes: 'ends', encode: Buffer.from, decode: String } as const;
    const facts = createFacts<string>(redis, 'secret', kind, createLog('test', 'silent'));
    await facts.find('key', async () => ({ value: 'value', forMs: 60_000 }));
    expect((await facts.get('key'))?.value).toBe('value');
    const text = { encode: (delta: string) => Buffer.from(delta), decode: String } as const;
    const cache = createRedisBranchCache<CachedState, string>(redis, text, 60_000);
    const read = await cache.read('b');
    expect(await cache.store('b', read.nonce, read.nowMs, { headId: 'head', pending: [] })).toBe(true);
    const turn = await cache.takeTurn('b');
    expect(await turn?.pin('head')).toBe(true);
    expect(await turn?.mark('open', 'writer')).toBeUndefined();
    await turn?.publish('head', 'next', 'delta');
    expect(await cache.pending('b')).toEqual(['next']);
    expect((await cache.read('b')).deltas).toEqual(new Map([['next', 'delta']]));
    await (await cache.takeTurn('b'))?.end('untouched');
    await (await cache.takeTurn('b'))?.end('written');
    await cache.invalidate('b');
    expect((await cache.read('b')).state).toBeUndefined();
    for (const command of ['flushall', 'keys *', 'get other', 'config get *', 'publish c m', 'acl list']) {
      const asUser = ['--user', 'enough', '--pass', 'hunter2', '--no-auth-warning'];
      await expect(server.cli(...asUser, ...command.split(' '))).rejects.toThrow(/NOPERM/);
    }
    for (const script of [countLasting, countOfEra, countReplicated]) {
      expect(await redis.run(script, script.name + script.answered + script.keys, ['n'], ['x'])).toBe(1);
    }
  });

  it('what a user may not do is lost and said in the log, and the connection stays', async () => {
    const { log, text } = recorded();
    const redis = openRedis(parseRedisUrl(url('little')), { log });
    opened.push(redis);
    await redis.tried;
    expect(await outcomeOf(redis.run(countLasting, 'a', ['n'], ['x']))).toBe('lost');
    expect(await outcomeOf(redis.run(countLasting, 'a', ['n'], ['x']))).toBe('lost');
    expect(redis.stats()).toMatchObject({ state: 'up', reconnects: 0 });
    expect(text().match(/NOPERM/g)).toHaveLength(1);
  });

  it.each([
    ['a wrong password', () => url('enough').replace('hunter2', 'hunter3'), /WRONGPASS/],
    ['a server that another authority speaks for', () => url('enough', 'other.crt'), /certificate|signature/],
    ['no file of authorities', () => url('enough', 'none.crt'), /ENOENT/],
  ])('%s is said in the log, and neither password nor key is', async (_, make, reason) => {
    const { log, text } = recorded();
    const redis = openRedis(parseRedisUrl(make()), { log });
    opened.push(redis);
    await redis.tried;
    await eventually('said', text, (said) => said !== '');
    expect(text()).toMatch(reason);
    expect(text()).not.toMatch(/hunter/);
    expect(await outcomeOf(redis.run(countLasting, 'a', ['n'], ['x']))).toBe('lost');
  });

  it('is connected again when the certificate and its authority have been replaced', async () => {
    const redis = openRedis(parseRedisUrl(url('enough', 'late.crt')), { log: createLog('test', 'silent') });
    opened.push(redis);
    await redis.tried;
    expect(redis.stats().state).toBe('down');
    await runCommand('cp', ['ca.crt', 'late.crt'], { cwd: folder });
    await untilUp(redis);
    expect(await redis.run(countLasting, 'late', ['n'], ['x'])).toBe(1);
  });
});

/** A log that can be read, with all that an error has. */
function recorded() {
  const lines: string[] = [];
  const line = (...parts: readonly unknown[]): void => {
    lines.push(parts.map((part) => JSON.stringify(part, withErrors)).join(' '));
  };
  return { log: { ...createLog('test', 'silent'), info: line, warn: line }, text: () => lines.join('\n') };
}

function withErrors(_: string, value: unknown): unknown {
  return value instanceof Error ? `${value.message} ${JSON.stringify(value)}` : value;
}
