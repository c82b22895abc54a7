import { Server } from '@grpc/grpc-js';
import { APIService as AdminService } from '../../../proto/gen/admin/admin.ts';
import { APIService as AuthService } from '../../../proto/gen/auth/auth.ts';
import { DebugService } from '../../../proto/gen/devpachd/devpachd.ts';
import { HealthService } from '../../../proto/gen/health/health.ts';
import { APIService as MetadataService } from '../../../proto/gen/metadata/metadata.ts';
import { APIService as PfsService } from '../../../proto/gen/pfs/pfs.ts';
import { APIService as VersionService } from '../../../proto/gen/version/versionpb/version.ts';
import type { App } from './app.ts';
import { createFirstBindings } from './auth/bindings.ts';
import { createRootToken } from './auth/tokens.ts';
import { openPacks } from './content/packs.ts';
import { createCounters } from './counters.ts';
import { createFaults } from './faults/faults.ts';
import type { Fault } from './faults/grammar.ts';
import { finishingIn, type Latency } from './latency/latency.ts';
import { type Listener, listen } from './listen.ts';
import { adminService } from './rpc/admin.ts';
import { authService } from './rpc/auth.ts';
import { createCalls } from './rpc/call.ts';
import { debugService } from './rpc/debug.ts';
import { createGuard } from './rpc/guard.ts';
import { healthService } from './rpc/health.ts';
import { metadataService } from './rpc/metadata.ts';
import { pfsService } from './rpc/pfs.ts';
import { versionService } from './rpc/version.ts';
import { seedStore } from './seed.ts';
import { startClock } from './store/clock.ts';
import { COLLECTOR_DEFAULTS, type CollectorOptions, startCollector } from './store/collector.ts';
import { openDb } from './store/db.ts';
import { startFinisher } from './store/finisher.ts';
import { dropLease, newOwner, sayAlive, sayGone } from './store/leases.ts';
import { createDefaultProject } from './store/projects.ts';
import { createWaiting } from './store/waiting.ts';

const MESSAGE_MAX_BYTES = 20 * 1024 * 1024;
/** Streams of one connection at a time; a gateway brings all of its calls over one. */
const STREAMS_MAX = 4096;
const DRAIN_MS = 300;

export interface ServerOptions {
  /** HOST:PORT; port 0: any free one. */
  readonly listen: string;
  readonly folder: string;
  readonly auth: boolean;
  readonly seed: boolean;
  readonly latency?: Latency;
  readonly collector?: CollectorOptions;
  readonly faults?: readonly Fault[];
  readonly faultControl?: boolean;
  readonly onError?: (error: unknown) => void;
}

export interface RunningServer {
  /** HOST:PORT that it listens on. */
  readonly address: string;
  readonly close: () => Promise<void>;
}

/** Opens the folder, which other processes may have open, too, and serves it. Throws when the address is taken. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const onError = options.onError ?? ((error: unknown) => process.stderr.write(`devpachd: ${describe(error)}\n`));
  const db = openDb(options.folder);
  const owner = newOwner();
  await db.write(() => {
    sayAlive(db, owner);
    createDefaultProject(db);
    if (options.auth) {
      createFirstBindings(db);
      createRootToken(db);
    }
  });
  const faults = createFaults(options.faults ?? []);
  const packs = openPacks(db, owner, faults.takeSpace);
  const waiting = createWaiting(db);
  const counters = createCounters();
  const latency = options.latency ?? finishingIn(0);
  const finisher = startFinisher({ db, packs, owner, waiting, counters, latency, onError });
  const collector = startCollector(db, owner, options.collector ?? COLLECTOR_DEFAULTS, onError);
  const clock = startClock(db, onError);
  let listener: Listener | undefined;
  const app: App = {
    db,
    packs,
    owner,
    waiting,
    finisher,
    counters,
    latency,
    faults,
    faultControl: options.faultControl ?? false,
    cut: (peer) => listener?.cut(peer),
    authOn: options.auth,
    onError,
  };
  const grpc = new Server({
    'grpc.max_receive_message_length': MESSAGE_MAX_BYTES,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': STREAMS_MAX,
  });
  addServices(grpc, app);
  const closeStore = async () => {
    await finisher.close();
    await collector.close();
    await clock.close();
    waiting.close();
    await packs.close();
    await db.write(() => {
      dropLease(db, 'collector', owner);
      sayGone(db, owner);
    });
    await db.close();
  };
  try {
    if (options.seed) await seedStore(app);
    listener = await listen(grpc, options.listen);
    const { port, close } = listener;
    const host = options.listen.slice(0, options.listen.lastIndexOf(':'));
    return {
      address: `${host}:${port}`,
      close: async () => {
        close();
        await shutDown(grpc);
        await closeStore();
      },
    };
  } catch (error) {
    listener?.close();
    grpc.forceShutdown();
    await closeStore();
    throw error;
  }
}

function addServices(grpc: Server, app: App): void {
  const calls = createCalls(app, { token: true });
  const openCalls = createCalls(app, { token: false });
  const guard = createGuard(app);
  grpc.addService(PfsService, pfsService(app, calls, openCalls, guard));
  grpc.addService(AuthService, authService(app, calls, guard));
  grpc.addService(MetadataService, metadataService(app, calls, guard));
  grpc.addService(AdminService, adminService(app, openCalls));
  grpc.addService(VersionService, versionService(openCalls));
  grpc.addService(HealthService, healthService(openCalls));
  grpc.addService(DebugService, debugService(app, openCalls));
}

/** Lets calls that are about to end do so; streams that never end are cut. */
function shutDown(grpc: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      grpc.forceShutdown();
      resolve();
    }, DRAIN_MS);
    grpc.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
