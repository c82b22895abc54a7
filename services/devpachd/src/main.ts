import { setFlagsFromString } from 'node:v8';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { readOptions, USAGE } from './options.ts';
import { type RunningServer, startServer } from './server.ts';
import { isCommitError } from './store/disk.ts';

/** What is not closed by then is left to the next start, which finds a whole store in any case. */
const CLOSE_MAX_MS = 2000;

/** A stand-in shares its machine with what it stands in for: V8 is told to collect early instead of growing with what is there. */
const HEAP_MAX_MB = 256;

async function main(): Promise<void> {
  // What the library would write of a port that is taken is told below, in one line.
  setLogVerbosity(logVerbosity.NONE);
  setFlagsFromString(`--max-old-space-size=${HEAP_MAX_MB}`);
  process.on('unhandledRejection', bearCommitErrors);
  const server = await startServer(readOptions(process.argv.slice(2), process.env));
  process.once('SIGTERM', () => stop(server));
  process.once('SIGINT', () => stop(server));
  // A parent that has died can stop nobody.
  process.once('disconnect', () => stop(server));
  process.stdout.write(`devpachd listening on ${server.address}\n`);
  process.send?.({ ready: true, address: server.address });
}

/** Of a commit that failed LMDB also rejects promises that it keeps to itself. Those who wait for that commit are told by theirs. */
function bearCommitErrors(error: unknown): void {
  if (!isCommitError(error)) throw error;
  error.commitError.catch(() => undefined);
}

function stop(server: RunningServer): void {
  setTimeout(() => process.exit(0), CLOSE_MAX_MS).unref();
  server.close().then(
    () => process.exit(0),
    (error: unknown) => fail(error),
  );
}

function fail(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`devpachd: ${message.split('\n', 1)[0]} (${USAGE})\n`);
  process.exit(1);
}

await main().catch(fail);
