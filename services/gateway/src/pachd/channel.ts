import { connectivityState, credentials } from '@grpc/grpc-js';
import { type ContentChannel, openContentChannel } from './content-stream.ts';
import { AuthClient, HealthClient, MetadataClient, PfsClient } from './proto.ts';
import type { Endpoint } from './resolver.ts';

/** pachd sends file content in messages of up to 19 MiB. */
const MESSAGE_MAX_BYTES = 20 << 20;

/** The way to one pachd: its stubs over one HTTP/2 connection, and another connection for content. */
export interface Channel {
  readonly pfs: PfsClient;
  readonly auth: AuthClient;
  readonly health: HealthClient;
  readonly metadata: MetadataClient;
  /** For what is read in large amounts. */
  readonly content: ContentChannel;
  /** Whether the connection stands now. */
  isConnected(): boolean;
  /** Connects if need be. Whether the connection stands by then; never rejects. @param byMs milliseconds since 1970 */
  connect(byMs: number): Promise<boolean>;
  /** Tells once when a connection that stood has ended: it broke, or pachd is going away (GOAWAY). Not when it is closed here. */
  onEnd(listener: () => void): void;
  /** Takes no more calls, and lets those under way end. */
  close(): void;
}

export function openChannel(endpoint: Endpoint): Channel {
  const { target, authority, serverName } = addressing(endpoint);
  const creds = endpoint.tls ? credentials.createSsl() : credentials.createInsecure();
  const options = {
    'grpc.max_receive_message_length': MESSAGE_MAX_BYTES,
    'grpc.max_send_message_length': MESSAGE_MAX_BYTES,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    // Retries are the pool's decision: what may have had an effect, or have ended a server, is not sent again.
    'grpc.enable_retries': 0,
    // Connections are the pool's as well: a channel that is closed takes its own with it.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.default_authority': authority,
    ...(serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName }),
  };
  const pfs = new PfsClient(target, creds, options);
  const grpc = pfs.getChannel();
  const shared = { ...options, channelOverride: grpc };
  const content = openContentChannel({ target, authority, serverName, tls: endpoint.tls });
  let closed = false;

  const isConnected = () => !closed && grpc.getConnectivityState(false) === connectivityState.READY;

  /** Resolves when the state is another one, or the time is up. */
  const changed = (from: connectivityState, byMs: number) =>
    new Promise<void>((resolve) => grpc.watchConnectivityState(from, byMs, () => resolve()));

  return {
    pfs,
    auth: new AuthClient(target, creds, shared),
    health: new HealthClient(target, creds, shared),
    metadata: new MetadataClient(target, creds, shared),
    content,
    isConnected,
    async connect(byMs) {
      while (!closed) {
        const state = grpc.getConnectivityState(true);
        if (state === connectivityState.READY) return true;
        if (state === connectivityState.TRANSIENT_FAILURE || Date.now() >= byMs) return false;
        await changed(state, byMs);
      }
      return false;
    },
    onEnd(listener) {
      if (closed) return;
      grpc.watchConnectivityState(connectivityState.READY, Number.POSITIVE_INFINITY, () => {
        if (!closed) listener();
      });
    },
    close() {
      if (closed) return;
      closed = true;
      pfs.close();
      content.close();
    },
  };
}

/** Where to connect, what is asked for there, and, where TLS has to know it, under which name. */
function addressing({ host, port, name }: Endpoint) {
  const target = hostPort(host, port);
  return { target, authority: hostPort(name ?? host, port), serverName: name };
}

/** An address as one text, an IPv6 one in brackets. */
export function hostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
