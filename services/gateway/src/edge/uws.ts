/** The part of uWebSockets.js that is in use. Both builds have it; their own declarations differ and lack some of it. */
export interface UwsModule {
  App(): UwsApp;
  SSLApp(options: { readonly key_file_name: string; readonly cert_file_name: string }): UwsApp;
  us_listen_socket_close(socket: UwsListenSocket): void;
  us_socket_local_port(socket: UwsListenSocket): number;
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number;
  /** Knows one key: the one that leaves out the header that names uWebSockets. */
  _cfg(key: string): void;
}

declare const listenSocket: unique symbol;
export interface UwsListenSocket {
  readonly [listenSocket]: true;
}

export interface UwsApp {
  any(pattern: string, handler: (res: UwsResponse, req: UwsRequest) => void): UwsApp;
  /** Called with 1 when a socket opens and with -1 when it closes. */
  filter(handler: (res: unknown, change: number) => void): UwsApp;
  listen(host: string, port: number, options: number, callback: (socket: UwsListenSocket | false) => void): UwsApp;
  close(): UwsApp;
}

/** Good only during the callback that gives it. */
export interface UwsRequest {
  getCaseSensitiveMethod(): string;
  getUrl(): string;
  getQuery(): string | undefined;
  forEach(callback: (name: string, value: string) => void): void;
}

/** Good until it has ended or was aborted: any call after that throws. */
export interface UwsResponse {
  pause(): void;
  resume(): void;
  writeStatus(status: string): UwsResponse;
  writeHeader(name: string, value: string): UwsResponse;
  write(chunk: Uint8Array): boolean;
  end(body?: Uint8Array, closeConnection?: boolean): UwsResponse;
  endWithoutBody(reportedContentLength?: number, closeConnection?: boolean): UwsResponse;
  tryEnd(chunk: Uint8Array, totalSize: number): [ok: boolean, done: boolean];
  close(): UwsResponse;
  getWriteOffset(): number;
  onWritable(handler: (offset: number) => boolean): UwsResponse;
  onAborted(handler: () => void): UwsResponse;
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): UwsResponse;
  cork(callback: () => void): UwsResponse;
}

/** No build of uWebSockets.js runs here. The message is for whoever starts the server; where it was thrown helps nobody. */
export class UwsUnavailable extends Error {
  override readonly name = 'UwsUnavailable';

  constructor(causes: readonly unknown[]) {
    super(
      `uWebSockets.js does not run on Node ${process.versions.node} (${process.platform} ${process.arch}): take Node 20 or 22; or Node 20, 22, 24 or 25 with glibc 2.38 or later.`,
      { cause: new AggregateError(causes) },
    );
    this.stack = `${this.name}: ${this.message}`;
  }
}

/**
 * The first build that runs on this Node: the older one runs on more systems, the newer one on newer versions of Node.
 * @throws UwsUnavailable if none does.
 */
export async function loadUws(): Promise<UwsModule> {
  const causes: unknown[] = [];
  for (const load of [() => import('uWebSockets.js'), () => import('@btc-vision/uwebsockets.js')]) {
    try {
      return (await load()) as unknown as UwsModule;
    } catch (cause) {
      causes.push(cause);
    }
  }
  throw new UwsUnavailable(causes);
}
