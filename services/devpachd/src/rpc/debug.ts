import { type DebugServer, GetCountersResponse, SetFaultsResponse } from '../../../../proto/gen/devpachd/devpachd.ts';
import type { App } from '../app.ts';
import { parseFault } from '../faults/grammar.ts';
import { PfsError } from '../store/errors.ts';
import type { Calls } from './call.ts';

export function debugService({ counters, faults, faultControl }: App, calls: Calls): DebugServer {
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
        faultsInjected: faults.injected(),
      });
    }),
    setFaults: calls.unary(({ rules }) => {
      if (!faultControl) throw new PfsError('unimplemented', 'devpachd was started without --fault-control');
      faults.replace(rules.map(readFault));
      return SetFaultsResponse.create();
    }),
  };
}

function readFault(text: string): ReturnType<typeof parseFault> {
  try {
    return parseFault(text);
  } catch (error) {
    throw new PfsError('invalidArgument', error instanceof Error ? error.message : String(error), { cause: error });
  }
}
