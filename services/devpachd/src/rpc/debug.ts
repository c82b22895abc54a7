import { type DebugServer, GetCountersResponse } from '../../../../proto/gen/devpachd/devpachd.ts';
import type { App } from '../app.ts';
import type { Calls } from './call.ts';

export function debugService({ counters }: App, calls: Calls): DebugServer {
  return {
    getCounters: calls.unary(({ reset }) => {
      const { calls: byMethod, failures, counts } = counters.read();
      if (reset) counters.reset();
      return GetCountersResponse.fromPartial({
        calls: byMethod,
        failures,
        commitsCreated: counts.commitsCreated,
        commitsFinished: counts.commitsFinished,
        commitsFailed: counts.commitsFailed,
        fileSetsCreated: counts.fileSetsCreated,
        commitsStartedOnBranch: counts.commitsStartedOnBranch,
        negativeOffsets: counts.negativeOffsets,
        lateModifyFile: counts.lateModifyFile,
        urlSources: counts.urlSources,
      });
    }),
  };
}
