import { inClientSpan } from '../telemetry/trace.ts';
import type { Script } from './script.ts';

/** Source: OpenTelemetry semantic conventions, "Redis". */
const ATTRIBUTES = { 'db.system.name': 'redis', 'db.operation.name': 'EVALSHA' };

/** Runs what asks Redis by a script as a span of who waits for it. */
export function inRedisSpan<T>({ name }: Pick<Script, 'name'>, ask: () => Promise<T>): Promise<T> {
  return inClientSpan(`redis ${name}`, ATTRIBUTES, ask);
}
