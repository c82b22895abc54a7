import { credentials, type ServiceError } from '@grpc/grpc-js';
import { DebugClient, type GetCountersResponse } from '../../../../proto/gen/devpachd/devpachd.ts';

/** What devpachd tells of itself, and what it lets go wrong on purpose. */
export interface Debug {
  counters(): Promise<GetCountersResponse>;
  /** Replaces what goes wrong. Only at a devpachd that was started with --fault-control. */
  setFaults(rules: readonly string[]): Promise<void>;
  close(): void;
}

export function connectDebug(address: string): Debug {
  const client = new DebugClient(address, credentials.createInsecure());
  const call = <T>(start: (done: (error: ServiceError | null, value: T) => void) => unknown): Promise<T> =>
    new Promise((resolve, reject) => {
      start((error, value) => (error ? reject(error) : resolve(value)));
    });
  return {
    counters: () => call((done) => client.getCounters({ reset: false }, done)),
    setFaults: async (rules) => {
      await call((done) => client.setFaults({ rules: [...rules] }, done));
    },
    close: () => client.close(),
  };
}

/** What of a pachd's counters is harm to others, or would have ended or wrecked a real one. */
export type Harm = Pick<
  GetCountersResponse,
  'commitsStartedOnBranch' | 'lateModifyFile' | 'negativeOffsets' | 'urlSources'
>;

export const NO_HARM: Harm = { commitsStartedOnBranch: 0, lateModifyFile: 0, negativeOffsets: 0, urlSources: 0 };

/**
 * The harm that was done to a devpachd since it was started.
 * @param startedByOthers how many commits others than tusk have started on a branch, as they may
 */
export async function harmDone(address: string, startedByOthers = 0): Promise<Harm> {
  const debug = connectDebug(address);
  try {
    const { commitsStartedOnBranch, lateModifyFile, negativeOffsets, urlSources } = await debug.counters();
    return {
      commitsStartedOnBranch: commitsStartedOnBranch - startedByOthers,
      lateModifyFile,
      negativeOffsets,
      urlSources,
    };
  } finally {
    debug.close();
  }
}
