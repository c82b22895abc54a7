import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the admin port needs to know of a gateway. */
export interface AdminSource {
  status(): Promise<GatewayStatus>;
}

interface GatewayStatus {
  /** Why it should get no requests now; empty: it should. */
  readonly notReady: string;
  /** What each worker says of itself, as it is; undefined for one that does not answer. */
  readonly workers: readonly (object | undefined)[];
}

/**
 * Serves the admin port: /livez says that the process runs, /readyz whether it should get requests (and if not, why),
 * /status.json what it knows of itself. @throws Error with one line when the address cannot be had
 */
export async function startAdmin(listen: { readonly host: string; readonly port: number }, source: AdminSource) {
  const server = createServer((request, response) => {
    answer(request.method ?? '', (request.url ?? '').split('?', 1)[0] ?? '', response, source).catch(() =>
      response.destroy(),
    );
  });
  server.requestTimeout = 10_000;
  await listening(server, listen);
  const { port } = server.address() as AddressInfo;
  return { port, close: () => void server.close() };
}

async function answer(method: string, path: string, response: ServerResponse, source: AdminSource): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') return text(response, 405, 'only GET');
  switch (path) {
    case '/livez':
      return text(response, 200, 'alive');
    case '/readyz': {
      const { notReady } = await source.status();
      return notReady === '' ? text(response, 200, 'ready') : text(response, 503, notReady);
    }
    case '/status.json':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify(await source.status(), undefined, 2)}\n`);
      return;
    default:
      return text(response, 404, 'there are /livez, /readyz and /status.json');
  }
}

function text(response: ServerResponse, status: number, line: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${line}\n`);
}

function listening(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        new Error(
          error.code === 'EADDRINUSE' ? `cannot listen on ${host}:${port}: the address is in use` : error.message,
        ),
      ),
    );
    server.listen(port, host, () => resolve());
  });
}
