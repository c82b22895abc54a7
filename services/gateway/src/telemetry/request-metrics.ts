import { answerSeconds, busiest, requestBytes, requestFaults, requestSeconds, requests } from './metrics.ts';
import { isFault, type Observer } from './outcome.ts';

/** Counts requests. @param busiestBuckets how many buckets are told of by name; 0: none */
export function createRequestMetrics(busiestBuckets: number): Observer {
  busiest.watch(busiestBuckets);
  const [bytesIn, bytesOut] = [requestBytes('in'), requestBytes('out')];
  return ({
    operation,
    target,
    status,
    code = 'OK',
    bytesIn: received,
    bytesOut: sent,
    answerMs,
    totalMs,
    traceId,
  }) => {
    requests(operation, String(status), code).add();
    requestFaults(operation).add(isFault(status, code) ? 1 : 0);
    requestSeconds(operation).observe(totalMs / 1_000, traceId);
    answerSeconds(operation).observe(answerMs / 1_000, traceId);
    bytesIn.add(received);
    bytesOut.add(sent);
    if (target.bucket !== undefined && status < 400) busiest.note(target.bucket, received + sent);
  };
}
