import { performance } from 'node:perf_hooks';
import { callErrors, callSeconds } from './metrics.ts';
import { startCall } from './trace.ts';

/** One try of a call of pachd. */
export interface NotedCall {
  /** What goes with it, so that pachd can join its trace. */
  readonly context: { readonly traceparent?: string };
  failed(kind: string, why: string): void;
  end(): void;
}

/** The calls of pachd's other service. */
const AUTH_CALLS = new Set(['WhoAmI', 'GetPermissions']);

interface Call {
  readonly name: string;
  readonly waits?: boolean;
}

/** Counts a try, and gives it a span. @param pachd IP:PORT @param as why it was sent there */
export function noteCall({ name, waits }: Call, pachd: string, as: 'call' | 'retry' | 'hedge'): NotedCall {
  const method = waits === true ? `${name} finished` : name;
  const startedMs = performance.now();
  const span = startCall(() => attributesOf(name, pachd, as));
  return {
    context: span === undefined ? {} : { traceparent: span.traceparent },
    failed(kind, why) {
      callErrors(method, kind).add();
      span?.failed(kind, why);
    },
    end() {
      callSeconds(method).observe((performance.now() - startedMs) / 1_000, span?.traceId);
      span?.end();
    },
  };
}

/** Source: OpenTelemetry semantic conventions, "RPC client", "gRPC". */
function attributesOf(method: string, pachd: string, as: string) {
  const service = AUTH_CALLS.has(method) ? 'auth_v2.API' : 'pfs_v2.API';
  const [, host = '', port] = /^(.*):(\d+)$/.exec(pachd) ?? [];
  return {
    name: `${service}/${method}`,
    attributes: {
      'rpc.system': 'grpc',
      'rpc.service': service,
      'rpc.method': method,
      'server.address': host.replace(/^\[|\]$/g, ''),
      'server.port': Number(port),
      'tusk.attempt': as,
    },
  };
}
