import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CONTENT_TYPES, exposition, type Format } from '../telemetry/exposition.ts';
import { FAMILIES } from '../telemetry/metrics.ts';
import type { Snapshot } from '../telemetry/registry.ts';
import { PAGE_POLICY, page } from './page.ts';
import type { GatewayStatus } from './status.ts';

/** What the admin port needs to know of a gateway. */
export interface AdminSource {
  status(): Promise<GatewayStatus>;
  metrics(): Promise<Snapshot>;
}

/**
 * Serves the admin port: /livez says that the process runs, /readyz whether it should get requests (and if not, why),
 * /metrics what it counts, /status.json what it knows of itself, and / the same for
 * people. @throws Error with one line when the address cannot be had
 */
export async function startAdmin(listen: { readonly host: string; readonly port: number }, source: AdminSource) {
  const server = createServer((request, response) => {
    answer(request, response, source).catch(() => response.destroy());
  });
  server.requestTimeout = 10_000;
  await listening(server, listen);
  const { port } = server.address() as AddressInfo;
  return { port, close: () => void server.close() };
}

async function answer(request: IncomingMessage, response: ServerResponse, source: AdminSource): Promise<void> {
  const { method, url = '', headers } = request;
  const [path] = url.split('?', 1);
  if (method !== 'GET' && method !== 'HEAD') return text(response, 405, 'only GET');
  switch (path) {
    case '/':
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy': PAGE_POLICY,
        'x-content-type-options': 'nosniff',
      });
      response.end(page(await source.status()));
      return;
    case '/livez':
      return text(response, 200, 'alive');
    case '/readyz': {
      const { notReady } = await source.status();
      return notReady === '' ? text(response, 200, 'ready') : text(response, 503, notReady);
    }
    case '/metrics': {
      const format: Format = headers.accept?.includes('application/openmetrics-text') ? 'openmetrics' : 'prometheus';
      response.writeHead(200, { 'content-type': CONTENT_TYPES[format] });
      response.end(exposition(FAMILIES, await source.metrics(), format));
      return;
    }
    case '/status.json':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify(await source.status(), undefined, 2)}\n`);
      return;
    default:
      return text(response, 404, 'there are /, /livez, /readyz, /metrics and /status.json');
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
