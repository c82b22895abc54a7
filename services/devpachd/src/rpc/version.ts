import { type APIServer, Version } from '../../../../proto/gen/version/versionpb/version.ts';
import type { Calls } from './call.ts';

/** The source line that devpachd follows; what is added tells it from a real one. */
const VERSION = Version.fromPartial({ major: 2, minor: 12, micro: 0, additional: '-devpachd' });

export function versionService(calls: Calls): APIServer {
  return { getVersion: calls.unary(() => VERSION) };
}
