import { performance } from 'node:perf_hooks';
import { callErrors, callSeconds } from './metrics.ts';
import { startCall } from './trace.ts';

/** One try of a call of pachd. */
export interface NotedCall {
  /** The header fields that go with it, so that pachd can join its trace; undefined: it is in none. */
  readonly trace: Readonly<Record<string, string>> | undefined;
  /** @param statusCode gRPC's, where there is one */
  failed(kind: string, why: string, statusCode: number | undefined): void;
  end(): void;
}

const STATUS_CODE = 'rpc.grpc.status_code';
/** The calls of pachd's other service. */
const AUTH_CALLS = new Set(['WhoAmI', 'GetPermissions']);

interface Call {
  readonly name: string;
  readonly waits?: boolean;
}

interface Try {
  /** Why it was sent there. */
  readonly as: 'call' | 'retry' | 'hedge';
  /** From 1. */
  readonly number: number;
}

/** Counts a try, and gives it a span. @param pachd IP:PORT */
export function noteCall({ name, waits }: Call, pachd: string, sent: Try): NotedCall {
  const method = waits === true ? `${name} finished` : name;
  const startedMs = performance.now();
  const span = startCall(() => attributesOf(name, pachd, sent));
  let failed = false;
  return {
    trace: span?.headers,
    failed(kind, why, statusCode) {
      failed = true;
      callErrors(method, kind).add();
      span?.failed(kind, why);
      if (statusCode !== undefined) span?.setAttribute(STATUS_CODE, statusCode);
    },
    end() {
      callSeconds(method).observe((performance.now() - startedMs) / 1_000, span?.traceId);
      if (!failed) span?.setAttribute(STATUS_CODE, 0);
      span?.end();
    },
  };
}

/** Source: OpenTelemetry semantic conventions, "RPC client", "gRPC". */
function attributesOf(method: string, pachd: string, { as, number }: Try) {
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
      'tusk.attempt.number': number,
    },
  };
}
