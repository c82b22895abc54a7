// TLS, and users who may do no more than tusk needs.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRedis, type Redis } from '../../../src/cache/redis.ts';
import { parseRedisUrl } from '../../../src/cache/redis-url.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { runCommand } from '../../support/clients.ts';
import { eventually } from '../../support/eventually.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { connected, countLasting, countOfEra, countReplicated, outcomeOf, untilUp } from './scripts.ts';

/** What docs/architecture.md says that a user needs. */
const NEEDED = ['~tusk:*', '+info', '+eval', '+evalsha', '+wait', '+get', '+hincrby'];

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
    await server.cli('acl', 'setuser', 'enough', 'on', '>hunter2', ...NEEDED);
    await server.cli('acl', 'setuser', 'little', 'on', '>hunter2', '~tusk:*', '+info');
  });

  afterAll(async () => {
    for (const redis of opened) await redis.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('a user with what tusk needs may run its scripts', async () => {
    const redis = await connected(url('enough'));
    opened.push(redis);
    for (const script of [countLasting, countOfEra, countReplicated]) {
      expect(await redis.run(script, script.name + script.answered + script.keys, ['n'], ['x'])).toBe(1);
    }
  });

  it('what a user may not do is lost, and the connection stays', async () => {
    const redis = await connected(url('little'));
    opened.push(redis);
    expect(await outcomeOf(redis.run(countLasting, 'a', ['n'], ['x']))).toBe('lost');
    expect(redis.stats()).toMatchObject({ state: 'up', reconnects: 0 });
  });

  it.each([
    ['a wrong password', () => url('enough').replace('hunter2', 'hunter3'), /WRONGPASS/],
    ['a server that another authority speaks for', () => url('enough', 'other.crt'), /certificate|signature/],
    ['no file of authorities', () => url('enough', 'none.crt'), /ENOENT/],
  ])('%s is said in the log, and neither password nor key is', async (_, make, reason) => {
    const lines: string[] = [];
    const log = createLog('test', 'silent');
    const line = (...parts: readonly unknown[]): void => {
      lines.push(parts.map((part) => JSON.stringify(part, withErrors)).join(' '));
    };
    const redis = openRedis(parseRedisUrl(make()), { log: Object.assign(log, { info: line, warn: line }) });
    opened.push(redis);
    await redis.tried;
    await eventually(
      'said',
      () => lines.join('\n'),
      (text) => text !== '',
    );
    expect(lines.join('\n')).toMatch(reason);
    expect(lines.join('\n')).not.toMatch(/hunter/);
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

function withErrors(_: string, value: unknown): unknown {
  return value instanceof Error ? `${value.message} ${JSON.stringify(value)}` : value;
}
