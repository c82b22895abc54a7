import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../support/clients.ts';
import { eventually } from '../../support/eventually.ts';
import { send } from '../../support/http.ts';
import { startTusk, type Tusk } from '../../support/tusk.ts';
import { allServe, CONTENT, type Node, type Pachds, startPachds } from './pachds.ts';

const OBJECT = '/master.foo.bar/hello.txt';

let pachds: Pachds;
let folder: string;
let tusk: Tusk | undefined;
let proxy: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tusk-pool-'));
  pachds = await startPachds(['127.0.0.1', '127.0.0.1']);
  await allServe(pachds);
});
afterEach(async () => {
  await tusk?.stop();
  proxy?.close();
  [tusk, proxy] = [undefined, undefined];
  await pachds.stop();
  await rm(folder, { recursive: true, force: true });
});

async function readyz(): Promise<string> {
  return (await fetch(`${tusk?.adminUrl}/readyz`)).text();
}

interface PachdOfWorker {
  readonly address: string;
  readonly state: string;
}

async function pachdsOfWorker(): Promise<readonly PachdOfWorker[]> {
  const status = (await (await fetch(`${tusk?.adminUrl}/status.json`)).json()) as {
    readonly workers: readonly { readonly pachd: readonly PachdOfWorker[] }[];
  };
  return status.workers.flatMap(({ pachd }) => pachd);
}

describe('a gateway of two pachds', () => {
  it('is ready as long as one of them serves, says which, and answers 503 at once when none does', async () => {
    const [one, other] = pachds.nodes as [Node, Node];
    const given = pachds.nodes.map(({ address }) => `grpc://${address}`).join();
    tusk = await startTusk({
      pachd: one.address,
      env: { TUSK_PACHD: given, TUSK_AUTH_TTL_MS: '0', TUSK_HEAD_TTL_MS: '0' },
    });
    const { url } = tusk;
    const get = () => send(url, 'GET', OBJECT);
    expect((await get()).body.toString()).toBe(CONTENT);

    await one.kill();
    for (let read = 0; read < 20; read++) expect((await get()).status).toBe(200);
    for (let write = 0; write < 5; write++) {
      expect((await send(url, 'PUT', `/master.foo.bar/after-${write}`, { body: 'x' })).status).toBe(200);
    }
    expect(await readyz()).toBe('ready\n');
    expect((await pachdsOfWorker()).map(({ address, state }) => [address, state])).toEqual([
      [one.address, 'ejected'],
      [other.address, 'serving'],
    ]);

    await other.kill();
    const refused = await get();
    expect([refused.status, 'retry-after' in refused.headers]).toEqual([503, true]);
    expect(await readyz()).toMatch(/^no pachd serves: .*ejected|^no pachd serves: .*ECONNREFUSED/);

    await one.revive();
    await eventually('it is ready again', readyz, (text) => text === 'ready\n');
    expect((await get()).status).toBe(200);
  });
});

describe('a pachd over TLS', () => {
  /** In front of the first pachd, with a certificate of an authority of its own. */
  async function startTls(name: string): Promise<number> {
    const key = join(folder, 'server.key');
    const cert = join(folder, 'server.crt');
    const { code, stderr } = await runCommand(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-keyout',
        key,
      ].concat(['-out', cert, '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]),
    );
    if (code !== 0) throw new Error(stderr);
    const [{ target }] = pachds.nodes as [Node];
    const options = { key: await readFile(key), cert: await readFile(cert), ALPNProtocols: ['h2'] };
    const server = createServer(options, (socket: TLSSocket) => {
      const plain = connect(target.port, target.host);
      socket.pipe(plain).pipe(socket);
      for (const side of [socket, plain]) side.on('error', () => socket.destroy());
      socket.on('close', () => plain.destroy());
    });
    server.on('tlsClientError', () => {});
    proxy = server;
    return new Promise((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
  }

  const start = async (port: number) =>
    startTusk({
      pachd: pachds.nodes[0]?.address ?? '',
      env: {
        TUSK_PACHD: `grpcs://localhost:${port}`,
        NODE_EXTRA_CA_CERTS: join(folder, 'server.crt'),
        // What this machine may have set would be believed instead, by one of the two connections.
        GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: '',
      },
    });

  it('is known by the name that was looked up, over both of its connections', async () => {
    tusk = await start(await startTls('localhost'));
    expect((await send(tusk.url, 'GET', OBJECT)).body.toString()).toBe(CONTENT);
  });

  it('gets nothing when its certificate is another’s', async () => {
    tusk = await start(await startTls('other.example'));
    expect((await send(tusk.url, 'GET', OBJECT)).status).toBe(503);
    expect(await readyz()).toContain('no pachd serves');
  });
});
