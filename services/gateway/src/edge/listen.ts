import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Handle } from '../s3/http.ts';
import { type Exchange, type ExchangeContext, startExchange } from './exchange.ts';
import { EDGE_LIMITS, type EdgeLimits } from './limits.ts';
import { loadUws, type UwsApp, type UwsListenSocket, type UwsModule } from './uws.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** A second port that nobody shares. */
  readonly ownPort?: number;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** Whether nobody else may listen there; otherwise processes share the port, and the system spreads connections over them. */
  readonly exclusive: boolean;
  readonly handle: Handle;
  readonly limits?: Partial<EdgeLimits>;
  /** Told of what no client can be told: a `handle` that threw, a stream that broke after its headers were out. */
  readonly onFault: (fault: unknown) => void;
}

export interface Edge {
  readonly port: number;
  /**
   * Tells clients to go with every answer; after `noticeMs`, in which load balancers hear of it, takes no new connection, lets the
   * requests in flight end, and closes. Resolves when all is done, or after `timeoutMs`: then what is still in flight is cut.
   */
  drain(timeoutMs: number, noticeMs?: number): Promise<void>;
  /** Cuts everything at once. */
  close(): void;
  stats(): EdgeStats;
}

export interface EdgeStats {
  /** Requests without a complete answer. */
  readonly inFlight: number;
  readonly sockets: number;
  /** Body bytes that nobody has read, and bytes of answers that wait for their client. */
  readonly bufferedBytes: number;
}

/** Nobody can listen there. `code` is the system's, such as EADDRINUSE. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** The key of uWebSockets.js for leaving out the header that names it. */
const NO_MARK = '999999990007';

const TICK_MAX_MS = 1000;
const DRAIN_POLL_MS = 20;
/** So few requests begin between two sums of what is buffered: each may bring what one read of its socket gives. */
const ASKERS_OF_A_SUM = 32;

/**
 * Serves HTTP/1.1.
 * @throws UwsUnavailable if no build of uWebSockets.js runs here; ListenError if the address cannot be had; an error of `node:fs` if
 *   a file of `tls` cannot be read, and an Error if it holds no certificate or key.
 */
export async function listen(options: ListenOptions): Promise<Edge> {
  const uws = await loadUws();
  uws._cfg(NO_MARK);
  const limits: EdgeLimits = { ...EDGE_LIMITS, ...options.limits };
  const exchanges = new Set<Exchange>();
  let sockets = 0;
  let draining = false;
  let closed = false;

  const context: ExchangeContext = {
    handle: options.handle,
    limits,
    isDraining: () => draining,
    begun: (exchange) => exchanges.add(exchange),
    ended: (exchange) => exchanges.delete(exchange),
    onFault: options.onFault,
  };
  const app = createApp(uws, options.tls);
  const countSockets = (_res: unknown, change: number) => {
    sockets += change;
  };
  app.filter(countSockets);
  app.any('/*', (res, req) => startExchange(res, req, context));
  const { host, port, ownPort, exclusive } = options;
  const socket = await listenOn(app, host, port, exclusive ? uws.LIBUS_LISTEN_EXCLUSIVE_PORT : 0);
  const ownSocket =
    ownPort === undefined ? undefined : await listenOn(app, host, ownPort, uws.LIBUS_LISTEN_EXCLUSIVE_PORT);
  const ticker = setInterval(
    () => {
      const nowMs = Date.now();
      for (const exchange of exchanges) {
        exchange.tick(nowMs);
      }
    },
    Math.min(TICK_MAX_MS, limits.bodyIdleTimeoutMs / 2, limits.responseIdleTimeoutMs / 2, limits.discardTimeoutMs / 2),
  );

  let asked = 0;
  let summedBytes = 0;
  /** Every request asks, and it takes a look at all: so only some askers of a turn of the event loop have them looked at. */
  function bufferedBytes(): number {
    if (asked % ASKERS_OF_A_SUM === 0) {
      summedBytes = 0;
      for (const exchange of exchanges) summedBytes += exchange.bufferedBytes();
    }
    if (asked === 0) {
      setImmediate(() => {
        asked = 0;
      });
    }
    asked += 1;
    return summedBytes;
  }

  function close(): void {
    if (!closed) {
      closed = true;
      clearInterval(ticker);
      app.close();
    }
  }

  return {
    port: uws.us_socket_local_port(socket),
    async drain(timeoutMs, noticeMs = 0) {
      const endMs = Date.now() + timeoutMs;
      if (!draining && !closed) {
        draining = true;
        if (noticeMs > 0) await sleep(Math.min(noticeMs, timeoutMs));
        if (closed) return;
        uws.us_listen_socket_close(socket);
        if (ownSocket !== undefined) uws.us_listen_socket_close(ownSocket);
      }
      await until(() => exchanges.size === 0 || closed, endMs);
      // Those with a last answer on the way close when it is out; those that idle might be about to send a request.
      await until(() => sockets === 0 || closed, Math.min(endMs, Date.now() + limits.drainIdleMs));
      close();
    },
    close,
    stats: () => ({ inFlight: exchanges.size, sockets, bufferedBytes: bufferedBytes() }),
  };
}

function createApp(uws: UwsModule, tls: ListenOptions['tls']): UwsApp {
  if (tls === undefined) {
    return uws.App();
  }
  // uWebSockets only says that it failed.
  accessSync(tls.certFile, constants.R_OK);
  accessSync(tls.keyFile, constants.R_OK);
  return uws.SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile });
}

async function listenOn(app: UwsApp, host: string, port: number, flags: number): Promise<UwsListenSocket> {
  const socket = await new Promise<UwsListenSocket | false>((resolve) => {
    app.listen(host, port, flags, resolve);
  });
  if (socket !== false) {
    return socket;
  }
  app.close();
  const code = await whyNot(host, port);
  throw new ListenError(`cannot listen on ${host}:${port}: ${REASONS[code] ?? code}`, code);
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not use the port',
  EADDRINUSE: 'the address is in use',
  EADDRNOTAVAIL: 'this machine does not have the address',
  ENOTFOUND: 'no such host',
};

/** uWebSockets does not say why, so node:net is asked. */
function whyNot(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    // Free again, or free for one that does not share: whoever had it did not want to share.
    probe.listen(port, host, () => probe.close(() => resolve('EADDRINUSE')));
  });
}

async function until(condition: () => boolean, endMs: number): Promise<void> {
  while (!condition() && Date.now() < endMs) {
    await new Promise((resolve) => {
      setTimeout(resolve, DRAIN_POLL_MS);
    });
  }
}
