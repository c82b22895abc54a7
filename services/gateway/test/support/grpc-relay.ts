import { connect, createServer, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** Stands between a gateway and its pachd, and passes on what they say. */
export interface Relay {
  /** HOST:PORT */
  readonly address: string;
  /** The metadata of all calls so far. */
  calls(): readonly { readonly method: string; readonly metadata: IncomingHttpHeaders }[];
  stop(): Promise<void>;
}

export async function startRelay(pachd: string): Promise<Relay> {
  const calls: { readonly method: string; readonly metadata: IncomingHttpHeaders }[] = [];
  const upstream = connect(`http://${pachd}`);
  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    calls.push({ method: String(headers[':path']).split('/').at(-1) ?? '', metadata: headers });
    const passed = upstream.request(headers, { endStream: false });
    let trailers: IncomingHttpHeaders = {};
    passed.on('trailers', (sent) => {
      trailers = withoutPseudo(sent);
    });
    passed.on('response', (answer, flags) => {
      const ended = (flags & 1) !== 0;
      stream.respond({ ':status': 200, ...withoutPseudo(answer) }, { endStream: ended, waitForTrailers: !ended });
      if (!ended) passed.pipe(stream);
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.on('error', () => passed.close());
    passed.on('error', () => stream.close());
    stream.on('aborted', () => passed.close());
    stream.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    calls: () => calls,
    async stop() {
      for (const session of sessions) session.destroy();
      upstream.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function withoutPseudo(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')));
}
