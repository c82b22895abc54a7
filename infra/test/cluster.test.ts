import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { makeFolder } from '../../services/gateway/test/support/clients.ts';
import { eventually } from '../../services/gateway/test/support/eventually.ts';
import { send } from '../../services/gateway/test/support/http.ts';
import { type Program, startNode } from '../../services/gateway/test/support/program.ts';
import { keyOf } from '../../services/gateway/test/support/signature.ts';

const BUCKET = '/master.foo.bar';
/** HAProxy, Redis, two devpachd, two gateways with two workers each. */
const PROCESSES = 10;

describe('npm run cluster', () => {
  const folders: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const remove of folders.splice(0)) await remove();
  });

  async function start(...args: string[]): Promise<Program> {
    const folder = await makeFolder();
    folders.push(folder.remove);
    return startNode('infra/cluster/main.ts', { args: ['--data', folder.path, ...args] });
  }
  /** @returns its address, when all of it runs */
  const served = (cluster: Program) =>
    cluster.message((message) => {
      const { kind, url } = message as { readonly kind?: string; readonly url?: string };
      return kind === 'ready' ? url : undefined;
    });
  const others = (cluster: Program) => cluster.alive().filter(({ pid }) => pid !== cluster.pid);
  const nobodyIsLeft = (cluster: Program) =>
    eventually(
      'nobody is left',
      () => others(cluster),
      (left) => left.length === 0,
    );

  it('tells one address and its keys, and ends all of it at one Ctrl-C', async () => {
    const cluster = await start('--port', '0', '--auth');
    const url = await served(cluster);
    const token = /^keys: +access key (\S+), secret key \1$/m.exec(cluster.output())?.[1] ?? '';
    expect(cluster.output()).toContain(`tusk serves S3 on ${url}\n`);
    for (const member of ['haproxy', 'redis', 'devpachd-1', 'devpachd-2', 'gateway-1', 'gateway-2']) {
      expect(cluster.output()).toMatch(new RegExp(`^${member} serves on `, 'm'));
    }
    expect((await send(url, 'PUT', `${BUCKET}/key`, { key: keyOf(token), body: 'x' })).status).toBe(200);
    expect((await send(url, 'GET', `${BUCKET}/key`, { key: keyOf(token) })).text).toBe('x');
    expect((await send(url, 'GET', `${BUCKET}/key`)).status).toBe(403);
    expect(others(cluster)).toHaveLength(PROCESSES);
    expect(await cluster.stop('SIGINT')).toEqual({ code: 0, signal: null });
    await nobodyIsLeft(cluster);
  });

  it('says in one line which of them died, and ends the others', async () => {
    const cluster = await start('--port', '0', '--gateways', '1', '--workers', '1', '--pachds', '1');
    await served(cluster);
    const victim = others(cluster).find(({ command }) => command.startsWith('redis-server'))!;
    process.kill(victim.pid, 'SIGKILL');
    expect((await cluster.exited).code).toBe(1);
    expect(cluster.output()).toMatch(/^cluster: redis ended \(SIGKILL\), so the others are ended too; its log: \S+$/m);
    await nobodyIsLeft(cluster);
  });

  it('ends at once at the second Ctrl-C', async () => {
    const cluster = await start('--port', '0', '--gateways', '1', '--workers', '1', '--pachds', '1');
    await served(cluster);
    const stuck = others(cluster).find(({ command }) => command.includes('gateway/src/main.js'))!;
    process.kill(stuck.pid, 'SIGSTOP');
    cluster.signal('SIGINT');
    await eventually(
      'it ends',
      () => cluster.output(),
      (output) => output.includes('Ending'),
    );
    cluster.signal('SIGINT');
    expect((await cluster.exited).code).toBe(1);
    await nobodyIsLeft(cluster);
  });

  it('says in one line what keeps it from starting, and leaves nothing', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { readonly port: number }).port));
    });
    const cluster = await start('--port', String(port), '--gateways', '1', '--workers', '1', '--pachds', '1');
    expect((await cluster.exited).code).toBe(1);
    taken.close();
    expect(cluster.output()).toMatch(/^cluster: haproxy was started and ended .*$/m);
    await nobodyIsLeft(cluster);
    const confused = await start('--gateways', 'many');
    expect((await confused.exited).code).toBe(1);
    expect(confused.output()).toMatch(/^cluster: --gateways must be from 1 to 8 .*\n$/);
  });
});
