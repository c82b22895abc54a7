import type { Http2Server, ServerHttp2Session } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { bearResets, hasResetOptions, RESET_OPTIONS } from './resets.ts';

/** Where a server takes connections. */
export interface Listener {
  readonly port: number;
  /** Destroys the connection of a client, as calls name it (`getPeer`). */
  readonly cut: (peer: string) => void;
  /** Takes no more connections; those that are there stay. */
  readonly close: () => void;
}

/** Listens for a gRPC server on HOST:PORT (port 0: any free one). Rejects when the address is taken. */
export function listen(grpc: Server, address: string): Promise<Listener> {
  Object.assign(partOf<object>(grpc, 'commonServerOptions'), RESET_OPTIONS);
  const { injectConnection } = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const [http2] = partOf<Map<Http2Server, unknown>>(grpc, 'http2Servers').keys();
  const begin = (connection: Duplex): ServerHttp2Session | undefined => {
    let session: ServerHttp2Session | undefined;
    http2?.once('session', (made) => {
      session = made;
    });
    injectConnection(connection);
    return session;
  };
  const sockets = new Map<string, Socket>();
  const tcp = createServer({ noDelay: true }, (socket) => {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    sockets.set(peer, socket);
    socket.once('close', () => sockets.delete(peer));
    if (hasResetOptions()) injectConnection(socket);
    else bearResets(socket, begin);
  });
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    tcp.once('error', (error) => reject(new Error(`cannot listen on ${address}: ${error.message}`)));
    tcp.listen(Number(address.slice(colon + 1)), host, () => {
      const bound = tcp.address();
      resolve({
        port: typeof bound === 'object' && bound ? bound.port : 0,
        cut: (peer) => sockets.get(peer)?.destroy(),
        close: () => tcp.close(),
      });
    });
  });
}

/** What grpc-js makes of HTTP/2 and has no options for. Throws when another version of it has no such part. */
function partOf<T extends object>(grpc: Server, name: string): T {
  const part: unknown = Reflect.get(grpc, name);
  if (typeof part !== 'object' || part === null) throw new Error(`this version of grpc-js has no "${name}"`);
  return part as T;
}
