import { Server, ServerCredentials, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { type HealthCheckResponse, HealthService } from '../../../../../proto/gen/health/health.ts';
import {
  type BranchInfo,
  BranchInfo as BranchInfoMessage,
  APIService as PfsService,
} from '../../../../../proto/gen/pfs/pfs.ts';

const SERVING = 1;
const NOT_SERVING = 2;

/** A gRPC server that answers InspectBranch, for what devpachd does not do: it says that it is going away, and it goes as it should. */
export interface Standin {
  readonly address: string;
  readonly target: { readonly host: string; readonly port: number; readonly tls: boolean };
  /** Answers that are held back until `release`. */
  hold(): void;
  release(): void;
  /** What the health service says of it. */
  serve(serving: boolean): void;
  /** Calls of InspectBranch so far. */
  calls(): number;
  /** By when the last caller wanted its answer, in milliseconds since 1970. */
  lastDeadlineMs(): number;
  /** Says GOAWAY, and ends when the last call has. */
  leave(): Promise<void>;
  stop(): void;
}

export async function startStandin(): Promise<Standin> {
  const server = new Server();
  const held: (() => void)[] = [];
  let holding = false;
  let serving = true;
  let calls = 0;
  let lastDeadlineMs = 0;
  const health = (): HealthCheckResponse => ({ status: serving ? SERVING : NOT_SERVING });
  server.addService(HealthService, {
    check: (_: unknown, done: (error: null, answer: HealthCheckResponse) => void) => done(null, health()),
    watch: (call: { destroy(error: Error): void }) =>
      call.destroy(Object.assign(new Error('not here'), { code: status.UNIMPLEMENTED })),
  });
  const { inspectBranch } = PfsService;
  server.addService(
    { inspectBranch },
    {
      inspectBranch(call: ServerUnaryCall<unknown, BranchInfo>, done: (error: null, answer: BranchInfo) => void) {
        calls += 1;
        lastDeadlineMs = Number(call.getDeadline());
        const answer = () => done(null, BranchInfoMessage.create({}));
        if (holding) held.push(answer);
        else answer();
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return {
    address: `127.0.0.1:${port}`,
    target: { host: '127.0.0.1', port, tls: false },
    hold() {
      holding = true;
    },
    release() {
      holding = false;
      for (const answer of held.splice(0)) answer();
    },
    serve(now) {
      serving = now;
    },
    calls: () => calls,
    lastDeadlineMs: () => lastDeadlineMs,
    leave: () => new Promise((resolve) => server.tryShutdown(() => resolve())),
    stop: () => server.forceShutdown(),
  };
}
