import { HealthCheckResponse_ServingStatus, type HealthServer } from '../../../../proto/gen/health/health.ts';
import { notFound } from '../store/errors.ts';
import type { Calls } from './call.ts';

/** gRPC's health protocol (grpc.health.v1). Like pachd's it knows the server as a whole, by the empty name, and no service. */
export function healthService(calls: Calls): HealthServer {
  const { SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;
  return {
    check: calls.unary(({ service }) => {
      if (service !== '') throw notFound('unknown service');
      return { status: SERVING };
    }),
    watch: calls.stream(async ({ service }, { signal }, send) => {
      await send({ status: service === '' ? SERVING : SERVICE_UNKNOWN });
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }),
  };
}
