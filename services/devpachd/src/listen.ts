import { createServer, type Socket } from 'node:net';
import { type Server, ServerCredentials } from '@grpc/grpc-js';

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
  const { injectConnection } = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Map<string, Socket>();
  const tcp = createServer({ noDelay: true }, (socket) => {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    sockets.set(peer, socket);
    socket.once('close', () => sockets.delete(peer));
    injectConnection(socket);
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
