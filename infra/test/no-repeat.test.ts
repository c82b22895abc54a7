import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../../services/gateway/test/support/http.ts';
import { type Member, startMember } from '../cluster/member.ts';
import { freePorts } from '../cluster/ports.ts';
import { haproxy } from '../cluster/programs.ts';

/** Workers that take a request whole and die of it, which real ones cannot be asked for. */
describe('a request whose worker broke off', () => {
  let folder: string;
  let balancer: Member;
  const requests: string[] = [];
  const servers: Server[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tusk-no-repeat-'));
    const workers = await Promise.all(
      ['gateway-1-worker-0', 'gateway-2-worker-0'].map(async (name) => ({
        name,
        host: '127.0.0.1',
        port: await listen((text) => requests.push(text)),
        adminPort: await listen(() => undefined, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
      })),
    );
    const first = await freePorts(2);
    const spec = await haproxy({ listen: first, admin: first + 1 }, workers, join(folder, 'haproxy.cfg'), {});
    balancer = await startMember({ ...spec, logFile: join(folder, 'haproxy.log') }, () => undefined);
  });
  afterAll(async () => {
    await balancer?.stop();
    for (const server of servers) server.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Reads to the end of a request, and then answers, or cuts the connection. @returns its port */
  function listen(onRequest: (text: string) => void, answer?: string): Promise<number> {
    const server = createServer((socket) => {
      let text = '';
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        text += chunk;
        const [head = '', body = ''] = text.split('\r\n\r\n');
        if (!text.includes('\r\n\r\n') || body.length < Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)) return;
        onRequest(text);
        if (answer === undefined) socket.resetAndDestroy();
        else socket.end(answer);
      });
    });
    servers.push(server);
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  }

  it.each(['PUT', 'POST', 'DELETE', 'GET'])('is not sent to another: %s', async (method) => {
    requests.length = 0;
    const body = method === 'PUT' || method === 'POST' ? 'body' : '';
    const answer = await send(`http://${balancer.address}`, method, '/bucket/key', { body });
    expect([answer.status, answer.code]).toEqual([502, 'InternalError']);
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatch(/\r\nx-request-id: [0-9a-f-]{36}\r\n/);
    expect(await readFile(join(folder, 'haproxy.log'), 'utf8')).toContain(`"method":"${method}"`);
  });
});
